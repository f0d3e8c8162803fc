import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { searchRecords } from '../../gateway/audit/search.js';
import { spansOf, startOf, type Unit } from '../../gateway/audit/search/calendar.js';
import { countRecords, countsHold, dropCounts } from '../../gateway/audit/search/count-job.js';
import { openRecordReader, type RecordReader } from '../../gateway/audit/search/reader.js';
import type { RecordFilters, RecordScope } from '../../gateway/audit/search/terms.js';
import type { RecordSummary } from '../../gateway/audit/search/sums.js';
import { summariseRecords, type SummaryQuery } from '../../gateway/audit/search/summary.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { insertRecords } from './bulk.js';
import { aRecord } from './records.js';

const HOUR = 3_600_000;
/** Midnight of 1 January in Asia/Ho_Chi_Minh. */
const START = Date.UTC(2025, 11, 31, 17);
const ALL: RecordScope = { all: true };

const FIELDS = {
  agency: ['H35.1', 'H35.2'],
  system: ['s1', 's2'],
  provider: ['H35.8', 'H35.9'],
  service: ['don-vi', 'ho-so'],
  version: ['v1', 'v2'],
  operation: ['tim', 'nop'],
  grant: ['pd-1', undefined],
  user: ['cb01', undefined],
  case: ['HS-1', undefined],
} as const;

const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Times gather at the beginnings of hours, days and months. */
const time = fc
  .tuple(oneOf([0, 31 * 24, 59 * 24, 24, 48, 1, 7 * 24, 30 * 24 + 5]), fc.integer({ min: -HOUR, max: HOUR }))
  .map(([hours, ms]) => START + hours * HOUR + oneOfNear(ms));

function oneOfNear(ms: number): number {
  return Math.abs(ms) < HOUR / 4 ? 0 : ms;
}

const record: fc.Arbitrary<AuditRecord> = fc
  .record({
    time,
    ending: oneOf([
      { outcome: 'answered', status: 200 },
      { outcome: 'refused', status: 403, code: 'grant_required' },
      { outcome: 'failed', status: 504, code: 'source_timeout' },
      { outcome: 'aborted' },
    ] as const),
    fields: fc.record(
      Object.fromEntries(Object.entries(FIELDS).map(([name, values]) => [name, oneOf<unknown>(values)])),
    ),
    admin: fc.boolean(),
  })
  .map(({ time: at, ending, fields, admin }) => {
    const change = { ...fields, ...ending, received: new Date(at).toISOString(), id: uuidv7(at) };
    return aRecord({
      ...change,
      ...(admin ? { plane: 'admin', target: { noun: 'system', key: 's1' } } : {}),
    });
  });

const query: fc.Arbitrary<SummaryQuery> = fc.record(
  {
    from: time,
    to: time,
    interval: oneOf<Unit>(['hour', 'day', 'month']),
    ...Object.fromEntries(
      Object.entries(FIELDS).map(([name, values]) => [
        name,
        oneOf(values.filter((value) => value !== undefined)),
      ]),
    ),
    outcome: oneOf([['answered'], ['refused', 'failed'], 'aborted'] as const),
    code: oneOf(['grant_required', 'source_timeout']),
    status: oneOf([200, 403]),
    plane: oneOf(['data', 'admin'] as const),
    noun: oneOf(['system']),
  },
  { requiredKeys: [] },
);

const scope: fc.Arbitrary<RecordScope> = oneOf<RecordScope>([
  ALL,
  ALL,
  { provider: 'H35.8' },
  { agency: 'H35.1' },
]);

function meets(one: AuditRecord, asked: SummaryQuery, seen: RecordScope): boolean {
  const at = Date.parse(one.received);
  if (asked.from !== undefined && at < asked.from) return false;
  if (asked.to !== undefined && at >= asked.to) return false;
  if ('provider' in seen && one.provider !== seen.provider) return false;
  if ('agency' in seen && one.agency !== seen.agency) return false;
  for (const name of [...Object.keys(FIELDS), 'code', 'status', 'plane'] as (keyof RecordFilters &
    keyof AuditRecord)[])
    if (asked[name] !== undefined && one[name] !== asked[name]) return false;
  if (asked.noun !== undefined && one.target?.noun !== asked.noun) return false;
  return asked.outcome === undefined || [asked.outcome].flat().includes(one.outcome ?? 'aborted');
}

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
