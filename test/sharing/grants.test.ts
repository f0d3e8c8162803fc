import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { engines } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { AGREEMENT, ANSWER, Province, SERVICE } from './province.js';

const DAY = 86_400_000;

for (const engine of engines) {
  describe(`grants on ${engine.name}`, function () {
    this.timeout(60_000);
    let province: Province;
    beforeEach(async () => {
      province = await Province.open(engine);
    });
    afterEach(() => province.close());

    it('are asked for on the way, and the refusal says where to try meanwhile', async () => {
      const answer = await province.data();
      const problem = (await answer.json()) as any;
      assert.equal(answer.status, 403);
      assert.equal(problem.code, 'grant_required');
      assert.deepEqual(problem.rule.state, 'absent');
      assert.match(problem.remedy.sandbox, /\/sandbox\/H35\.12\/doanh-nghiep\/v1\/doanh-nghiep$/);
    });

    it('let only the approved fields pass, digit for digit, and the record names them', async () => {
      await province.reach('active');
      const answer = await province.data();
      const text = await answer.text();
      assert.equal(answer.status, 200, text);
      assert.equal(
        text,
        '{"duLieu":[{"ma":"6200000001","ten":"Công ty Mẫu","vonDieuLe":12345678901234567890.50}]}',
      );
      assert.equal(answer.headers.get('etag'), null);
      const id = answer.headers.get('lgsp-record') ?? '';
      const record = (await allRecords(province.test.database)).find((one) => one.id === id);
      assert.equal(record?.grant, 'cp-2025-0001');
      assert.deepEqual(record.disclosed, ['/duLieu/*/ma', '/duLieu/*/ten', '/duLieu/*/vonDieuLe']);
    });

    it('leave every byte as it was where nothing is narrowed', async () => {
      await province.reach('active', { fields: null });
      const answer = await province.data();
      const bytes = Buffer.from(await answer.arrayBuffer());
      assert.equal(bytes.toString(), ANSWER);
      const record = (await allRecords(province.test.database)).find(
        (one) => one.id === answer.headers.get('lgsp-record'),
      );
      assert.equal(record?.responseSha256, createHash('sha256').update(ANSWER).digest('base64url'));
      assert.equal(record.disclosed, undefined);
    });

    it('let nothing pass of an answer that cannot be narrowed', async () => {
      await province.reach('active');
      province.source.answer = { status: 200, type: 'text/plain', body: 'Công ty Mẫu' };
      assert.equal(await province.code(), 'response_invalid');
    });

    it('count one quota: approved, enforced, and left in the headers and the API', async () => {
      await province.reach('active', { perMinute: null });
      for (const left of [4, 3, 2, 1, 0]) {
        const answer = await province.data();
        assert.equal(answer.status, 200);
        assert.match(answer.headers.get('ratelimit') ?? '', new RegExp(`"quota-day";r=${left};`));
        const grant = await province.done('nguoi-lap', 'GET', '/grants/cp-2025-0001');
        assert.deepEqual(grant.today, { used: 5 - left, remaining: left });
        assert.equal(grant.approved.perDay, 5);
      }
      const over = await province.data();
      const problem = (await over.json()) as any;
      assert.equal(over.status, 429);
      assert.equal(problem.code, 'quota_exceeded');
      assert.equal(problem.rule.id, 'cp-2025-0001');
      assert.equal(problem.rule.calls, 5);
      assert.equal(over.headers.get('retry-after'), String(15 * 3600));
      province.clock.move(15 * 3_600_000);
      assert.equal(await province.code(), 'answered');
    });

    it('count the minute apart from the day', async () => {
      await province.reach('active', { perMinute: 2 });
      assert.equal(await province.code(), 'answered');
      assert.equal(await province.code(), 'answered');
      assert.equal(await province.code(), 'quota_exceeded');
      const grant = await province.done('cung-cap', 'GET', '/grants/cp-2025-0001');
      assert.deepEqual(grant.today, { used: 2, remaining: 3 });
    });

    it('never allow more than the quota when many call at once', async () => {
      await province.reach('active', { perMinute: null });
      const answers = await Promise.all(Array.from({ length: 20 }, () => province.code()));
      assert.equal(answers.filter((code) => code === 'answered').length, 5);
      assert.equal(answers.filter((code) => code === 'quota_exceeded').length, 15);
    });

    it('change within what was approved at once, and beyond it only once the amendment is approved', async () => {
      await province.reach('active', { perMinute: null });
      const quota = (perDay: number, more: object = {}) =>
        province.api('nguoi-lap', 'PUT', '/grants/cp-2025-0001/quota', { perDay, ...more });
      assert.equal((await quota(1)).status, 200);
      assert.equal(await province.code(), 'answered');
      assert.equal(await province.code(), 'quota_exceeded');
      assert.equal((await quota(5)).status, 200);
      assert.equal(await province.code(), 'answered');
      assert.equal((await quota(6)).body.code, 'document_required');
      const asked = await quota(6, { document: 'vb-61', reason: 'Nhu cầu tăng' });
      assert.equal(asked.status, 202);
      const { id } = asked.body;
      assert.equal((await quota(7, { document: 'vb-61' })).body.code, 'conflict');
      assert.equal((await province.done('nguoi-lap', 'GET', '/grants/cp-2025-0001')).quota.perDay, 5);
      await province.step('cung-cap', id, 'take');
      await province.step('cung-cap', id, 'agree', { document: 'vb-12', agreement: AGREEMENT });
      await province.step('quan-ly', id, 'approve', { document: 'vb-mau' });
      const grant = await province.done('nguoi-lap', 'GET', '/grants/cp-2025-0001');
      assert.deepEqual(
        [grant.version, grant.quota.perDay, grant.approved.perDay, grant.request],
        [2, 6, 6, id],
      );
      assert.equal(
        (await province.done('nguoi-lap', 'GET', '/sharing-requests/yc-2025-0001')).state,
        'terminated',
      );
      await eventually(
        async () =>
          (await allRecords(province.test.database)).some(
            (one) => one.operation === 'supersedeSharingRequest',
          ) || undefined,
        'the record of the request that was superseded',
      );
    });

    it('stay held up while they are amended, until whoever suspended them resumes', async () => {
      await province.reach('active', { perMinute: null });
      await province.step('cung-cap', 'yc-2025-0001', 'suspend', { reason: 'Bảo trì' });
      const ask = { perDay: 6, document: 'vb-61', reason: 'Nhu cầu tăng' };
      const { id } = await province.done('nguoi-lap', 'PUT', '/grants/cp-2025-0001/quota', ask);
      await province.step('cung-cap', id, 'take');
      await province.step('cung-cap', id, 'agree', { document: 'vb-12', agreement: AGREEMENT });
      const { state } = await province.step('quan-ly', id, 'approve', { document: 'vb-mau' });
      assert.equal(state, 'suspended');
      assert.equal(await province.code(), 'grant_not_active');
      assert.equal((await province.step('cung-cap', id, 'resume')).state, 'active');
      assert.equal(await province.code(), 'answered');
    });

    it('allow only the operations that were asked for', async () => {
      await province.reach('active');
      const { knex } = province.test.database;
      await knex('grants').update({ operations: '["khac"]' });
      await knex('changes').insert({ noun: 'grant', key: 'cp-2025-0001', at: 1 });
      await eventually(
        async () => ((await province.code()) === 'operation_not_granted' ? true : undefined),
        'the change is seen',
      );
    });

    for (const [title, end, code] of [
      [
        'the provider suspends',
        (p: Province) => p.step('cung-cap', 'yc-2025-0001', 'suspend', { reason: 'x' }),
        'grant_not_active',
      ],
      [
        'the term ends',
        (p: Province) => {
          p.clock.move(61 * DAY);
          return Promise.resolve();
        },
        'grant_expired',
      ],
    ] as const)
      it(`release nothing when ${title} during a call`, async () => {
        await province.reach('active');
        const token = await province.node.token('mot-cua', 'data');
        province.source.hold();
        const call = fetch(`${province.node.url}/data/H35.12/doanh-nghiep/v1/doanh-nghiep`, {
          headers: { authorization: `Bearer ${token}` },
        });
        await eventually(() => province.source.waiting === 1 || undefined, 'the source was asked');
        await end(province);
        province.source.release();
        const problem = (await (await call).json()) as any;
        assert.equal(problem.code, code);
        assert.ok(!JSON.stringify(problem).includes('6200000001'));
      });

    it('outlast a clock that is set back: no call before the first moment, none anew, none after the end', async () => {
      await province.reach('active', { perDay: 2, perMinute: null });
      assert.equal(await province.code(), 'answered');
      province.clock.move(-60_000);
      assert.equal(await province.code(), 'grant_not_active');
      province.clock.move(60_000 + DAY);
      assert.equal(await province.code(), 'answered');
      province.clock.move(-DAY);
      assert.equal(await province.code(), 'answered');
      assert.equal(await province.code(), 'quota_exceeded', 'the calls of that day are still counted');
      province.clock.move(61 * DAY);
      await eventually(
        async () =>
          (await province.done('nguoi-lap', 'GET', '/sharing-requests/yc-2025-0001')).state === 'expired' ||
          undefined,
        'it has expired',
      );
      province.clock.move(-30 * DAY);
      assert.equal(await province.code(), 'grant_expired', 'what has ended does not come back');
    });

    it('expire by themselves, once, with a record and a notice to both sides', async () => {
      const id = await province.reach('active');
      assert.equal(await province.code(), 'answered');
      province.clock.move(61 * DAY);
      const token = await province.node.token('mot-cua', 'data');
      const answer = await fetch(`${province.node.url}/data/${SERVICE}/doanh-nghiep`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const problem = (await answer.json()) as any;
      assert.equal(problem.code, 'grant_expired');
      assert.equal(problem.rule.since, '2025-09-30T17:00:00.000Z');
      const expired = await eventually(async () => {
        const records = await allRecords(province.test.database);
        const found = records.filter((one) => one.operation === 'expireSharingRequest');
        return found.length > 0 ? found : undefined;
      }, 'the record of its end');
      assert.equal(expired.length, 1);
      assert.equal(expired[0]?.target?.key, id);
      const notices = await province.test.database.knex('notices').where({ kind: 'grant_expired' });
      assert.deepEqual(notices.map(({ agency }: any) => agency).sort(), ['H35.12', 'H35.61']);
    });
  });

  describe(`subscriptions on ${engine.name}`, function () {
    this.timeout(60_000);
    let province: Province;
    const open = async (defaultSharing: string) => {
      province = await Province.open(engine, { sharing: { defaultSharing } });
      await province.test.database.knex('services').update({ sharing: 'default' });
      await province.test.database
        .knex('changes')
        .insert({ noun: 'service', key: 'H35.12/doanh-nghiep/v1', at: 1 });
      await eventually(
        async () =>
          (await province.code()) === 'grant_required' || defaultSharing === 'open' ? true : undefined,
        'the change is seen',
      );
    };
    const ask = { service: 'H35.12/doanh-nghiep/v1', system: 'mot-cua', purpose: 'Tra cứu' };
    afterEach(() => province.close());

    it('are not needed where default services are open', async () => {
      await open('open');
      await eventually(async () => ((await province.code()) === 'answered' ? true : undefined), 'it is open');
    });

    it('are one step, in force at once', async () => {
      await open('subscribe');
      const made = await province.api('nguoi-lap', 'POST', '/subscriptions', ask);
      assert.equal(made.status, 201);
      assert.equal(made.body.state, 'active');
      assert.equal(await province.code(), 'answered');
      await province.refused('conflict', 'nguoi-lap', 'POST', '/subscriptions', ask);
      await province.refused('request_invalid', 'ke-la', 'POST', '/subscriptions', ask);
      await province.refused('object_not_found', 'ke-la', 'GET', `/grants/${made.body.id}`);
    });

    it('wait for an operator where the setting says so, by a deadline, and the three flags hold', async () => {
      await open('confirm');
      const { body } = await province.api('nguoi-lap', 'POST', '/subscriptions', ask);
      assert.equal(body.state, 'requested');
      assert.equal(body.dueAt, '2025-08-05T16:59:59.999Z');
      assert.equal(await province.code(), 'grant_not_active');
      const step = (client: string, name: string, more: object = {}) =>
        province.api(client, 'POST', `/grants/${body.id}/steps`, { step: name, ...more });
      province.clock.move(5 * DAY);
      const late = await eventually(async () => {
        const rows = await province.test.database.knex('notices').where({ kind: 'overdue', key: body.id });
        return rows.length > 0 ? rows : undefined;
      }, 'somebody is told that it is late');
      assert.deepEqual(new Set(late.map(({ role }: any) => role)), new Set(['operator', 'manager']));
      assert.equal((await step('nguoi-lap', 'confirm')).body.code, 'role_required');
      assert.equal((await step('van-hanh', 'refuse')).body.code, 'request_invalid');
      assert.equal((await step('van-hanh', 'confirm')).body.state, 'active');
      assert.equal((await step('van-hanh', 'confirm')).body.code, 'transition_not_allowed');
      assert.equal(await province.code(), 'answered');
      await step('cung-cap', 'suspend', { reason: 'Bảo trì' });
      await step('nguoi-lap', 'suspend', { reason: 'Tạm dừng' });
      assert.equal((await step('cung-cap', 'resume')).body.state, 'suspended');
      assert.equal((await step('cung-cap', 'resume')).body.code, 'transition_not_allowed');
      assert.equal(await province.code(), 'grant_not_active');
      assert.equal((await step('nguoi-lap', 'resume')).body.state, 'active');
      assert.equal(await province.code(), 'answered');
      assert.equal((await step('cung-cap', 'terminate', { reason: 'x' })).body.code, 'document_required');
      assert.equal(
        (await step('nguoi-lap', 'terminate', { reason: 'Không dùng nữa' })).body.state,
        'terminated',
      );
      assert.equal(await province.code(), 'grant_not_active');
    });
  });
}
