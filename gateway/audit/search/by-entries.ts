import type { Knex } from 'knex';
import type { Look, Position, Row } from './look.js';
import type { RecordReader } from './reader.js';
import { COUNTS, isCounted, matchingSeries } from './series.js';
import { applyTerm, type RecordFilters, type Term } from './terms.js';

/** Series that are joined for one page; what more of them meet is frequent, and found by the time alone. */
const MOST_SERIES = 1000;
/** Records without entries yet that are gone through for one page. */
const MOST_UNCOUNTED = 20_000;

/** What one page is asked by. */
interface Ask {
  readonly query: RecordFilters;
  readonly terms: readonly Term[];
  readonly after: Position | null;
  /** Rows wanted. */
  readonly limit: number;
  /** The place of the last record that has an entry. */
  readonly done: number;
}

/** The last record that has an entry; null when too many have none, or too many series match. */
async function lastEntered(reader: RecordReader, terms: readonly Term[]): Promise<number | null> {
  const { knex } = reader;
  const few = matchingSeries(reader, terms)
    .select('s.id')
    .limit(MOST_SERIES + 1);
  const [[progress], [last], [series]] = (await reader.read([
    knex('progress').select('value').where({ name: COUNTS }),
    knex('records').max({ seq: 'seq' }),
    knex(few.as('few')).count({ n: '*' }),
  ])) as [[{ value: number }], [{ seq: number | null }], [{ n: number }]];
  const uncounted = (last.seq ?? -1) - progress.value;
  return series.n > MOST_SERIES || uncounted > MOST_UNCOUNTED ? null : progress.value;
}

/** @param sign `+` where no index of these columns is to be used */
function bound(builder: Knex.QueryBuilder, { query, after }: Ask, sign: '' | '+' = ''): Knex.QueryBuilder {
  if (query.from !== undefined) void builder.whereRaw(`${sign}received_at >= ?`, [query.from]);
  if (query.to !== undefined) void builder.whereRaw(`${sign}received_at < ?`, [query.to]);
  if (after !== null) void builder.whereRaw(`(${sign}received_at, ${sign}seq) < (?, ?)`, [...after]);
  if (query.below !== undefined) void builder.whereRaw('+seq < ?', [query.below]);
  return builder;
}

/** The entries of the series of the row `s`, newest first. */
function newestOf({ knex }: RecordReader, ask: Ask): Knex.QueryBuilder {
  const entries = knex('record_entries')
    .whereRaw('series = s.id')
    .whereRaw('+seq <= ?', [ask.done])
    .orderByRaw('received_at DESC, seq DESC');
  return bound(entries, ask);
}

/** Of each series as many as the page can hold, or somewhat fewer, but never one that belongs to it. */
function entered(reader: RecordReader, ask: Ask): Knex.QueryBuilder {
  const { knex, engine } = reader;
  const { terms, limit } = ask;
  if (engine === 'postgres') {
    const newest = newestOf(reader, ask).select('received_at', 'seq').limit(limit);
    return matchingSeries(reader, terms)
      .crossJoin(knex.raw('LATERAL (?) AS e', [newest]))
      .select('e.received_at', 'e.seq');
  }
  // The page begins no earlier than where any one series would fill it.
  const filled = newestOf(reader, ask)
    .select('received_at')
    .offset(limit - 1)
    .limit(1);
  const since = knex(
    matchingSeries(reader, terms)
      .select(knex.raw('(?) AS at', [filled]))
      .as('filled'),
  ).max('at');
  const rows = matchingSeries(reader, terms)
    .joinRaw('CROSS JOIN record_entries AS e ON e.series = s.id')
    .whereRaw('+e.seq <= ?', [ask.done])
    .whereRaw('e.received_at >= coalesce((?), ?)', [since, Number.MIN_SAFE_INTEGER])
    .select('e.received_at', 'e.seq');
  return bound(rows, ask);
}

/** Records that have no entry yet. Their time is an expression, so that no index of all times is gone through for its order. */
function notEntered(reader: RecordReader, ask: Ask): Knex.QueryBuilder {
  const { knex } = reader;
  const rows = knex('records')
    .where('seq', '>', ask.done)
    .select(knex.raw('received_at + 0 AS received_at'), 'seq');
  for (const term of ask.terms) applyTerm(reader, rows, term, false);
  return bound(rows, ask, '+');
}

function pageOf(reader: RecordReader, ask: Ask): Knex.QueryBuilder {
  const { knex } = reader;
  const found = knex(
    entered(reader, ask)
      .unionAll([notEntered(reader, ask)])
      .as('found'),
  )
    .select('received_at', 'seq')
    .orderByRaw('received_at DESC, seq DESC')
    .limit(ask.limit);
  // The record decides, whatever its entry says: what a reader may see is asked of it once more.
  return knex(found.as('f'))
    .leftJoin('records as r', (on) => {
      void on.on('r.seq', 'f.seq').andOn('r.received_at', 'f.received_at');
      for (const [column, value] of ask.terms)
        void on.onIn(`r.${column}`, typeof value === 'object' ? [...value] : [value]);
    })
    .select('f.seq', 'f.received_at', 'r.leaf')
    .orderByRaw('f.received_at DESC, f.seq DESC');
}

/**
 * Records whose filters are all such that counts, and entries by series, are kept of: exactly those, newest first.
 *
 * @returns null when they have to be found another way
 */
export async function lookByEntries(
  reader: RecordReader,
  query: RecordFilters,
  terms: readonly Term[],
  after: Position | null,
  limit: number,
): Promise<Look | null> {
  if (terms.length === 0 || !terms.every(isCounted)) return null;
  const done = await lastEntered(reader, terms);
  if (done === null) return null;
  const ask = { query, terms, after, limit: limit + 1, done };
  const [found = []] = (await reader.read([pageOf(reader, ask)])) as [
    (Omit<Row, 'leaf'> & { leaf: string | null })[]?,
  ];
  const kept = found.slice(0, limit);
  const last = kept.at(-1);
  return {
    // A record that was moved elsewhere since, or is another's, is passed over.
    rows: kept.filter((row): row is Row => row.leaf !== null),
    next: found.length > limit && last !== undefined ? [last.received_at, last.seq] : null,
  };
}
