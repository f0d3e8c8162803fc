import assert from 'node:assert/strict';
import { insertGrant } from '../../gateway/store/grants.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem, DOCUMENT } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const DAY = 86_400_000;
const ID = 'H35.11/thu/v1';
const ASKED = 'H35.11/rieng/v1';

/** The document of the service, with its answer changed. */
function changed(change: (schema: Record<string, any>) => void): string {
  const document = structuredClone(DOCUMENT) as Record<string, any>;
  change(document['paths']['/{act}'].get.responses['200'].content['application/json'].schema);
  return JSON.stringify(document);
}
const WIDER = changed((unit) => (unit['properties'].note = { type: 'string' }));
const BROKEN = changed((unit) => {
  unit['required'] = ['code'];
  delete unit['properties'].name;
});

/** An approval of some fields of the service that is asked for. */
async function addGrant({ database }: TestDatabase, system: string, consumer: string, fields: string[]) {
  const at = Date.parse('2026-03-01T00:00:00Z');
  const none = { suspended_consumer: null, suspended_provider: null, suspended_platform: null };
  const unlimited = { approved_per_day: null, approved_per_minute: null, per_day: null, per_minute: null };
  const unsaid = { due_at: null, overdue_told_at: null, reason: null, document_id: null, decided_by: null };
  await insertGrant(database.knex, {
    ...{ id: `pd-${system}`, request_id: null, sharing: 'special', service_id: ASKED, provider: 'H35.11' },
    ...{ consumer, system_id: system, state: 'active', state_since: at, ...none, operations: null },
    ...{ fields: JSON.stringify({ read: fields }), ...unlimited, purpose: 'thử', legal_basis: null },
    ...{ valid_from: at, valid_until: null, version: 1, ...unsaid, created_by: 'test' },
    ...{ created_at: at, updated_at: at },
  });
}

