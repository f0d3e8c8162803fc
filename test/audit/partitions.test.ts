import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { addMonths, dropEmptyPartitions, partitionKeeper } from '../../gateway/audit/partitions.js';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { searchRecords } from '../../gateway/audit/search.js';
import { derivedUuid, uuidv7 } from '../../gateway/base/ids.js';
import { Problem } from '../../gateway/base/problem.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { insertRecords } from './bulk.js';
import { startLog, tamper, verify } from './log.js';
import { aRecord } from './records.js';

const STEP = '0024-monthly-partitions';
const EARLY_2026 = [0, 1, 2, 3].map((month) => Date.UTC(2026, month, 10));
const postgres = engines.find((engine) => engine.name === 'PostgreSQL');

const received = (at: number, change: Partial<AuditRecord> = {}): AuditRecord =>
  aRecord({ id: uuidv7(at), received: new Date(at).toISOString(), ...change });

const nameOf = (at: number): string => {
  const there = new Date(at + 7 * 3_600_000).toISOString();
  return `records_${there.slice(0, 4)}_${there.slice(5, 7)}`;
};

/** Which table holds each record. */
async function placesOf(knex: Knex): Promise<Record<string, string>> {
  const { rows } = await knex.raw<{ rows: { id: string; place: string }[] }>(
    'SELECT id, tableoid::regclass::text AS place FROM records',
  );
  return Object.fromEntries(rows.map(({ id, place }) => [id, place]));
}

