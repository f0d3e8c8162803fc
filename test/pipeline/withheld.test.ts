import assert from 'node:assert/strict';
import { engines } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { PAPER } from '../kit/province.js';
import { Province, SERVICE } from '../sharing/province.js';

const DAY = 86_400_000;
const REASON = { reason: 'Phát hiện truy cập bất thường', document: PAPER };

/** What is done while the source thinks, on the managers' side, and how the call then ends. */
interface Case {
  readonly title: string;
  readonly code: string;
  /** Of the decision trace: which rule, in which state. */
  readonly rule: readonly [kind: string, state: string];
  readonly end: (province: Province) => Promise<unknown>;
}

/** Changes the service beside the node, and then something by it: it reads what changed before it answers. */
const changed = async (province: Province, patch: object): Promise<void> => {
  const { knex } = province.test.database;
  await knex('services').update(patch);
  await knex('changes').insert({ noun: 'service', key: SERVICE, at: 1 });
  await province.done('van-hanh', 'PATCH', '/agencies/H35.62', { name: 'Cơ quan khác' });
};

const agencyEnds = (code: string) => (province: Province) =>
  province.done('van-hanh', 'PATCH', `/agencies/${code}`, { validTo: '2025-07-31' });

const OF_EVERY_CALL: readonly Case[] = [
  {
    title: 'the system is locked',
    code: 'client_locked',
    rule: ['system', 'locked'],
    end: (province) => province.done('van-hanh', 'POST', '/systems/mot-cua/lock', REASON),
  },
  {
    title: 'the system is revoked',
    code: 'client_revoked',
    rule: ['system', 'revoked'],
    end: (province) => province.done('van-hanh', 'POST', '/systems/mot-cua/revoke', REASON),
  },
  {
    title: 'the agency of the caller ends',
    code: 'agency_inactive',
    rule: ['agency', 'ended'],
    end: agencyEnds('H35.61'),
  },
  {
    title: 'the agency of the provider ends',
    code: 'agency_inactive',
    rule: ['agency', 'ended'],
    end: agencyEnds('H35.12'),
  },
  {
    title: 'the service is suspended',
    code: 'service_suspended',
    rule: ['service', 'suspended'],
    end: (province) => province.done('quan-ly', 'POST', `/services/${SERVICE}/suspend`, { reason: 'x' }),
  },
  {
    title: 'the last day of the service is over',
    code: 'service_retired',
    rule: ['service', 'retired'],
    end: (province) => {
      province.clock.move(2 * DAY);
      return Promise.resolve();
    },
  },
];

const request = (client: string, step: string, document: string) => (province: Province) =>
  province.step(client, 'yc-2025-0001', step, { reason: 'Bảo trì', document });

const OF_A_GRANT: readonly Case[] = [
  {
    title: 'the provider suspends the grant',
    code: 'grant_not_active',
    rule: ['grant', 'suspended'],
    end: request('cung-cap', 'suspend', 'vb-12'),
  },
  {
    title: 'the provider terminates the grant',
    code: 'grant_not_active',
    rule: ['grant', 'terminated'],
    end: request('cung-cap', 'terminate', 'vb-12'),
  },
];

const OF_AN_OPEN_SERVICE: readonly Case[] = [
  {
    title: 'the service comes to need an approval',
    code: 'grant_required',
    rule: ['grant', 'absent'],
    end: (province) => changed(province, { sharing: 'special' }),
  },
];

for (const engine of engines)
  for (const [kind, cases] of [
    ['a special', [...OF_EVERY_CALL, ...OF_A_GRANT]],
    ['an open', [...OF_EVERY_CALL, ...OF_AN_OPEN_SERVICE]],
  ] as const)
    describe(`the answer of ${kind} service, while its source thinks, on ${engine.name}`, function () {
      this.timeout(60_000);
      let province: Province;
      beforeEach(async () => {
        const special = kind === 'a special';
        province = await Province.open(engine);
        const sunset_at = province.clock.now() + DAY;
        await changed(province, { sunset_at, ...(special ? {} : { sharing: 'default' }) });
        if (special) await province.reach('active');
        assert.equal(await province.code(), 'answered');
      });
      afterEach(() => province.close());

      for (const { title, code, rule, end } of cases)
        it(`is withheld when ${title}`, async () => {
          const token = await province.node.token('mot-cua', 'data');
          province.source.hold();
          const call = fetch(`${province.node.url}/data/${SERVICE}/doanh-nghiep`, {
            headers: { authorization: `Bearer ${token}` },
          });
          await eventually(() => province.source.waiting === 1 || undefined, 'the source was asked');
          await end(province);
          province.source.release();
          const answer = await call;
          const text = await answer.text();
          const problem = JSON.parse(text) as { code: string; stage: string; rule: Record<string, string> };
          assert.ok(!text.includes('6200000001'), text);
          assert.deepEqual(
            [problem.code, problem.stage, problem.rule['kind'], problem.rule['state']],
            [code, 'check-response', ...rule],
          );
          const id = answer.headers.get('lgsp-record');
          const record = (await allRecords(province.test.database)).find((one) => one.id === id);
          assert.deepEqual(
            [record?.outcome, record?.code, record?.stage],
            ['refused', code, 'check-response'],
          );
          assert.equal(record?.disclosed, undefined);
        });
    });