for (const engine of engines) {
  describe(`the gate of a change, on ${engine.name}`, function () {
    // Every draft is checked in a thread of its own, compiled from source in a test.
    this.timeout(90_000);
    let test: TestDatabase;
    let gateway: TestGateway;
    let source: Source;
    const clock = { at: 0, now: () => clock.at };

    beforeEach(async () => {
      clock.at = Date.parse('2026-03-02T02:00:00Z');
      test = await engine.create();
      source = await startSource();
      for (const code of ['H35.11', 'H35.61', 'H35.62', 'H35.90']) await addAgency(test.database, code);
      await addSystem(test.database, 'mot-cua', 'H35.61');
      await addSystem(test.database, 'khong-goi', 'H35.62');
      await addSystem(test.database, 'so-noi-vu', 'H35.11', { roles: ['provider'] });
      await addSystem(test.database, 'so-khac', 'H35.62', { roles: ['provider'] });
      await addSystem(test.database, 'quan-ly', 'H35.90', { roles: ['manager'] });
      await addService(test.database, source.url);
      await addService(test.database, source.url, { slug: 'rieng', sharing: 'special' });
      for (const [system, agency, field] of [
        ['chi-ma', 'H35.61', '/code'],
        ['chi-ten', 'H35.62', '/name'],
        ['duoc-phep', 'H35.90', '/name'],
      ] as const) {
        await addSystem(test.database, system, agency);
        await addGrant(test, system, agency, [field]);
      }
      gateway = await startTestGateway(test, {}, { clock });
    });
    afterEach(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    async function api(as: string, method: string, path: string, body?: object) {
      const response = await fetch(`${gateway.url}/api${path}`, {
        method,
        headers: {
          authorization: `Bearer ${await gateway.token(as, 'api')}`,
          'content-type': 'application/json',
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    }

    async function call(plane = 'data', { as = 'mot-cua', id = ID } = {}) {
      const token = await gateway.token(as, 'data');
      return await fetch(`${gateway.url}/${plane}/${id}/ok`, {
        headers: { authorization: `Bearer ${token}` },
      });
    }

    async function draft(document: string, version = '1.1.0', { id = ID, more = {} } = {}) {
      const manifest = (await api('so-noi-vu', 'GET', `/services/${id}/manifest`)).body.manifest;
      const parsed = JSON.parse(document) as Record<string, any>;
      parsed['info'].version = version;
      const content = { manifest: { ...manifest, ...more, version }, document: JSON.stringify(parsed) };
      return version.startsWith('1')
        ? await api('so-noi-vu', 'PUT', `/services/${id}/draft`, content)
        : await api('so-noi-vu', 'POST', '/services', content);
    }

    /** The count of calls follows the record within a moment. */
    const counted = (calls: number) =>
      eventually(async () => {
        const { body } = await api('so-noi-vu', 'GET', `/services/${ID}/consumers`);
        return body.items[0]?.operations[0]?.calls === calls ? body : undefined;
      }, `${calls} calls are counted`);

    it('lets through what spares callers, and stops what does not, naming who would notice', async () => {
      await call();
      await call();
      const use = await counted(2);
      assert.deepEqual(
        use.items.map(({ system, agency, grant }: any) => [system, agency, grant]),
        [['mot-cua', 'H35.61', null]],
      );
      assert.equal((await draft(WIDER)).status, 200);
      const harmless = await api('quan-ly', 'GET', `/services/${ID}/comparison`);
      assert.equal(harmless.status, 200, JSON.stringify(harmless.body));
      assert.deepEqual([harmless.body.breaking, harmless.body.affected], [false, []]);
      assert.equal((await api('quan-ly', 'POST', `/services/${ID}/publish`)).status, 200);
      assert.equal((await draft(BROKEN, '1.2.0')).status, 200);
      const told = await api('so-noi-vu', 'GET', `/services/${ID}/comparison`);
      assert.deepEqual([told.body.breaking, told.body.affected], [true, ['mot-cua']]);
      const removed = told.body.changes.find(
        ({ rule, field }: any) => rule === 'property-removed' && field === '/name',
      );
      assert.equal(removed.affected[0].calls, 2);
      const refused = await api('quan-ly', 'POST', `/services/${ID}/publish`);
      assert.deepEqual([refused.status, refused.body.code], [422, 'breaking_change']);
      assert.deepEqual(refused.body.rule.affected, ['mot-cua']);
      assert.match(refused.body.errors[0].pointer, /^\/document\/paths\//);
      const asked = await api('so-noi-vu', 'POST', '/change-requests', {
        ...{ kind: 'service.publish', service: ID, reason: 'Bỏ trường', revision: 3 },
      });
      assert.equal(asked.body.code, 'breaking_change', 'nor by the long way');
      assert.equal((await call()).status, 200, 'what is in force stays in force');
      assert.equal((await draft(BROKEN, '2.0.0')).status, 201);
      const major = await api('quan-ly', 'POST', '/services/H35.11/thu/v2/publish');
      assert.equal(major.status, 200, JSON.stringify(major.body));
    });

    it('names those to whom the field that goes did leave, and nobody for what they may but never did', async () => {
      const narrowed = async (as: string) => await (await call('data', { as, id: ASKED })).json();
      assert.deepEqual(Object.keys((await narrowed('chi-ma')) as object), ['code']);
      assert.deepEqual(Object.keys((await narrowed('chi-ten')) as object), ['name']);
      const { items } = await eventually(async () => {
        const { body } = await api('so-noi-vu', 'GET', `/services/${ASKED}/consumers`);
        const used = body.items.filter(({ operations }: any) => operations.length > 0);
        return used.length === 2 ? body : undefined;
      }, 'both calls are counted');
      assert.deepEqual(
        items.map(({ system, grant, operations }: any) => [system, grant, operations[0]?.fields ?? null]),
        [
          ['chi-ma', 'pd-chi-ma', ['/code']],
          ['chi-ten', 'pd-chi-ten', ['/name']],
          ['duoc-phep', 'pd-duoc-phep', null],
        ],
      );
      assert.equal((await draft(BROKEN, '1.1.0', { id: ASKED })).status, 200);
      const told = await api('so-noi-vu', 'GET', `/services/${ASKED}/comparison`);
      assert.deepEqual([told.body.breaking, told.body.affected], [true, ['chi-ten']]);
      const refused = await api('quan-ly', 'POST', `/services/${ASKED}/publish`);
      assert.deepEqual([refused.body.code, refused.body.rule.affected], ['breaking_change', ['chi-ten']]);
    });

    it('stops what the manifest takes away, and tells of what it only changes', async () => {
      await call();
      await counted(1);
      const publish = () => api('quan-ly', 'POST', `/services/${ID}/publish`);
      const content = JSON.stringify(DOCUMENT);
      const closed = { sharing: 'special', senderConstrained: true };
      assert.equal((await draft(content, '1.1.0', { more: closed })).status, 200);
      const { body } = await api('so-noi-vu', 'GET', `/services/${ID}/comparison`);
      assert.deepEqual(
        [body.affected, ...body.changes.map(({ part, affected }: any) => [part, affected[0].calls])],
        [['mot-cua'], ['manifest', 1], ['manifest', 1]],
      );
      const refused = await publish();
      assert.deepEqual([refused.body.code, refused.body.rule.affected], ['breaking_change', ['mot-cua']]);
      assert.deepEqual(
        refused.body.errors.map(({ pointer }: any) => pointer),
        ['/manifest/sharing', '/manifest/senderConstrained'],
      );
      const limits = { system: { calls: 5, seconds: 60 } };
      const open = { sharing: 'default', senderConstrained: false, limits };
      assert.equal((await draft(content, '1.1.0', { more: open })).status, 200);
      assert.equal((await publish()).status, 200);
      const notices = await test.database.knex('notices').where({ kind: 'service_terms_changed' });
      assert.deepEqual(
        notices.map(({ agency, key }) => [agency, key]),
        [['H35.61', ID]],
      );
      assert.match(notices[0].text_vi, /limits\/system: giới hạn số lời gọi thay đổi/);
    });

    it('stops what it cannot compare', async () => {
      assert.equal((await draft(WIDER)).status, 200);
      const inForce = () => test.database.knex('service_revisions').where({ service_id: ID, revision: 1 });
      const [row] = await inForce();
      for (const [part, text] of [
        ['document', 'openapi: ['],
        ['manifest', '{}'],
      ] as const) {
        await inForce().update({ document: row.document, manifest: row.manifest, [part]: text });
        const refused = await api('quan-ly', 'POST', `/services/${ID}/publish`);
        assert.equal(refused.body.code, 'breaking_change', part);
        assert.deepEqual(
          refused.body.errors.map(({ pointer, keyword }: any) => [pointer, keyword]),
          [[`/${part}`, 'unreadable']],
        );
      }
    });

    it('counts each call once, also after a restart, and forgets what is long ago', async () => {
      await call();
      await counted(1);
      await gateway.close();
      gateway = await startTestGateway(test, {}, { clock });
      await call();
      await counted(2);
      clock.at += 91 * DAY;
      const { body } = await api('quan-ly', 'GET', `/services/${ID}/consumers`);
      assert.deepEqual(body.items, []);
      assert.equal((await draft(BROKEN)).status, 200);
      const refused = await api('quan-ly', 'POST', `/services/${ID}/publish`);
      assert.equal(refused.body.code, 'breaking_change', 'a contract holds also for those who are silent');
      assert.deepEqual(refused.body.rule.affected, []);
    });

    it('shows nobody’s callers to another provider', async () => {
      for (const path of ['consumers', 'comparison'])
        assert.equal((await api('so-khac', 'GET', `/services/${ID}/${path}`)).body.code, 'role_required');
      const end = { sunsetOn: '2026-12-31', reason: 'x' };
      assert.equal(
        (await api('so-khac', 'POST', `/services/${ID}/deprecate`, end)).body.code,
        'role_required',
      );
    });

    it('ends a service on its last day: told in every answer, to those who use it, and refused from then on', async () => {
      await call();
      await counted(1);
      const soon = await api('so-noi-vu', 'POST', `/services/${ID}/deprecate`, {
        sunsetOn: '2026-04-01',
        reason: 'x',
      });
      assert.equal(soon.body.errors[0].pointer, '/body/sunsetOn');
      const nowhere = await api('so-noi-vu', 'POST', `/services/${ID}/deprecate`, {
        ...{ sunsetOn: '2026-06-30', successor: 'H35.11/thu/v9', reason: 'x' },
      });
      assert.equal(nowhere.body.errors[0].pointer, '/body/successor');
      const next = await draft(BROKEN, '2.0.0');
      assert.equal(next.status, 201, JSON.stringify(next.body));
      await api('quan-ly', 'POST', '/services/H35.11/thu/v2/publish');
      const plan = { sunsetOn: '2026-06-30', successor: 'H35.11/thu/v2', reason: 'Thay bằng phiên bản 2' };
      const ending = await api('so-noi-vu', 'POST', `/services/${ID}/deprecate`, plan);
      assert.equal(ending.status, 200, JSON.stringify(ending.body));
      assert.deepEqual(ending.body.deprecation, {
        since: '2026-03-02T02:00:00.000Z',
        ...{ sunsetOn: '2026-06-30', successor: 'H35.11/thu/v2', reason: 'Thay bằng phiên bản 2' },
      });
      const notices = await test.database.knex('notices').where({ kind: 'service_deprecated' });
      assert.deepEqual(
        notices.map(({ agency }) => agency),
        ['H35.61'],
        'only those who use it',
      );
      for (const plane of ['data', 'sandbox']) {
        const { headers, status } = await call(plane);
        assert.equal(status, 200);
        assert.equal(headers.get('deprecation'), '@1772416800');
        assert.equal(headers.get('sunset'), 'Tue, 30 Jun 2026 17:00:00 GMT');
        assert.match(
          headers.get('link') ?? '',
          /rel="deprecation".*<[^>]+\/data\/H35\.11\/thu\/v2>; rel="successor-version"/,
        );
      }
      clock.at = Date.parse('2026-06-30T16:59:59Z');
      assert.equal((await call()).status, 200);
      clock.at += 1000;
      const over = await call();
      assert.equal(over.status, 410);
      assert.equal(((await over.json()) as { code: string }).code, 'service_retired');
      assert.ok(over.headers.has('sunset'), 'and says where to go');
      const retired = await eventually(async () => {
        const { body } = await api('quan-ly', 'GET', `/services/${ID}`);
        return body.state === 'retired' ? body : undefined;
      }, 'the end is noted');
      assert.equal(retired.stateReason, 'Thay bằng phiên bản 2');
      await eventually(async () => {
        const acts = (await allRecords(test.database)).filter(
          ({ plane, operation }) => plane === 'system' && operation === 'retireService',
        );
        assert.ok(acts.length <= 1, 'once');
        return acts[0];
      }, 'the end is recorded');
    });

    it('can be taken back before the last day', async () => {
      const none = await api('so-noi-vu', 'POST', `/services/${ID}/undeprecate`, { reason: 'x' });
      assert.equal(none.body.code, 'conflict');
      const plan = (sunsetOn: string) =>
        api('so-noi-vu', 'POST', `/services/${ID}/deprecate`, { sunsetOn, reason: 'x' });
      assert.equal((await plan('2026-06-30')).status, 200);
      clock.at = Date.parse('2026-06-20T00:00:00Z');
      assert.equal((await plan('2026-07-15')).status, 200, 'moved away');
      assert.equal((await plan('2026-07-15')).status, 200, 'told again');
      assert.equal((await plan('2026-07-10')).status, 400, 'not nearer than there is time');
      const back = await api('so-noi-vu', 'POST', `/services/${ID}/undeprecate`, { reason: 'Vẫn cần' });
      assert.equal(back.body.deprecation, null);
      assert.equal((await call()).headers.get('sunset'), null);
      clock.at = Date.parse('2026-07-16T00:00:00Z');
      assert.equal((await call()).status, 200);
    });
  });
}