async function partitionsOf(knex: Knex): Promise<string[]> {
  const { rows } = await knex.raw<{ rows: { name: string }[] }>(
    `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'records'::regclass ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}

/** What stands on one table: columns, indexes with their constraints, and triggers. */
async function shapeOf(knex: Knex, table: string): Promise<unknown> {
  const ask = async (sql: string) => (await knex.raw<{ rows: unknown[] }>(sql, [table])).rows;
  return {
    columns: await ask(`SELECT attname, atttypid::regtype::text, atttypmod, attnotnull FROM pg_attribute
      WHERE attrelid = ?::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`),
    indexes: await ask(
      'SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ? AND schemaname = current_schema() ORDER BY 1',
    ),
    constraints: await ask(
      'SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = ?::regclass ORDER BY 1',
    ),
    triggers: await ask(`SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger
      WHERE tgrelid = ?::regclass AND NOT tgisinternal ORDER BY 1`),
    grants: await ask('SELECT relacl::text FROM pg_class WHERE oid = ?::regclass'),
  };
}

const refused = /append-only/;

async function assertGuarded(knex: Knex, table: string): Promise<void> {
  await assert.rejects(async () => await knex(table).update({ leaf: '' }), refused, `${table}: update`);
  await assert.rejects(async () => await knex(table).delete(), refused, `${table}: delete`);
  await assert.rejects(async () => await knex.raw('TRUNCATE ??', [table]), refused, `${table}: truncate`);
}

/** The rows up to a place have left for a segment, as archiving lets them. */
async function seal(knex: Knex, to: number, lastAt: number): Promise<void> {
  await knex('log_segments').insert({
    ...{ from_seq: 0, to_seq: to, first_at: 0, last_at: lastAt, sealed_at: lastAt, name: 's', sha256: '' },
  });
  await knex('records').where('seq', '<', to).delete();
}

if (postgres !== undefined) {
  describe('the log by months', () => {
    let test: TestDatabase;
    let knex: Knex;
    const open: Recorder[] = [];
    const write = async (records: readonly AuditRecord[]): Promise<void> => {
      const recorder = await startLog(test.database);
      open.push(recorder);
      for (const record of records) await recorder.write(record);
    };
    const addAll = async (): Promise<void> => {
      assert.equal(await addMonths(knex, EARLY_2026[0] as number), true);
    };
    const assertHolds = async (size: number): Promise<void> => {
      const { ok, size: found, fault } = await verify(test.database);
      assert.deepEqual([ok, found, fault], [true, size, undefined]);
    };

    beforeEach(async () => {
      test = await postgres.create();
      knex = test.database.knex;
    });
    afterEach(async () => {
      for (const recorder of open.splice(0)) await recorder.close();
      await test.drop();
    });

    it('puts each record into the month of Asia/Ho_Chi_Minh in which it was received', async () => {
      await addAll();
      const midnight = Date.UTC(2026, 1, 28, 17);
      const times = [...EARLY_2026, midnight - 1, midnight];
      const records = times.map((at) => received(at));
      await write(records);
      const places = await placesOf(knex);
      assert.deepEqual(
        records.map(({ id }) => places[id]),
        times.map(nameOf),
      );
      assert.equal(nameOf(midnight - 1), 'records_2026_02');
      await assertHolds(records.length);
    });

    it('writes, proves and finds a record whatever the clock said', async () => {
      await addAll();
      const records = [0, Date.UTC(1931, 0, 1), Date.UTC(2126, 5, 1), Date.UTC(9999, 11, 31)].map((at) =>
        received(at),
      );
      await write(records);
      assert.deepEqual(new Set(Object.values(await placesOf(knex))), new Set(['records_default']));
      await assertHolds(4);
      const { items } = await searchRecords(test.database, {}, { all: true });
      assert.deepEqual(
        items.map(({ received: at }) => at.slice(0, 4)),
        ['9999', '2126', '1970', '1931'],
      );
    });

    it('guards every partition, also against statements that name it', async () => {
      await addAll();
      await write([...EARLY_2026, Date.now(), 0].map((at) => received(at)));
      for (const table of await partitionsOf(knex)) {
        assert.ok((await knex(table).first('seq')) !== undefined, `${table} holds a record`);
        await assertGuarded(knex, table);
      }
      await assertGuarded(knex, 'records');
    });

    it('lets a node that starts bring what an older one wrote, and takes it back, with all that stood on the table', async () => {
      await knex.migrate.down({ name: STEP });
      await knex.raw('GRANT SELECT ON records TO PUBLIC');
      const plain = await shapeOf(knex, 'records');
      const times = [Date.UTC(2024, 3, 1), ...EARLY_2026, Date.now(), Date.UTC(2199, 1, 1)];
      await write(times.map((at) => received(at)));
      const rows = await knex('records').orderBy('seq');
      await knex.migrate.up({ name: STEP });
      assert.deepEqual(await knex('records').orderBy('seq'), rows);
      await assertHolds(rows.length);
      assert.match((await partitionsOf(knex)).join(), /^records_default,records_to_\d{4}_\d\d$/);
      assert.ok((await knex('records_default').first('seq')) !== undefined, 'a time to come is in no month');
      for (const table of ['records', ...(await partitionsOf(knex))]) await assertGuarded(knex, table);
      await addMonths(knex, Date.now());
      await write([received(Date.now())]);
      await knex.migrate.down({ name: STEP });
      assert.deepEqual((await knex('records').orderBy('seq')).slice(0, -1), rows);
      assert.deepEqual(await shapeOf(knex, 'records'), plain);
      await assertGuarded(knex, 'records');
      await assertHolds(rows.length + 1);
    });

    it('keeps the table that was there as it lies', async () => {
      await knex.migrate.down({ name: STEP });
      await write([received(Date.UTC(2026, 0, 10))]);
      const file = async (table: string) =>
        (await knex.raw<{ rows: { f: number }[] }>('SELECT pg_relation_filenode(?::regclass) AS f', [table]))
          .rows[0]?.f;
      const before = await file('records');
      const pages = (shape: unknown) => (shape as { indexes: unknown[] }).indexes.length;
      const indexes = pages(await shapeOf(knex, 'records'));
      await knex.migrate.up({ name: STEP });
      const old = (await partitionsOf(knex)).find((name) => name.startsWith('records_to_')) as string;
      assert.equal(await file(old), before);
      assert.equal(pages(await shapeOf(knex, old)), indexes, 'no index twice');
    });

    it('refuses an id that another record has, in the same month and in another', async () => {
      await addAll();
      const [january, march] = [Date.UTC(2026, 0, 10), Date.UTC(2026, 2, 10)];
      for (const id of [uuidv7(january), derivedUuid('a')]) {
        const first = received(january, { id });
        await write([first]);
        const recorder = open.at(-1) as Recorder;
        const size = (await knex('records').count({ n: '*' }).first())?.['n'] as number;
        for (const at of [january + 1, march, 0]) {
          const [other, same, innocent] = await Promise.allSettled([
            recorder.write(received(at, { id })),
            recorder.write(first),
            recorder.write(received(march)),
          ]);
          assert.ok(
            other.status === 'rejected' && other.reason instanceof Problem,
            new Date(at).toISOString(),
          );
          assert.equal(other.reason.code, 'record_unavailable');
          assert.equal(same.status, 'fulfilled', 'the same record is written already');
          assert.equal(innocent.status, 'fulfilled');
        }
        assert.equal((await knex('records').count({ n: '*' }).first())?.['n'], size + 3);
      }
      await assertHolds(8);
    });

    it('keeps one of the same records that two nodes write', async () => {
      await addAll();
      const same = received(Date.UTC(2026, 4, 1), { id: derivedUuid('hand-over') });
      const nodes = await Promise.all([startLog(test.database), startLog(test.again())]);
      open.push(...nodes);
      const places = await Promise.all(nodes.map((node) => node.write(same)));
      assert.deepEqual(new Set(places.map(({ index }) => index)), new Set([0]));
      await assertHolds(1);
    });

    it('does not append to records that end elsewhere than their head', async () => {
      await addAll();
      await write(EARLY_2026.map((at) => received(at)));
      const recorder = open.at(-1) as Recorder;
      await tamper(test.database, () => knex('records').where({ seq: 3 }).delete());
      await assert.rejects(recorder.write(received(Date.UTC(2026, 3, 3))), Problem);
      assert.equal(
        await knex('records')
          .max('seq')
          .first()
          .then((row) => row?.['max']),
        2,
      );
      await insertRecords(test.database, [received(1), received(2)], 3);
      await assert.rejects(recorder.write(received(Date.UTC(2026, 3, 3))), Problem, 'a record past the head');
      await assert.rejects(startLog(test.database), /holds 5 records, its last checkpoint says 4/);
    });

    it('goes on behind records that have all left', async () => {
      await addAll();
      const recorder = await startLog(test.database);
      open.push(recorder);
      const at = Date.UTC(2026, 0, 10);
      await Promise.all(Array.from({ length: 256 }, (_, i) => recorder.write(received(at + i))));
      await seal(knex, 256, at + 255);
      assert.equal((await recorder.write(received(at))).index, 256);
      await recorder.close();
      await write([received(at)]);
      assert.deepEqual(await knex('records').orderBy('seq').pluck('seq'), [256, 257]);
    });

    describe('that are to come', () => {
      const ahead = Date.UTC(2031, 10, 30, 17);
      const expected = ['records_2031_12', 'records_2032_01', 'records_2032_02', 'records_2032_03'];
      const made = async () => (await partitionsOf(knex)).filter((name) => /203\d/.test(name));

      it('are made by any number of nodes at once, once', async () => {
        const nodes = [knex, test.again().knex, test.again().knex];
        const asked = (one: Knex) => partitionKeeper({ ...test.database, knex: one });
        const keepers = nodes.map(asked);
        // Who does not get a turn comes again, as the schedule does.
        for (let round = 0; round < 4; round += 1) await Promise.all(keepers.map((keep) => keep(ahead)));
        assert.deepEqual(await made(), expected);
        assert.deepEqual(
          await shapeNames(knex, 'records_2031_12'),
          await shapeNames(knex, 'records_default'),
        );
      });

      it('take over what a wrong clock wrote, and the guard holds', async () => {
        const early = [ahead, ahead + 5, Date.UTC(2032, 1, 1)].map((at) => received(at));
        await write([...early, received(Date.UTC(2040, 0, 1))]);
        assert.equal(await addMonths(knex, ahead), true);
        const places = await placesOf(knex);
        assert.deepEqual(
          early.map(({ id }) => places[id]),
          ['records_2031_12', 'records_2031_12', 'records_2032_02'],
        );
        for (const table of ['records_2031_12', 'records_2032_02', 'records_default'])
          await assertGuarded(knex, table);
        await assertHolds(4);
      });

      it('wait for nobody who holds the table, and come the next time', async () => {
        const reader = await test.again().knex.transaction();
        await reader('records_default').first();
        assert.equal(await addMonths(knex, ahead), false);
        await write([received(ahead)]);
        await reader.rollback();
        assert.equal(await addMonths(knex, ahead), true);
        assert.deepEqual(await made(), expected);
        await assertHolds(1);
      });
    });

    describe('that are over', () => {
      const [january, february] = [Date.UTC(2026, 0, 10), Date.UTC(2026, 1, 10)];
      const past = async () => (await partitionsOf(knex)).filter((name) => /2026_0[123]$/.test(name));

      beforeEach(async () => {
        await addAll();
        const recorder = await startLog(test.database);
        open.push(recorder);
        await Promise.all(Array.from({ length: 256 }, (_, i) => recorder.write(received(january + i))));
        await recorder.write(received(february));
      });

      it('stay while they hold a record, or the sealed range has not gone past them', async () => {
        assert.deepEqual(await dropEmptyPartitions(knex), []);
        await seal(knex, 256, january + 255);
        assert.deepEqual(await dropEmptyPartitions(knex), []);
        assert.deepEqual(await past(), ['records_2026_01', 'records_2026_02', 'records_2026_03']);
      });

      it('are dropped once all has left; this month and those to come never are', async () => {
        await seal(knex, 256, Date.UTC(2299, 0, 1));
        const all = await partitionsOf(knex);
        const [one, two] = await Promise.all([
          dropEmptyPartitions(knex),
          dropEmptyPartitions(test.again().knex),
        ]);
        await dropEmptyPartitions(knex);
        const left = await partitionsOf(knex);
        assert.ok([...one, ...two].includes('records_2026_01'));
        assert.ok(left.includes('records_2026_02'), 'it holds a record');
        const thisMonth = nameOf(Date.now());
        assert.deepEqual(
          all.filter((name) => !left.includes(name)),
          all.filter((name) => name < thisMonth && name !== 'records_2026_02' && name !== 'records_default'),
        );
        const recorder = open.at(-1) as Recorder;
        const late = received(january);
        assert.equal((await recorder.write(late)).index, 257);
        assert.equal((await placesOf(knex))[late.id], 'records_default');
      });

      it('wait for nobody who reads', async () => {
        await seal(knex, 256, Date.UTC(2026, 1, 5));
        const reader = await test.again().knex.transaction();
        await reader('records').first();
        assert.deepEqual(await dropEmptyPartitions(knex), []);
        await reader.rollback();
        assert.deepEqual(await dropEmptyPartitions(knex), ['records_2026_01']);
      });
    });
  });
}

/** How many indexes, constraints and which triggers a partition has. */
async function shapeNames(knex: Knex, table: string): Promise<unknown> {
  const { indexes, constraints, triggers } = (await shapeOf(knex, table)) as Record<
    string,
    { tgname?: string }[]
  >;
  return [indexes?.length, constraints?.length, triggers?.map(({ tgname }) => tgname)];
}
