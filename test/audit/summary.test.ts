import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { searchRecords } from '../../gateway/audit/search.js';
import { spansOf, startOf, type Unit } from '../../gateway/audit/search/calendar.js';
import { countRecords, countsHold, dropCounts } from '../../gateway/audit/search/count-job.js';
import { openRecordReader, type RecordReader } from '../../gateway/audit/search/reader.js';
import type { RecordScope } from '../../gateway/audit/search/terms.js';
import type { RecordSummary } from '../../gateway/audit/search/sums.js';
import { summariseRecords, type SummaryQuery } from '../../gateway/audit/search/summary.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { insertRecords } from './bulk.js';
import { ALL, meets, oneOf, query, record, scope, time } from './random-records.js';

/** The same by going through everything. */
function bruteForce(records: readonly AuditRecord[], asked: SummaryQuery, seen: RecordScope, interval: Unit) {
  const found = records.filter((one) => meets(one, asked, seen));
  const tally = (valueOf: (one: AuditRecord) => string | undefined): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const one of found) {
      const value = valueOf(one);
      if (value !== undefined) counts[value] = (counts[value] ?? 0) + 1;
    }
    return counts;
  };
  return {
    total: found.length,
    outcome: tally((one) => one.outcome),
    code: tally((one) => one.code),
    agency: tally((one) => one.agency),
    service: tally((one) => `${one.provider}/${one.service}/${one.version}`),
    steps: tally((one) => new Date(startOf(interval, Date.parse(one.received))).toISOString()),
  };
}

function asCounts({ total, facets, histogram }: RecordSummary) {
  const map = (values: readonly { value: string; count: number }[]): Record<string, number> =>
    Object.fromEntries(values.map(({ value, count }) => [value, count]));
  return {
    total,
    outcome: map(facets.outcome),
    code: map(facets.code),
    agency: map(facets.agency),
    service: map(facets.service),
    steps: map(histogram.steps.map(({ from, count }) => ({ value: from, count }))),
  };
}

describe('stretches of time', () => {
  it('are cut without gap or overlap, into whole units', () => {
    fc.assert(
      fc.property(time, time, oneOf<Unit>(['hour', 'day', 'month']), (from, to, unit) => {
        let at = from;
        for (const span of spansOf(from, to, unit)) {
          assert.equal(span.from, at);
          assert.ok(span.to > span.from);
          if (span.unit !== null)
            assert.deepEqual(
              [startOf(span.unit, span.from), startOf(span.unit, span.to)],
              [span.from, span.to],
            );
          at = span.to;
        }
        assert.equal(at, Math.max(from, from < to ? to : from));
      }),
    );
  });

  it('that have no end are one', () => {
    assert.deepEqual(spansOf(-Infinity, Infinity, 'month'), [
      { unit: 'month', from: -Infinity, to: Infinity },
    ]);
  });
});

for (const engine of engines) {
  describe(`counting the record on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let reader: RecordReader;
    const records = fc.sample(record, { numRuns: 700, seed: 7 });
    before(async () => {
      test = await engine.create();
      reader = openRecordReader(test.database);
      // Two thirds are counted, in two rounds; the rest is not yet.
      await insertRecords(test.database, records.slice(0, 200), 0);
      await countRecords(test.database);
      await insertRecords(test.database, records.slice(200, 500), 200);
      await countRecords(test.database);
      await insertRecords(test.database, records.slice(500), 500);
    });
    after(async () => {
      await reader.close();
      await test.drop();
    });

    const agrees = async (asked: SummaryQuery, seen: RecordScope): Promise<void> => {
      const found = await summariseRecords(reader, asked, seen);
      assert.equal(found.exact, true);
      assert.deepEqual(asCounts(found), bruteForce(records, asked, seen, found.histogram.interval));
    };

    it('comes to what going through everything comes to', () =>
      fc.assert(fc.asyncProperty(query, scope, agrees), { numRuns: 150 }));

    it('finds as many as it counts, page by page', () =>
      fc.assert(
        fc.asyncProperty(query, scope, async ({ interval: _, ...asked }, seen) => {
          const ids: string[] = [];
          for (let cursor: string | undefined, more = true; more; ) {
            const page = await searchRecords(reader, { ...asked, cursor, limit: 100 }, seen);
            ids.push(...page.items.map(({ id }) => id));
            cursor = page.next ?? undefined;
            more = cursor !== undefined;
          }
          const expected = records.filter((one) => meets(one, asked, seen)).map(({ id }) => id);
          assert.deepEqual([...ids].sort(), expected.sort());
        }),
        { numRuns: 60 },
      ));

    it('notices counts that were changed, and makes them anew', async () => {
      assert.equal(await countsHold(reader), true);
      await test.database.knex('record_counts').where({ level: 1 }).delete();
      assert.equal(await countsHold(reader), false);
      await dropCounts(test.database);
      await countRecords(test.database);
      assert.equal(await countsHold(reader), true);
      await agrees({}, ALL);
    });
  });
}
