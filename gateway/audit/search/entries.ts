import type { Knex } from 'knex';
import type { Database, Engine } from '../../store/database.js';
import { setProgress, takeProgress } from '../../store/progress.js';
import type { RecordReader } from './reader.js';
import { SERIES_COLUMNS } from './series.js';

/** Under what name is kept from which place in the log on there are entries: what stood before was taken away. */
export const ENTRIES_FROM = 'record-entries-from';

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

/** The end of the stretch that begins after an entry; null when it is the last. */
async function stretchEnd(knex: Knex, after: Entry, stretch: number): Promise<Entry | null> {
  const rows = (await knex('record_entries')
    .select('series', 'received_at', 'seq')
    .whereRaw('(series, received_at, seq) > (?, ?, ?)', [...after])
    .orderBy(['series', 'received_at', 'seq'])
    .offset(stretch - 1)
    .limit(1)) as { series: number; received_at: number; seq: number }[];
  const [row] = rows;
  return row === undefined ? null : [row.series, row.received_at, row.seq];
}

/**
 * Takes away the entries of records that stood before a place in the log, for records that are kept elsewhere; their counts
 * stay. In stretches, so that nobody waits for it long; stopped half-way, it is done anew.
 *
 * @param seq the first place that keeps its entry
 * @param stretch entries that one statement goes through
 */
export async function removeEntriesBefore({ knex }: Database, seq: number, stretch = STRETCH): Promise<void> {
  await knex.transaction(async (trx) => {
    const from = await takeProgress(trx, ENTRIES_FROM);
    await setProgress(trx, ENTRIES_FROM, Math.max(from, seq));
  });
  for (let after: Entry | null = [-1, 0, 0]; after !== null; ) {
    const end: Entry | null = await stretchEnd(knex, after, stretch);
    const gone = knex('record_entries')
      .where('seq', '<', seq)
      .whereRaw('(series, received_at, seq) > (?, ?, ?)', [...after]);
    if (end !== null) void gone.whereRaw('(series, received_at, seq) <= (?, ?, ?)', [...end]);
    await gone.delete();
    after = end;
  }
}
