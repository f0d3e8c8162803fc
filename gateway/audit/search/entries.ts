import type { Knex } from 'knex';
import type { Database, Engine } from '../../store/database.js';
import type { RecordReader } from './reader.js';
import { SERIES_COLUMNS } from './series.js';

/** Entries that one statement goes through when it takes away. */
const STRETCH = 5000;

/** Records that are looked at when the entries are checked. */
const SAMPLE = 500;

/** A record as one of its series. */
export type Entry = readonly [series: number, receivedAt: number, seq: number];

/** Rows of whole numbers, out of one value that is JSON: thousands of them in one statement. */
export function wholeNumbers(engine: Engine, columns: number): string {
  const each = (write: (i: number) => string): string =>
    Array.from({ length: columns }, (_, i) => write(i)).join(', ');
  return engine === 'postgres'
    ? `SELECT ${each((i) => `(value ->> ${i})::bigint`)} FROM jsonb_array_elements(?::jsonb)`
    : `SELECT ${each((i) => `json_extract(value, '$[${i}]')`)} FROM json_each(?)`;
}

/** Adds what is not there yet: counts that are made anew find the entries of before. */
export async function addEntries(
  trx: Knex.Transaction,
  engine: Engine,
  entries: readonly Entry[],
): Promise<void> {
  if (entries.length === 0) return;
  // In the order of the table, page by page.
  const sorted = [...entries].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  await trx.raw(
    `INSERT INTO record_entries (series, received_at, seq) ${wholeNumbers(engine, 3)} WHERE true ON CONFLICT DO NOTHING`,
    [JSON.stringify(sorted)],
  );
}

/** Whether none of `SAMPLE` records at a random place lacks its entry. One too many does no harm: a search reads the record. */
export async function entriesHold(reader: RecordReader, from: number, end: number): Promise<boolean> {
  const { knex } = reader;
  const first = from + Math.floor(Math.random() * Math.max(end - from - SAMPLE, 0));
  const own = knex('record_series as s')
    .join('record_entries as e', 'e.series', 's.id')
    .select(knex.raw('1'))
    .whereRaw('e.received_at = r.received_at AND e.seq = r.seq');
  for (const column of SERIES_COLUMNS)
    void own.whereRaw(column === 'status' ? '?? = coalesce(??, 0)' : `?? = coalesce(??, '')`, [
      `s.${column}`,
      `r.${column}`,
    ]);
  const lacking = knex('records as r')
    .count({ n: '*' })
    .where('r.seq', '>=', first)
    .where('r.seq', '<', Math.min(first + SAMPLE, end))
    .whereNotExists(own);
  const [[row]] = (await reader.read([lacking])) as [[{ n: number }]];
  return row.n === 0;
}

/** Records that left the log's table: of these planes, less what is about these things, within a range of the log. */
export interface Gone {
  readonly planes: readonly string[];
  /** What stays, whatever its plane. */
  readonly butNouns: readonly string[];
  readonly fromSeq: number;
  /** Up to but not including this place. */
  readonly toSeq: number;
  /** Earliest and latest time received in the range. */
  readonly firstAt: number;
  readonly lastAt: number;
}

async function removeOfSeries(knex: Knex, series: number, gone: Gone, stretch: number): Promise<void> {
  for (let from: number | null = gone.firstAt; from !== null && from <= gone.lastAt; ) {
    const those = () =>
      knex<{ series: number; received_at: number; seq: number }>('record_entries')
        .where({ series })
        .whereBetween('received_at', [from ?? gone.firstAt, gone.lastAt]);
    const edge = await those()
      .orderBy(['received_at', 'seq'])
      .offset(stretch - 1)
      .first('received_at');
    const to = edge?.received_at ?? gone.lastAt;
    await those()
      .where('received_at', '<=', to)
      .where('seq', '>=', gone.fromSeq)
      .where('seq', '<', gone.toSeq)
      .delete();
    from = edge === undefined ? null : to + 1;
  }
}

/**
 * Takes away the entries of records that are kept elsewhere; their counts stay. In stretches, so that nobody waits for it
 * long; what a stop leaves behind does no harm, for a search reads the record.
 *
 * @param stretch entries that one statement goes through, or somewhat more
 */
export async function removeEntries({ knex }: Database, gone: Gone, stretch = STRETCH): Promise<void> {
  const series = await knex<{ id: number; plane: string; noun: string }>('record_series')
    .whereIn('plane', [...gone.planes])
    .whereNotIn('noun', [...gone.butNouns])
    .pluck('id');
  for (const id of series) await removeOfSeries(knex, id, gone, stretch);
}
