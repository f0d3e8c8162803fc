import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const redisUrl = process.env['LGSP_TEST_REDIS_URL'];
/** The counts of one run must not meet those of another in a shared Redis. */
const run = randomBytes(4).toString('hex');
const named = (name: string): string => `${name}-${run}`;

interface Refusal {
  readonly code: string;
  readonly rule: Record<string, unknown>;
}

for (const engine of engines) {
  for (const counter of redisUrl === undefined ? ['memory'] : ['memory', 'Redis']) {
    describe(`limits on ${engine.name}, counted in ${counter}`, () => {
      let test: TestDatabase;
      let source: Source;
      let gateway: TestGateway;
      const slug = (name: string): string => `${name}-${run}-${engine.name}-${counter}`.toLowerCase();
      const system = (name: string): string => slug(named(name));

      before(async () => {
        test = await engine.create();
        source = await startSource();
        const { database } = test;
        await addAgency(database, 'H35.11');
        await addSystem(database, system('three'), 'H35.11', { limit: { calls: 3, seconds: 3600 } });
        await addSystem(database, system('none'), 'H35.11', { limit: { calls: 0, seconds: 3600 } });
        for (const name of ['free', 'other']) await addSystem(database, system(name), 'H35.11');
        await addService(database, source.url, { slug: slug('thu') });
        const of = (limits: unknown) => ({ manifest: { limits } });
        await addService(database, source.url, {
          slug: slug('chung'),
          ...of({ service: { calls: 4, seconds: 3600 } }),
        });
        await addService(database, source.url, {
          slug: slug('rieng'),
          ...of({ system: { calls: 2, seconds: 3600 } }),
        });
        await addService(database, source.url, {
          slug: slug('dong'),
          ...of({ service: { calls: 0, seconds: 3600 } }),
        });
        gateway = await startTestGateway(test, counter === 'Redis' ? { redisUrl } : {});
        if (counter === 'Redis') await eventually(redisReady, 'Redis answers');
      });

      after(async () => {
        await gateway.close();
        await source.close();
        await test.drop();
      });

      async function redisReady(): Promise<true | undefined> {
        const text = await (await fetch(`${gateway.gateway.url}/readyz`)).text();
        return text.includes('redis ready') ? true : undefined;
      }

      const call = (client: string, service: string): Promise<Response> =>
        gateway.call(system(client), `/data/H35.11/${slug(service)}/v1/ok`);

      async function statuses(client: string, service: string, times: number): Promise<number[]> {
        const found: number[] = [];
        for (let i = 0; i < times; i += 1) {
          const response = await call(client, service);
          await response.arrayBuffer();
          found.push(response.status);
        }
        return found;
      }

      async function assertLimited(response: Response, name: string, calls: number): Promise<void> {
        const { code, rule } = (await response.json()) as Refusal;
        assert.deepEqual([response.status, code], [429, 'rate_limited']);
        assert.match(String(rule['id']), new RegExp(`^${name}:`));
        assert.deepEqual([rule['kind'], rule['calls'], rule['seconds']], ['limit', calls, 3600]);
        const wait = Number(response.headers.get('retry-after'));
        assert.ok(Number.isInteger(wait) && wait >= 1 && wait <= 3600, `Retry-After ${wait}`);
        const last = (await allRecords(test.database)).at(-1);
        assert.deepEqual(
          [last?.id, last?.outcome, last?.stage, last?.code],
          [response.headers.get('lgsp-record'), 'refused', 'limit', 'rate_limited'],
        );
      }

      it('say with every answer what is left of a system’s limit', async () => {
        for (const left of [2, 1, 0]) {
          const response = await call('three', 'thu');
          assert.equal(response.status, 200, await response.text());
          assert.match(
            response.headers.get('ratelimit-policy') ?? '',
            /^"system";q=3;w=3600, "service";q=60000;w=60$/,
          );
          const said = /^"system";r=(\d+);t=(\d+), "service";r=(\d+);t=(\d+)$/.exec(
            response.headers.get('ratelimit') ?? '',
          );
          assert.equal(Number(said?.[1]), left);
          assert.ok(Number(said?.[2]) > 3500 && Number(said?.[2]) <= 3600);
        }
      });

      it('refuse the next call, at any service, before the source sees it', async () => {
        const seen = source.seen.length;
        const response = await call('three', 'thu');
        assert.match(response.headers.get('ratelimit') ?? '', /^"system";r=0;/);
        await assertLimited(response, 'system', 3);
        await assertLimited(await call('three', 'chung'), 'system', 3);
        assert.equal(source.seen.length, seen);
      });

      it('of one system leave the others alone', async () => {
        assert.deepEqual(await statuses('free', 'thu', 5), [200, 200, 200, 200, 200]);
      });

      it('of no calls allow none', async () => {
        await assertLimited(await call('none', 'thu'), 'system', 0);
        await assertLimited(await call('free', 'dong'), 'service', 0);
      });

      it('of a service within its manifest count every system of its callers apart', async () => {
        assert.deepEqual(await statuses('free', 'rieng', 2), [200, 200]);
        await assertLimited(await call('free', 'rieng'), 'system-service', 2);
        assert.deepEqual(await statuses('other', 'rieng', 2), [200, 200]);
        assert.deepEqual(await statuses('free', 'thu', 1), [200]);
      });

      it('of a service are one for all its callers', async () => {
        // A service's limit is for the calls that it could answer: one refused for its system takes none of it.
        assert.deepEqual(await statuses('free', 'chung', 1), [200]);
        const rest = await statuses('other', 'chung', 4);
        assert.equal(rest.at(-1), 429);
        assert.equal(rest.filter((status) => status === 200).length, 3);
        await assertLimited(await call('other', 'chung'), 'service', 4);
      });
    });
  }

  describe(`a node that holds all the calls it can, on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'consumer', 'H35.11');
      await addService(test.database, source.url);
      gateway = await startTestGateway(test, { limits: { concurrentCalls: 1 } });
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    it('refuses one more, answers the one it has, and takes calls again', async () => {
      const path = '/data/H35.11/thu/v1';
      await gateway.call('consumer', `${path}/ok`);
      const seen = source.seen.length;
      const first = gateway.call('consumer', `${path}/wait`);
      await eventually(() => (source.seen.length > seen ? true : undefined), 'the source works');
      const second = await gateway.call('consumer', `${path}/ok`);
      const { code, rule } = (await second.json()) as Refusal;
      assert.deepEqual([second.status, code, rule['id']], [503, 'overloaded', 'concurrentCalls']);
      assert.equal(second.headers.get('retry-after'), '1');
      assert.equal((await first).status, 200);
      assert.equal((await gateway.call('consumer', `${path}/ok`)).status, 200);
      assert.equal(source.seen.length, seen + 2);
      const record = (await allRecords(test.database)).find(
        ({ id }) => id === second.headers.get('lgsp-record'),
      );
      assert.deepEqual([record?.outcome, record?.code], ['refused', 'overloaded']);
    });
  });
}
