import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem } from '../kit/province.js';
import { cutAt, tamper } from './log.js';

interface Status {
  readonly ok: boolean | null;
  readonly size: number;
  readonly root: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly fault: { readonly index: number; readonly what: string } | null;
  readonly runningSince: string | null;
  readonly nextAt: string | null;
  readonly error: string | null;
}

/** Again and again, a round a second or so. */
const OFTEN = { verification: { everyHours: 1 / 3600, share: 1 } };
/** Once when a node starts, and not again in this test. */
const ONCE = { verification: { everyHours: 24, share: 1 } };

for (const engine of engines) {
  describe(`verifying the log beside the exchange, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    const running: TestGateway[] = [];

    beforeEach(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35');
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'thanh-tra', 'H35', { roles: ['auditor'] });
      await addSystem(test.database, 'khai-thac', 'H35.11');
    });
    afterEach(async () => {
      for (const gateway of running.splice(0)) await gateway.close();
      await test.drop();
    });

    const start = async (settings: Record<string, unknown>): Promise<TestGateway> => {
      const gateway = await startTestGateway(test, settings);
      running.push(gateway);
      return gateway;
    };
    const stop = async (gateway: TestGateway): Promise<void> => {
      running.splice(running.indexOf(gateway), 1);
      await gateway.close();
    };
    const status = async (gateway: TestGateway): Promise<Status> => {
      const answer = await gateway.call('thanh-tra', '/api/audit/log/status');
      assert.equal(answer.status, 200);
      return (await answer.json()) as Status;
    };
    const until = (gateway: TestGateway, met: (now: Status) => boolean, what: string): Promise<Status> =>
      eventually(async () => {
        const now = await status(gateway);
        return met(now) ? now : undefined;
      }, what);
    const holding = (gateway: TestGateway) => until(gateway, ({ ok }) => ok === true, 'it holds');
    const faulty = (gateway: TestGateway, what: string) =>
      until(gateway, ({ ok, fault }) => ok === false && fault?.what === what, `a fault: ${what}`);
    const someCalls = async (gateway: TestGateway, count = 5): Promise<void> => {
      for (let n = 0; n < count; n += 1) await gateway.call('khai-thac', '/api/me');
    };
    const gauge = async (gateway: TestGateway, name: string): Promise<number> => {
      const text = await (await fetch(`${gateway.gateway.url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? assert.fail(`no ${name}`));
    };
    const told = async (kind: string): Promise<string[]> => {
      const rows = await test.database.knex('notices').where({ kind, noun: 'log' }).orderBy('role');
      return rows.map(({ role }: { role: string }) => role);
    };
    const faultActs = async () =>
      (await allRecords(test.database)).filter(({ operation }) => operation === 'log_fault');
    const changeAgency = (seq: number, agency: string | null) =>
      tamper(test.database, (knex: Knex) => knex('records').where({ seq }).update({ agency }));

    it('proves it when a node starts, and shows what it proved', async () => {
      const first = await start(ONCE);
      await someCalls(first);
      await stop(first);
      const gateway = await start(ONCE);
      const before = Date.now();
      const found = await until(gateway, ({ ok, size }) => ok === true && size > 0, 'it was proved');
      const { root_hash } = await test.database
        .knex('log_checkpoints')
        .where({ tree_size: found.size })
        .first();
      assert.equal(found.root, (root_hash as Buffer).toString('base64'));
      assert.ok(found.startedAt !== null && found.finishedAt !== null && found.finishedAt >= found.startedAt);
      assert.ok(Date.parse(found.nextAt ?? '') > before + 23 * 3_600_000);
      assert.deepEqual([found.fault, found.error], [null, null]);
      await eventually(
        async () => ((await gauge(gateway, 'lgsp_log_holds')) === 1 ? true : undefined),
        'gauge',
      );
      assert.equal(await gauge(gateway, 'lgsp_log_verified_records'), found.size);
      assert.ok((await gauge(gateway, 'lgsp_log_verified_age_seconds')) < 60);
      assert.equal((await gateway.call('khai-thac', '/api/audit/log/status')).status, 403);
    });

    it('is verified by one of two nodes', async () => {
      const nodes = [await start(ONCE), await start(ONCE)];
      await holding(nodes[0]!);
      // The second one runs too where the first had ended before it began; then nobody does for a day.
      await eventually(async () => {
        const { leased_by, next_at } = await test.database.knex('log_watch').first('leased_by', 'next_at');
        return leased_by === null && Number(next_at) > Date.now() + 3_600_000 ? true : undefined;
      }, 'both rest');
      assert.deepEqual(await status(nodes[0]!), await status(nodes[1]!));
    });

    it('a record changed while it runs: an alarm once, and word when it is repaired', async () => {
      const gateway = await start(OFTEN);
      await someCalls(gateway);
      await holding(gateway);
      const { agency } = await test.database.knex('records').where({ seq: 3 }).first('agency');
      await changeAgency(3, 'H35.99');
      assert.equal((await faulty(gateway, 'columns')).fault?.index, 3);
      assert.equal(await gauge(gateway, 'lgsp_log_holds').then((holds) => holds < 2), true);
      await eventually(async () => ((await faultActs()).length > 0 ? true : undefined), 'an act');
      const { finishedAt } = await status(gateway);
      await until(gateway, (now) => (now.finishedAt ?? '') > (finishedAt ?? ''), 'one round more');
      assert.deepEqual(await told('log_fault'), ['auditor', 'manager', 'operator']);
      const acts = await faultActs();
      assert.equal(acts.length, 1);
      assert.deepEqual([acts[0]?.plane, acts[0]?.target?.noun], ['system', 'log']);
      assert.equal((acts[0]?.target?.after as { index: number }).index, 3);
      assert.equal((await gateway.call('khai-thac', '/api/me')).status, 200, 'the exchange goes on');
      await changeAgency(3, agency);
      await holding(gateway);
      assert.deepEqual(await told('log_holds'), ['auditor', 'manager', 'operator']);
      await changeAgency(3, 'H35.99');
      await faulty(gateway, 'columns');
      assert.equal((await told('log_fault')).length, 6, 'the same fault, come back, is told anew');
    });

    it('cut off with its checkpoints while no node ran: what was proved before tells', async () => {
      const first = await start(OFTEN);
      await someCalls(first, 10);
      await until(first, ({ ok, size }) => ok === true && size >= 10, 'ten are proved');
      await stop(first);
      await tamper(test.database, (knex) => cutAt(knex, 4));
      const again = await start(ONCE);
      const found = await until(again, ({ ok }) => ok === false, 'the cut is found');
      assert.ok(found.fault?.what === 'cut' || found.fault?.what === 'history', found.fault?.what);
      await eventually(async () => ((await told('log_fault')).length === 3 ? true : undefined), 'told');
    });

    it('cut off together with what the table remembers: the node that proved it knows', async () => {
      const gateway = await start(OFTEN);
      await someCalls(gateway, 10);
      await until(gateway, ({ ok, size }) => ok === true && size >= 10, 'ten are proved');
      await tamper(test.database, async (knex) => {
        await cutAt(knex, 4);
        await knex('log_watch').delete();
      });
      const row = await eventually(async () => {
        const found = await test.database.knex('log_watch').first();
        return found !== undefined && found.fault !== null ? found : undefined;
      }, 'the cut is found');
      assert.match(row.fault, /this node verified/);
    });

    it('that cannot be read is no fault of the log: it is tried again', async () => {
      const gateway = await start(OFTEN);
      await holding(gateway);
      const { knex } = test.database;
      await knex.schema.renameTable('record_subjects', 'subjects_away');
      const { ok, error, fault } = await eventually(async () => {
        const row = await knex('log_watch').first();
        return row.error === null ? undefined : row;
      }, 'it cannot be read');
      assert.deepEqual([Number(ok), fault], [1, null]);
      assert.match(error, /record_subjects/);
      await knex.schema.renameTable('subjects_away', 'record_subjects');
      await until(gateway, (now) => now.error === null && now.ok === true, 'it is read again');
      assert.deepEqual(await told('log_fault'), []);
    });

    it('left by a node that died: another takes over when the lease has ended', async () => {
      const row = { leased_by: 'gone', running_since: Date.now(), lease_until: Date.now() + 1500 };
      await test.database.knex('log_watch').insert({ name: 'log', ...row });
      const gateway = await start(OFTEN);
      assert.notEqual((await status(gateway)).runningSince, null);
      await holding(gateway);
    });

    it('is never verified where that is asked', async () => {
      const gateway = await start({ verification: { everyHours: 0 } });
      await someCalls(gateway);
      const { ok, nextAt } = await status(gateway);
      assert.deepEqual([ok, nextAt], [null, null]);
      assert.ok(Number.isNaN(await gauge(gateway, 'lgsp_log_holds')));
    });
  });
}
