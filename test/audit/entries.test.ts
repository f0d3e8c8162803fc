import assert from 'node:assert/strict';
import fc from 'fast-check';
import { searchRecords } from '../../gateway/audit/search.js';
import { countRecords, countsHold, dropCounts } from '../../gateway/audit/search/count-job.js';
import { type Gone, removeEntries } from '../../gateway/audit/search/entries.js';
import { openRecordReader, readInPlace, type RecordReader } from '../../gateway/audit/search/reader.js';
import { isCounted } from '../../gateway/audit/search/series.js';
import { summariseRecords } from '../../gateway/audit/search/summary.js';
import { type RecordFilters, type RecordScope, termsOf } from '../../gateway/audit/search/terms.js';
import type { Database } from '../../gateway/store/database.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { insertRecords } from './bulk.js';
import { ALL, meets, query, record, scope } from './random-records.js';

const records = fc.sample(record, { numRuns: 600, seed: 11 });
const COUNTED = 450;

/** Places in the log of what meets the filters, in the order of the answer: by going through everything. */
function expected(asked: RecordFilters, seen: RecordScope, first = 0): number[] {
  const received = (seq: number): number => Date.parse(records[seq]?.received ?? '');
  return records
    .flatMap((one, seq) => (seq >= first && meets(one, asked, seen) ? [seq] : []))
    .sort((a, b) => received(b) - received(a) || b - a);
}

async function pages(
  reader: RecordReader,
  asked: RecordFilters,
  seen: RecordScope,
  limit: number,
): Promise<number[][]> {
  const found: number[][] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await searchRecords(reader, { ...asked, cursor, limit }, seen);
    found.push(page.items.map(({ index }) => index));
    cursor = page.next ?? undefined;
    more = cursor !== undefined;
  }
  return found;
}

const received = records.map((one) => Date.parse(one.received));

/** Every record before a place in the log. */
const before = (toSeq: number, fromSeq = 0): Gone => ({
  ...{ planes: ['data', 'sandbox', 'open', 'admin', 'system'], butNouns: [], fromSeq, toSeq },
  ...{ firstAt: Math.min(...received), lastAt: Math.max(...received) },
});

/** As records go that are kept elsewhere: a segment holds them. */
async function forget({ knex }: Database, first: number): Promise<void> {
  const { fromSeq: from_seq, toSeq: to_seq, firstAt: first_at, lastAt: last_at } = before(first);
  await knex('log_segments').insert({
    from_seq,
    to_seq,
    first_at,
    last_at,
    sealed_at: 0,
    name: 'x',
    sha256: 'x',
  });
  await knex('records').where('seq', '<', first).delete();
}

const entriesIn = async ({ knex }: Database): Promise<number> =>
  ((await knex('record_entries').count({ n: '*' }).first()) as { n: number }).n;

for (const engine of engines) {
  describe(`the entries of records by series on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let reader: RecordReader;
    beforeEach(async () => {
      test = await engine.create();
      reader = openRecordReader(test.database, { timeoutMs: 60_000, threads: 2, queue: 32 });
      await insertRecords(test.database, records.slice(0, COUNTED), 0);
      await countRecords(test.database);
      // These came since.
      await insertRecords(test.database, records.slice(COUNTED), COUNTED);
    });
    afterEach(async () => {
      await reader.close();
      await test.drop();
    });

    it('give what meets several filters, in order, in pages that are full', () =>
      fc.assert(
        fc.asyncProperty(query, scope, fc.integer({ min: 1, max: 30 }), async (asked, seen, limit) => {
          const { interval: _, ...filters } = asked;
          const found = await pages(reader, filters, seen, limit);
          assert.deepEqual(found.flat(), expected(filters, seen));
          const terms = termsOf(filters, seen);
          if (terms.length > 1 && terms.every(isCounted))
            for (const page of found.slice(0, -1)) assert.equal(page.length, limit);
        }),
        { numRuns: 80 },
      ));

    it('leave out what stood at or after a place in the log', async () => {
      const asked = { agency: 'H35.1', version: 'v1' };
      for (const below of [0, 1, 200, COUNTED, COUNTED + 1, 599, 600]) {
        const found = await pages(reader, { ...asked, below }, ALL, 7);
        assert.deepEqual(
          found.flat(),
          expected(asked, ALL).filter((seq) => seq < below),
        );
      }
    });

    it('show nobody what a reader may not see, even when one of them is wrong', async () => {
      const { knex } = test.database;
      const seen = { provider: 'H35.8' };
      const foreign = records.findIndex(({ provider }) => provider === 'H35.9');
      const series = await knex<{ id: number; provider: string; version: string }>('record_series')
        .where({ provider: 'H35.8', version: 'v1' })
        .first('id');
      const received_at = Date.parse(records[foreign]?.received ?? '');
      await knex('record_entries').insert({ series: series?.id, received_at, seq: foreign });
      assert.deepEqual(
        (await pages(reader, { version: 'v1' }, seen, 50)).flat(),
        expected({ version: 'v1' }, seen),
      );
    });

    it('go with records that are kept elsewhere, while their counts stay', async () => {
      const first = 123;
      const asked = { service: 'don-vi', operation: 'tim' };
      const counted = await summariseRecords(reader, asked, ALL);
      await forget(test.database, first);
      assert.deepEqual(
        (await pages(reader, asked, ALL, 5)).flat(),
        expected(asked, ALL, first),
        'before they go',
      );
      await removeEntries(test.database, before(first), 50);
      assert.equal(await entriesIn(test.database), COUNTED - first);
      assert.deepEqual((await pages(reader, asked, ALL, 5)).flat(), expected(asked, ALL, first));
      assert.deepEqual(await summariseRecords(reader, asked, ALL), counted);
      assert.equal(await countsHold(reader), true);
      await countRecords(test.database);
      assert.equal(await entriesIn(test.database), 600 - first);
      assert.equal(await countsHold(reader), true);
    });

    it('go in stretches of any length, and those of other records stay', async () => {
      const { knex } = test.database;
      for (const [i, stretch] of [1, 2, COUNTED - 1, COUNTED + 1].entries()) {
        await removeEntries(test.database, before(100 + 20 * i, 80 + 20 * i), stretch);
        assert.equal(await entriesIn(test.database), COUNTED - 20 * (i + 1));
      }
      assert.equal((await knex('record_entries').where('seq', '<', 80).count({ n: '*' }).first())?.['n'], 80);
      const acts = records.flatMap((one, seq) => (one.plane === 'admin' && seq < 80 ? [seq] : []));
      await removeEntries(test.database, { ...before(80), planes: ['admin'] });
      assert.deepEqual(
        await knex('record_entries').whereIn('seq', acts).pluck('seq'),
        [],
        'those of the plane that was named',
      );
      assert.equal(await entriesIn(test.database), COUNTED - 80 - acts.length);
    });

    it('that are lost are noticed, and made anew with the counts', async () => {
      await test.database.knex('record_entries').where('seq', '>=', 10).delete();
      assert.equal(await countsHold(readInPlace(test.database)), false);
      await dropCounts(test.database);
      await countRecords(test.database);
      assert.equal(await entriesIn(test.database), 600);
      assert.equal(await countsHold(reader), true);
    });

    it('and counts are made anew of what the log still holds', async () => {
      await forget(test.database, 100);
      await removeEntries(test.database, before(100));
      await dropCounts(test.database);
      assert.equal(await countsHold(reader), true, 'of nothing');
      await countRecords(test.database);
      assert.equal(await countsHold(reader), true);
      assert.equal((await summariseRecords(reader, {}, ALL)).total, 500);
    });
  });
}
