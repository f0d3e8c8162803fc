import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { type ChildGateway, startChildGateway } from '../kit/child-gateway.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, testClient, testSettings } from '../kit/gateway.js';
import { soundLog } from '../kit/log.js';
import { freePort } from '../kit/ports.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { GOOD, type Source, startSource } from '../kit/source.js';

const S = '/data/H35.11/thu/v1';
const CALLERS = 16;
const KILLS = { SQLite: 20, PostgreSQL: 8 };
/** Ahead of every call of the test: a node that starts then sees that nobody else works on them any more. */
const LATER_MS = 600_000;

interface Answered {
  readonly id: string;
  readonly status: number;
}

const write: RequestInit = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(GOOD),
};

for (const engine of engines) {
  const kills = KILLS[engine.name];

  describe(`a gateway that is killed, on ${engine.name}`, function () {
    this.timeout(600_000);
    let test: TestDatabase;
    let source: Source;
    let gateway: ChildGateway;
    let settings: Record<string, unknown>;
    const answered: Answered[] = [];
    let records: AuditRecord[] = [];

    before(async () => {
      test = await engine.create();
      source = await startSource();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'consumer', 'H35.11');
      await addService(test.database, source.url, { settings: { breaker: { calls: 10_000 } } });
      const many = { calls: 10_000_000, seconds: 3600 };
      settings = {
        ...testSettings(test, await freePort()),
        limits: { system: many, service: many, address: many },
      };
      // What the killed process left in the journal is for the next one to recover, not for this one to hold open.
      await test.database.close();
      gateway = await startChildGateway(settings);
    });

    after(async () => {
      await gateway.kill();
      await source.close();
      await test.drop();
    });

    /** One call; what was answered is kept, a broken connection is not an answer. */
    async function callOnce(token: string, path: string, init: RequestInit): Promise<void> {
      const headers = new Headers(init.headers);
      headers.set('authorization', `Bearer ${token}`);
      const response = await fetch(`${gateway.url}${path}`, { ...init, headers }).catch(() => null);
      if (response === null) {
        await pause(20);
        return;
      }
      answered.push({ id: response.headers.get('lgsp-record') ?? 'none', status: response.status });
      await response.arrayBuffer().catch(() => undefined);
    }

    it(`${kills} times under load, starts again on what it left`, async () => {
      const token = await testClient(gateway.url, gateway.url.replace('127.0.0.1', 'localhost')).token(
        'consumer',
      );
      let running = true;
      const callers = Array.from({ length: CALLERS }, async (_, number) => {
        for (let count = number; running && count < 1_000_000; count += 1) {
          if (number % 4 === 0) await callOnce(token, `${S}/wait/write`, write);
          else
            await callOnce(
              token,
              number % 4 === 1 ? `${S}/ok/write` : `${S}/ok`,
              number % 4 === 1 ? write : {},
            );
        }
      });
      try {
        for (let killed = 0; killed < kills; killed += 1) {
          const before = answered.length;
          // Some fall while they are still waking up, most while they answer.
          if (killed % 5 !== 4)
            await eventually(() => (answered.length > before ? true : undefined), 'an answer');
          await pause(Math.random() * 300);
          assert.equal(gateway.ended(), null, 'it fell by itself');
          await gateway.kill();
          gateway = await startChildGateway(settings);
        }
      } finally {
        running = false;
        await Promise.all(callers);
      }
      assert.ok(answered.length > kills * 4, `only ${answered.length} answers`);
      assert.deepEqual(
        answered.filter(({ status }) => status !== 200),
        [],
      );
    });

    it('has a log without gaps that verifies', async () => {
      await gateway.kill();
      gateway = await startChildGateway(settings, { aheadMs: LATER_MS });
      records = await soundLog(test.again());
    });

    it('has exactly one closing record of every call that was answered', () => {
      const closings = new Map<string, number[]>();
      for (const { kind, id, status } of records)
        if (kind === 'closing') closings.set(id, [...(closings.get(id) ?? []), status ?? 0]);
      const wrong = answered.filter(({ id, status }) => {
        const [first, ...more] = closings.get(id) ?? [];
        return first !== status || more.length > 0;
      });
      assert.deepEqual(wrong, []);
    });

    it('let no write reach the source without an opening record', () => {
      const openings = records.filter(({ kind }) => kind === 'opening').length;
      const writes = source.seen.filter(({ method }) => method === 'POST').length;
      assert.ok(writes > 0 && writes <= openings, `${writes} writes, ${openings} openings`);
    });

    it('closed every call that was cut off, once, as interrupted', () => {
      const openings = records.filter(({ kind }) => kind === 'opening').map(({ id }) => id);
      const closed = records.flatMap(({ opening }) => opening ?? []);
      assert.deepEqual(closed.toSorted(), openings.toSorted());
      const interrupted = records.filter(({ code }) => code === 'interrupted');
      assert.ok(interrupted.length > 0, 'no call was cut off');
      for (const { kind, outcome, opening } of interrupted)
        assert.deepEqual([kind, outcome, typeof opening], ['closing', 'failed', 'string']);
    });
  });
}
