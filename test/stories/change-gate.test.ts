import assert from 'node:assert/strict';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem, DOCUMENT } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const DAY = 86_400_000;
const ID = 'H35.11/thu/v1';

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

for (const engine of engines) {
  describe(`the gate of a change, on ${engine.name}`, () => {
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

    async function call(plane = 'data') {
      const token = await gateway.token('mot-cua', 'data');
      return await fetch(`${gateway.url}/${plane}/${ID}/ok`, {
        headers: { authorization: `Bearer ${token}` },
      });
    }

    async function draft(document: string, version = '1.1.0') {
      const manifest = (await api('so-noi-vu', 'GET', `/services/${ID}/manifest`)).body.manifest;
      const parsed = JSON.parse(document) as Record<string, any>;
      parsed['info'].version = version;
      const content = { manifest: { ...manifest, version }, document: JSON.stringify(parsed) };
      return version.startsWith('1')
        ? await api('so-noi-vu', 'PUT', `/services/${ID}/draft`, content)
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
