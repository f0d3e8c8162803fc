import assert from 'node:assert/strict';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { addAgency, addPaper, addService, addSystem, PAPER, DOCUMENT } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const CALLERS = 4;
const ROUNDS = 2;

const json = (method: string, body?: unknown): RequestInit => ({
  method,
  ...(body === undefined
    ? {}
    : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
});
const REASON = { reason: 'Văn bản số 12/SKHCN-BĐCN', document: PAPER };
const READ_ONLY = { ...DOCUMENT, paths: { '/{act}': DOCUMENT.paths['/{act}'] } };

for (const engine of engines) {
  describe(`changes while calls run, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;
    let running = true;
    let answers = 0;
    const failed: string[] = [];
    let callers: Promise<void>[] = [];

    before(async () => {
      test = await engine.create();
      source = await startSource();
      const { database } = test;
      await addAgency(database, 'H35.11');
      await addPaper(database, 'H35.11');
      await addAgency(database, 'H35.12');
      await addSystem(database, 'steady', 'H35.12');
      await addSystem(database, 'other', 'H35.12');
      await addSystem(database, 'desk', 'H35.11', { roles: ['operator', 'manager'] });
      await addService(database, source.url, { slug: 'deu' });
      await addService(database, source.url, { slug: 'khac' });
      const many = { calls: 10_000_000, seconds: 3600 };
      gateway = await startTestGateway(test, { limits: { system: many, service: many } });
      // The first call of a service opens its source; the load begins after it.
      await callSteadily();
      callers = Array.from({ length: CALLERS }, async () => {
        for (let count = 0; running && count < 1_000_000; count += 1) await callSteadily();
      });
    });

    after(async () => {
      running = false;
      await Promise.all(callers);
      await gateway.close();
      await source.close();
      await test.drop();
    });

    async function callSteadily(): Promise<void> {
      const response = await gateway.call('steady', '/data/H35.11/deu/v1/ok');
      const text = await response.text();
      answers += 1;
      if (response.status !== 200) failed.push(text);
    }

    /** An act of the management API that must succeed. */
    async function act(path: string, init: RequestInit = json('POST')): Promise<void> {
      const response = await gateway.call('desk', `/api${path}`, init);
      assert.ok(response.ok, `${path}: ${await response.text()}`);
    }

    /** What a call meets now: its status, and the code of a refusal. */
    async function meets(client: string, path: string, init?: RequestInit): Promise<string> {
      const response = await gateway.call(client, path, init);
      const { code } = (await response.json()) as { code?: string };
      return response.ok ? String(response.status) : `${response.status} ${code}`;
    }

    const manifest = (slug: string, operations: readonly string[]) => ({
      provider: 'H35.11',
      slug,
      version: '1.0.0',
      title: 'Dịch vụ mới',
      sharing: 'default',
      classification: 'internal',
      connector: { kind: 'http', settings: { baseUrl: source.url } },
      operations: Object.fromEntries(
        operations.map((id) => [id, { path: id === 'read' ? '/{path.act}' : '/{path.act}/write' }]),
      ),
    });
    const write = json('POST', { code: '03532', name: 'Pu Sam Cáp' });

    for (let round = 1; round <= ROUNDS; round += 1) {
      const slug = `moi-${round}`;
      const service = `H35.11/${slug}/v1`;

      it(`round ${round}: a new service answers as soon as it is published`, async () => {
        const content = { manifest: manifest(slug, ['read']), document: READ_ONLY };
        assert.equal(await meets('other', `/data/${service}/ok`), '404 service_not_found');
        await act('/services', json('POST', content));
        assert.equal(await meets('other', `/data/${service}/ok`), '404 service_not_found');
        await act(`/services/${service}/publish`);
        assert.equal(await meets('other', `/data/${service}/ok`), '200');
      });

      it(`round ${round}: a new revision is in force as soon as it is published`, async () => {
        const path = `/data/${service}/ok/write`;
        const content = { manifest: manifest(slug, ['read', 'write']), document: DOCUMENT };
        assert.equal(await meets('other', path, write), '404 operation_not_found');
        await act(`/services/${service}/draft`, json('PUT', content));
        assert.equal(await meets('other', path, write), '404 operation_not_found');
        await act(`/services/${service}/publish`);
        assert.equal(await meets('other', path, write), '200');
      });

      it(`round ${round}: a lock holds at once, and so does its end`, async () => {
        await act('/systems/other/lock', json('POST', REASON));
        assert.equal(await meets('other', '/data/H35.11/deu/v1/ok'), '403 client_locked');
        await act('/systems/other/unlock', json('POST', REASON));
        assert.equal(await meets('other', '/data/H35.11/deu/v1/ok'), '200');
      });

      it(`round ${round}: a suspension holds at once, and so does its end`, async () => {
        await act('/services/H35.11/khac/v1/suspend', json('POST', { reason: REASON.reason }));
        assert.equal(await meets('other', '/data/H35.11/khac/v1/ok'), '503 service_suspended');
        await act('/services/H35.11/khac/v1/resume');
        assert.equal(await meets('other', '/data/H35.11/khac/v1/ok'), '200');
      });
    }

    it('no call of another system to another service noticed', async () => {
      running = false;
      await Promise.all(callers);
      assert.deepEqual(failed, []);
      assert.ok(answers > CALLERS * ROUNDS * 4, `only ${answers} calls ran meanwhile`);
      await soundLog(test.database);
    });
  });
}
