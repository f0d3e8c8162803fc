import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { addAgency, addPaper, addService, addSystem, PAPER, DOCUMENT } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const redisUrl = process.env['LGSP_TEST_REDIS_URL'];
const postgres = engines.find(({ name }) => name === 'PostgreSQL');
/** The counts of one run must not meet those of another in a shared Redis. */
const run = randomBytes(4).toString('hex');
const CONSUMER = `consumer-${run}`;
const LIMITED = `limited-${run}`;
const S = `/data/H35.11/thu-${run}/v1`;

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const REASON = { reason: 'Văn bản số 12/SKHCN-BĐCN', document: PAPER };

describe('two nodes on one PostgreSQL and one Redis', () => {
  let test: TestDatabase | undefined;
  let source: Source;
  let a: TestGateway;
  let b: TestGateway;
  const answered: string[] = [];

  before(async function () {
    if (postgres === undefined || redisUrl === undefined) return this.skip();
    test = await postgres.create();
    source = await startSource();
    const { database } = test;
    await addAgency(database, 'H35.11');
    await addPaper(database, 'H35.11');
    await addSystem(database, CONSUMER, 'H35.11');
    await addSystem(database, LIMITED, 'H35.11', { limit: { calls: 10, seconds: 3600 } });
    await addSystem(database, 'desk', 'H35.11', { roles: ['operator', 'manager'] });
    await addService(database, source.url, { slug: `thu-${run}` });
    // Nobody's hand but the product's carries a change over: the second node looks as often as it does by default.
    a = await startTestGateway(test, { redisUrl });
    b = await startTestGateway(test, { redisUrl, publicUrl: a.url, refreshMs: 250 });
    for (const { gateway } of [a, b]) {
      await eventually(async () => {
        const text = await (await fetch(`${gateway.url}/readyz`)).text();
        return text.includes('redis ready') ? true : undefined;
      }, 'Redis answers');
    }
  });

  after(async () => {
    if (test === undefined) return;
    await a.close();
    await b.close();
    await source.close();
    await test.drop();
  });

  const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });

  /** What a call meets at a node: its status, and the code of a refusal. */
  async function meets(
    node: TestGateway,
    client: string | null,
    path: string,
    init?: RequestInit,
  ): Promise<string> {
    const response = await node.call(client, path, init);
    answered.push(response.headers.get('lgsp-record') ?? 'none');
    const { code } = (await response.json()) as { code?: string };
    return response.ok ? String(response.status) : `${response.status} ${code}`;
  }

  async function act(path: string, init: RequestInit): Promise<void> {
    const response = await a.call('desk', `/api${path}`, init);
    answered.push(response.headers.get('lgsp-record') ?? 'none');
    assert.ok(response.ok, `${path}: ${await response.text()}`);
  }

  /** Looks every 50 ms, a second long. */
  async function withinASecond(look: () => Promise<string>, expected: string): Promise<void> {
    let found = '';
    for (let tries = 0; tries < 20; tries += 1) {
      found = await look();
      if (found === expected) return;
      await pause(50);
    }
    assert.equal(found, expected, 'not within a second');
  }

  it('accept one another’s tokens', async () => {
    assert.equal(await meets(b, null, `${S}/ok`, bearer(await a.token(CONSUMER))), '200');
    assert.equal(await meets(a, null, `${S}/ok`, bearer(await b.token(CONSUMER))), '200');
  });

  it('publish the same keys', async () => {
    const keys = async ({ gateway }: TestGateway) => await (await fetch(`${gateway.url}/oidc/jwks`)).json();
    assert.deepEqual(await keys(a), await keys(b));
  });

  it('refuse a system within a second of its lock at the other one', async () => {
    const call = () => meets(b, CONSUMER, `${S}/ok`);
    assert.equal(await call(), '200');
    await act(`/systems/${CONSUMER}/lock`, json(REASON));
    assert.equal(await meets(a, CONSUMER, `${S}/ok`), '403 client_locked');
    await withinASecond(call, '403 client_locked');
    await act(`/systems/${CONSUMER}/unlock`, json(REASON));
    await withinASecond(call, '200');
  });

  it('answer a service within a second of its publication at the other one', async () => {
    const id = `H35.11/moi-${run}/v1`;
    const manifest = {
      provider: 'H35.11',
      slug: `moi-${run}`,
      version: '1.0.0',
      title: 'Dịch vụ mới',
      sharing: 'default',
      classification: 'internal',
      connector: { kind: 'http', settings: { baseUrl: source.url } },
      operations: { read: { path: '/{path.act}' }, write: { path: '/{path.act}/write' } },
    };
    await act('/services', json({ manifest, document: DOCUMENT }));
    await act(`/services/${id}/publish`, { method: 'POST' });
    assert.equal(await meets(a, CONSUMER, `/data/${id}/ok`), '200');
    await withinASecond(() => meets(b, CONSUMER, `/data/${id}/ok`), '200');
  });

  it('count one limit together', async () => {
    const calls = Array.from({ length: 16 }, (_, i) => meets(i % 2 === 0 ? a : b, LIMITED, `${S}/ok`));
    const found = await Promise.all(calls);
    assert.equal(found.filter((status) => status === '200').length, 10, found.join(', '));
    assert.equal(found.filter((status) => status === '429 rate_limited').length, 6, found.join(', '));
  });

  it('write one log, without gaps, that verifies', async () => {
    const write = json({ code: '03532', name: 'Pu Sam Cáp' });
    const calls = Array.from({ length: 60 }, (_, i) =>
      i % 3 === 0
        ? meets(i % 2 === 0 ? a : b, CONSUMER, `${S}/ok/write`, write)
        : meets(i % 2 === 0 ? a : b, CONSUMER, `${S}/ok`),
    );
    assert.deepEqual([...new Set(await Promise.all(calls))], ['200']);
    const closings = (await soundLog((test as TestDatabase).database)).filter(
      ({ kind }) => kind !== 'opening',
    );
    assert.deepEqual(closings.map(({ id }) => id).toSorted(), answered.toSorted());
  });
});
