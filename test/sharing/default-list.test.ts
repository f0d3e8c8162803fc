import assert from 'node:assert/strict';
import { engines } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { PAPER } from '../kit/province.js';
import { Province, SERVICE } from './province.js';

const DAY = 86_400_000;
const ASK = { service: SERVICE, system: 'mot-cua', purpose: 'Tra cứu' };

for (const engine of engines)
  describe(`the default list on ${engine.name}`, function () {
    this.timeout(60_000);
    let province: Province;
    let other: TestGateway;

    const share = async (sharing: string) => {
      const { knex } = province.test.database;
      await knex('services').update({ sharing });
      await knex('changes').insert({ noun: 'service', key: SERVICE, at: 1 });
      // Whatever a node does itself it has read before it answers.
      await province.done('van-hanh', 'PATCH', '/agencies/H35.62', { name: 'Cơ quan khác' });
    };
    const notices = (kind: string): Promise<any[]> =>
      Promise.resolve(province.test.database.knex('notices').where({ kind }).orderBy('agency'));
    /** Whoever was told, once both sides were. */
    const told = (kind: string) =>
      eventually(async () => {
        const rows = await notices(kind);
        return rows.length > 1 ? rows.map(({ agency, role }) => `${agency} ${role}`) : undefined;
      }, `word of ${kind}`);
    /** Time for both nodes to do what they would do twice. */
    const rounds = () => new Promise((resolve) => setTimeout(resolve, 300));

    beforeEach(async () => {
      province = await Province.open(engine, { sharing: { defaultSharing: 'subscribe' } });
      await share('default');
      other = await startTestGateway(
        province.test,
        { sharing: { defaultSharing: 'subscribe' } },
        { clock: province.clock },
      );
    });
    afterEach(async () => {
      await other.close();
      await province.close();
    });

    it('lets no subscription outlive it: refused at once, then ended, once', async () => {
      const { id } = await province.done('nguoi-lap', 'POST', '/subscriptions', ASK);
      assert.equal(await province.code(), 'answered');
      await share('special');
      const token = await province.node.token('mot-cua', 'data');
      const answer = await fetch(`${province.node.url}/data/${SERVICE}/doanh-nghiep`, {
        headers: { authorization: `Bearer ${token}` },
      });
      const problem = (await answer.json()) as any;
      assert.deepEqual(
        [problem.code, problem.rule.id, problem.rule.sharing],
        ['grant_required', SERVICE, 'special'],
      );
      assert.deepEqual(await told('subscription_ended'), ['H35.12 provider', 'H35.61 consumer']);
      await rounds();
      assert.equal((await notices('subscription_ended')).length, 2);
      assert.equal((await province.done('nguoi-lap', 'GET', `/grants/${id}`)).state, 'terminated');
      const ended = await eventually(async () => {
        const found = (await allRecords(province.test.database)).filter(
          ({ operation }) => operation === 'endSubscription',
        );
        return found.length > 0 ? found : undefined;
      }, 'the record of it');
      assert.deepEqual([ended.length, ended[0]?.target?.key], [1, id]);
      // What has ended does not stand in the way of a special request.
      await province.reach('active');
      assert.equal(await province.code(), 'answered');
    });

    it('is reviewed: told once before it is due and once after, on whatever node, also after a stop', async () => {
      const { clock } = province;
      // Saved on 1 August: due on 1 February, told of from 14 days before.
      clock.move(Date.parse('2026-01-17T23:59:00Z') - clock.now());
      await rounds();
      assert.deepEqual(await notices('default_review_due'), []);
      clock.move(60_000);
      assert.deepEqual(await told('default_review_due'), ['H35 manager', 'H35.12 provider']);
      await other.close();
      clock.move(20 * DAY);
      other = await startTestGateway(province.test, {}, { clock });
      assert.deepEqual(await told('default_review_overdue'), ['H35 manager', 'H35.12 provider']);
      await rounds();
      assert.equal((await notices('default_review_due')).length, 2);
      assert.equal((await notices('default_review_overdue')).length, 2);
      const keep = { outcome: 'keep', note: 'Còn nhu cầu', document: PAPER };
      await province.done('quan-ly', 'POST', `/default-list/${SERVICE}/reviews`, keep);
      clock.move(190 * DAY);
      await eventually(
        async () => (await notices('default_review_overdue')).length === 4 || undefined,
        'the next review is late in its turn',
      );
    });

    it('is left by a review that says so, on its document, at once', async () => {
      const review = (more: object) =>
        province.api('quan-ly', 'POST', `/default-list/${SERVICE}/reviews`, {
          ...{ outcome: 'remove', note: 'Không còn phù hợp' },
          ...more,
        });
      await province.done('nguoi-lap', 'POST', '/subscriptions', ASK);
      assert.equal((await review({})).body.code, 'document_required');
      assert.equal(await province.code(), 'answered');
      assert.equal((await review({ document: PAPER })).status, 200);
      assert.equal(await province.code(), 'grant_required');
      assert.deepEqual((await province.done('quan-ly', 'GET', '/default-list')).items, []);
      const service = await province.done('quan-ly', 'GET', `/services/${SERVICE}`);
      assert.deepEqual([service.sharing, service.state], ['special', 'published']);
      const revision = await province.test.database.knex('service_revisions').where({ revision: 2 }).first();
      assert.equal(JSON.parse(revision.manifest).sharing, 'special');
      const removed = await notices('default_list_removed');
      assert.deepEqual(
        removed.map(({ agency, role }) => [agency, role]),
        [['H35.12', 'provider']],
      );
      assert.deepEqual(await told('subscription_ended'), ['H35.12 provider', 'H35.61 consumer']);
      assert.equal((await review({ document: PAPER })).body.code, 'object_not_found');
      const record = (await allRecords(province.test.database)).find(
        ({ operation, outcome }) => operation === 'reviewDefaultService' && outcome === 'answered',
      );
      const after = record?.target?.after as { sharing: string; revision: number; document: { id: string } };
      assert.deepEqual([after.sharing, after.revision, after.document.id], ['special', 2, PAPER]);
    });
  });
