import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { type Database, openDatabase } from '../../gateway/store/database.js';
import { type ChildGateway, prepareChildGateway, startChildGateway } from '../kit/child-gateway.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, testClient, testSettings } from '../kit/gateway.js';
import { assertSound } from '../kit/log.js';
import { freePort } from '../kit/ports.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { GOOD, type Source, startSource } from '../kit/source.js';

const S = '/data/H35.11/thu/v1';
const CALLERS = 16;
const asked = process.env['LGSP_TEST_KILLS'];
const KILLS = asked ? { SQLite: Number(asked), PostgreSQL: Number(asked) } : { SQLite: 20, PostgreSQL: 8 };
/** Every so many rounds the gateway falls while it is still waking up. */
const EARLY = 5;
const ROUND_MS = 60_000;
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

/**
 * Looks at what a killed gateway left. On SQLite at a copy: to open the file itself would do, ahead of the next gateway, what
 * that one has to do when it starts.
 */
async function lookAt(test: TestDatabase, look: (left: Database) => Promise<void>): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'lgsp-test-left-'));
  const sqlite = test.database.engine === 'sqlite';
  if (sqlite) cpSync(test.dataDir, copy, { recursive: true });
  const left = sqlite ? openDatabase({ dataDir: copy }) : test.again();
  try {
    await look(left);
  } finally {
    await left.close();
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Answers without the one closing record that says the same, of those that were released. */
async function unrecorded({ knex }: Database, answers: readonly Answered[]): Promise<Answered[]> {
  const found = new Map<string, number[]>();
  for (let at = 0; at < answers.length; at += 500) {
    const ids = answers.slice(at, at + 500).map(({ id }) => id);
    const rows = await knex<Answered & { kind: string }>('records')
      .where({ kind: 'closing' })
      .whereIn('id', ids)
      .select('id', 'status');
    for (const { id, status } of rows) found.set(id, [...(found.get(id) ?? []), status]);
  }
  return answers.filter(({ id, status }) => found.get(id)?.join() !== String(status));
}

for (const engine of engines) {
  const kills = KILLS[engine.name];

  describe(`a gateway that is killed, on ${engine.name}`, function () {
    this.timeout(60_000 + kills * ROUND_MS);
    let test: TestDatabase;
    let source: Source;
    let gateway: ChildGateway;
    let settings: Record<string, unknown>;
    const answered: Answered[] = [];
    let checked = 0;
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
        // One token serves all rounds.
        tokens: { ttlSeconds: 3600 },
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
        await pause(50);
        return;
      }
      answered.push({ id: response.headers.get('lgsp-record') ?? 'none', status: response.status });
      await response.arrayBuffer().catch(() => undefined);
    }

    async function callOnAndOn(token: string, number: number, running: () => boolean): Promise<void> {
      while (running()) {
        if (number % 4 === 0) await callOnce(token, `${S}/wait/write`, write);
        else if (number % 4 === 1) await callOnce(token, `${S}/ok/write`, write);
        else await callOnce(token, `${S}/ok`, {});
      }
    }

    /** What no round may leave: a gap, a log that does not verify, an answer without its record. */
    async function assertLeftSound(round: number): Promise<void> {
      const answers = answered.slice(checked);
      checked += answers.length;
      await lookAt(test, async (left) => {
        await assertSound(left);
        assert.deepEqual(await unrecorded(left, answers), [], `after kill ${round + 1}`);
      });
    }

    /** Kills it while it answers, or the one after it, too, while it starts. */
    async function killOnce(round: number): Promise<void> {
      const next = prepareChildGateway(settings);
      const before = answered.length;
      await eventually(() => (answered.length > before ? true : undefined), 'an answer');
      await pause(Math.random() * 300);
      assert.equal(gateway.ended(), null, 'it fell by itself');
      await gateway.kill();
      await assertLeftSound(round);
      if (round % EARLY !== EARLY - 1) {
        gateway = await next.start();
        return;
      }
      const starting = next.start().catch(() => null);
      await pause(Math.random() * 2000);
      await next.kill();
      await starting;
      await assertLeftSound(round);
      gateway = await startChildGateway(settings);
    }

    it(`${kills} times under load, starts again on what it left, which holds`, async () => {
      const token = await testClient(gateway.url, gateway.url.replace('127.0.0.1', 'localhost')).token(
        'consumer',
      );
      let running = true;
      const callers = Array.from({ length: CALLERS }, (_, i) => callOnAndOn(token, i, () => running));
      try {
        for (let round = 0; round < kills; round += 1) await killOnce(round);
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

    it('has a log without gaps that verifies, and in it every answer', async () => {
      await gateway.kill();
      gateway = await startChildGateway(settings, { aheadMs: LATER_MS });
      const database = test.again();
      await assertSound(database);
      assert.deepEqual(await unrecorded(database, answered), []);
      records = await allRecords(database);
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
