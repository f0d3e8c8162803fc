import type { Knex } from 'knex';
import type { Database } from '../../store/database.js';
import { DAY_MS, LEVELS, type Span, spansOf, type Unit } from './calendar.js';
import { directCount } from './direct-count.js';
import { entryCounts, withFacts } from './entry-count.js';
import { type RecordReader, readerOf } from './reader.js';
import { COUNTS, type Facts, isCounted, matchingSeries } from './series.js';
import { type RecordSummary, Sums } from './sums.js';
import { type RecordFilters, type RecordScope, type Term, termsOf } from './terms.js';

export interface SummaryQuery extends RecordFilters {
  /** Of what length the steps of the histogram are; chosen by the time asked for unless told. */
  readonly interval?: Unit | undefined;
}

/** Filters that leave few series: then each is looked up by itself, rather than the stretch of time gone through. */
const FEW = new Set(['agency', 'system', 'provider', 'service', 'operation', 'code', 'grant_no', 'noun']);

function intervalOf({ from, to, interval }: SummaryQuery): Unit {
  if (interval !== undefined) return interval;
  if (from === undefined) return 'month';
  const days = ((to ?? Number.POSITIVE_INFINITY) - from) / DAY_MS;
  if (days <= 3) return 'hour';
  return days <= 124 ? 'day' : 'month';
}

/** The stretch of the kept counts, of the series that meet the filters. */
function keptRows(reader: RecordReader, span: Span, unit: Unit, terms: readonly Term[]): Knex.QueryBuilder {
  const { knex, engine } = reader;
  const sqlite = engine === 'sqlite';
  // SQLite takes the tables in the order of a CROSS JOIN, and has no statistics to choose an index by.
  const join = sqlite ? 'CROSS JOIN' : 'JOIN';
  const bySeries = sqlite ? 'INDEXED BY record_counts_series_index' : '';
  const led = terms.some(([column]) => FEW.has(column));
  const rows = led
    ? knex('record_series as s').joinRaw(`${join} record_counts AS c ${bySeries} ON c.series = s.id`)
    : knex('record_counts as c');
  if (!led && terms.length > 0) void rows.joinRaw(`${join} record_series AS s ON s.id = c.series`);
  void matchingSeries(reader, terms, rows).where('c.level', LEVELS[unit]);
  if (Number.isFinite(span.from)) void rows.where('c.start', '>=', span.from);
  if (Number.isFinite(span.to)) void rows.where('c.start', '<', span.to);
  return rows;
}

/** Counts that are kept, of one span: by series and by step. */
function keptCounts(
  reader: RecordReader,
  span: Span,
  unit: Unit,
  terms: readonly Term[],
): Knex.QueryBuilder[] {
  const n = reader.knex.raw('CAST(sum(c.n) AS bigint) AS n');
  const rows = (): Knex.QueryBuilder => keptRows(reader, span, unit, terms);
  return [
    withFacts(reader, rows().select('c.series', n).groupBy('c.series')),
    rows().select('c.start', n).groupBy('c.start'),
  ];
}

/** Records that are counted together, by up to three questions: by what they are about, by time, how many were looked at. */
type Part = readonly Knex.QueryBuilder[];

type Answers = [
  series: (Facts & { n: number })[],
  steps: { start: number; n: number }[],
  looked?: { n: number }[],
];

function planOf(reader: RecordReader, query: SummaryQuery, terms: readonly Term[], interval: Unit): Part[] {
  if (query.below !== undefined || !terms.every(isCounted)) return [directCount(reader, { query, terms })];
  const done = (): Knex.QueryBuilder => reader.knex('progress').select('value').where({ name: COUNTS });
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = query;
  const after = (looked: Knex.QueryBuilder): void => {
    void looked.where('seq', '>', done());
    if (query.from !== undefined) void looked.whereRaw('+received_at >= ?', [query.from]);
    if (query.to !== undefined) void looked.whereRaw('+received_at < ?', [query.to]);
  };
  return [
    ...spansOf(from, to, interval).map((span) =>
      span.unit === null ? entryCounts(reader, span, terms) : keptCounts(reader, span, span.unit, terms),
    ),
    directCount(reader, { query: {}, terms, within: after, led: false }),
  ];
}

/**
 * Counts the records that meet every filter, without going through them: whole hours, days and months are counted already;
 * what is left at the ends, and what no counts are kept of (a person, a case, a trace), is counted up to a limit.
 */
export async function summariseRecords(
  source: Database | RecordReader,
  query: SummaryQuery,
  scope: RecordScope,
): Promise<RecordSummary> {
  const reader = readerOf(source);
  const interval = intervalOf(query);
  const plan = planOf(reader, query, termsOf(query, scope), interval);
  const answers = await reader.read(plan.flat());
  const sums = new Sums(interval);
  for (const part of plan) {
    const [series, steps, looked] = answers.splice(0, part.length) as Answers;
    sums.add(series, steps, looked?.[0]?.n ?? 0);
  }
  return sums.summary();
}
