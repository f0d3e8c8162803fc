import type { Knex } from 'knex';
import type { Database, Engine } from '../../store/database.js';
import { sealedEnd } from '../../store/log-segments.js';
import { readProgress, setProgress, takeProgress } from '../../store/progress.js';
import { HOUR_MS, LEVELS, startOf, type Unit } from './calendar.js';
import { addEntries, entriesHold, type Entry, wholeNumbers } from './entries.js';
import { type RecordReader, readInPlace } from './reader.js';
import { COUNTS, COUNTS_WITHOUT, SERIES_COLUMNS, type SeriesFacts, seriesOfRecords } from './series.js';

/**
 * So many records are counted in one transaction; what is left follows in the next. On SQLite calls wait for as long as it
 * writes: some ten milliseconds.
 */
const BATCH = 4000;
/** What a node counts at a time, so that other jobs and its end need not wait while it catches up with a long log. */
const BATCHES = 50;
const ROWS_AT_ONCE = 60;
/** Counts that were lost or changed are noticed after so long, at the latest. */
const CHECK_MS = HOUR_MS;

/** The records of one series in one hour; `entries` is JSON, an array of [time, place in the log]. */
type HourCount = SeriesFacts & { readonly hour: number; readonly n: number; readonly entries: string };
type CountRow = [level: number, start: number, series: number, n: number];

const keyOf = (facts: SeriesFacts): string => JSON.stringify(SERIES_COLUMNS.map((column) => facts[column]));

/** What of the log is not counted yet, by series and hour; read apart from the transaction that adds it. */
async function countRange(reader: RecordReader, from: number, to: number): Promise<HourCount[]> {
  const { knex, engine } = reader;
  const hour =
    engine === 'postgres'
      ? `received_at / ${HOUR_MS}`
      : `(received_at - received_at % ${HOUR_MS}) / ${HOUR_MS}`;
  const entries =
    engine === 'postgres'
      ? 'json_agg(json_build_array(received_at, seq))::text'
      : 'json_group_array(json_array(received_at, seq))';
  const query = knex('records')
    .select(
      ...seriesOfRecords(reader),
      knex.raw(`(${hour}) * ${HOUR_MS} AS hour`),
      knex.raw('count(*) AS n'),
      knex.raw(`${entries} AS entries`),
    )
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .groupByRaw(`${SERIES_COLUMNS.map((_, i) => i + 1).join(', ')}, hour`);
  const [rows = []] = (await reader.read([query])) as [HourCount[]?];
  return rows;
}

/** Ids of series, remembered: they are never deleted. */
export class SeriesIds {
  readonly #known = new Map<string, number>();

  /** @returns ids in the order of `facts`, and what to remember once they are durable */
  async find(trx: Knex.Transaction, facts: readonly SeriesFacts[]): Promise<Map<string, number>> {
    const found = new Map<string, number>();
    const unknown = new Map<string, SeriesFacts>();
    for (const one of facts) {
      const key = keyOf(one);
      const id = this.#known.get(key);
      if (id === undefined) unknown.set(key, one);
      else found.set(key, id);
    }
    for (const row of await addSeries(trx, [...unknown.values()])) found.set(keyOf(row), row.id);
    // What was there already is known from now on.
    for (const [key, one] of unknown) if (!found.has(key)) found.set(key, await idOf(trx, one));
    return found;
  }

  remember(found: ReadonlyMap<string, number>): void {
    for (const [key, id] of found) this.#known.set(key, id);
  }
}

type StoredSeries = SeriesFacts & { readonly id: number };

const rowOf = (facts: SeriesFacts) =>
  Object.fromEntries(SERIES_COLUMNS.map((column) => [column, facts[column]]));

/** @returns those that were not there yet */
async function addSeries(trx: Knex.Transaction, facts: readonly SeriesFacts[]): Promise<StoredSeries[]> {
  const added: StoredSeries[] = [];
  for (let at = 0; at < facts.length; at += ROWS_AT_ONCE) {
    const rows: unknown = await trx('record_series')
      .insert(facts.slice(at, at + ROWS_AT_ONCE).map(rowOf))
      .onConflict([...SERIES_COLUMNS])
      .ignore()
      .returning(['id', ...SERIES_COLUMNS]);
    added.push(...(rows as StoredSeries[]));
  }
  return added;
}

async function idOf(trx: Knex.Transaction, facts: SeriesFacts): Promise<number> {
  const stored = await trx<StoredSeries>('record_series').where(rowOf(facts)).first('id');
  if (stored === undefined) throw new Error('a series of the counts was not stored');
  return stored.id;
}

function countRows(counts: readonly HourCount[], ids: ReadonlyMap<string, number>): CountRow[] {
  const rows = new Map<string, CountRow>();
  for (const count of counts) {
    const series = seriesOf(ids, count);
    for (const unit of Object.keys(LEVELS) as Unit[]) {
      const [level, start] = [LEVELS[unit], startOf(unit, count.hour)];
      const key = `${level} ${start} ${series}`;
      const row = rows.get(key);
      if (row === undefined) rows.set(key, [level, start, series, count.n]);
      else row[3] += count.n;
    }
  }
  return [...rows.values()];
}

function entriesOf(counts: readonly HourCount[], ids: ReadonlyMap<string, number>): Entry[] {
  return counts.flatMap((count) => {
    const series = seriesOf(ids, count);
    const places = JSON.parse(count.entries) as [receivedAt: number, seq: number][];
    return places.map(([receivedAt, seq]): Entry => [series, receivedAt, seq]);
  });
}

function seriesOf(ids: ReadonlyMap<string, number>, facts: SeriesFacts): number {
  const id = ids.get(keyOf(facts));
  if (id === undefined) throw new Error('a series of the counts was not stored');
  return id;
}

async function addCounts(trx: Knex.Transaction, engine: Engine, rows: readonly CountRow[]): Promise<void> {
  if (rows.length === 0) return;
  await trx.raw(
    `INSERT INTO record_counts (level, start, series, n) ${wholeNumbers(engine, 4)} WHERE true
      ON CONFLICT (level, start, series) DO UPDATE SET n = record_counts.n + excluded.n`,
    [JSON.stringify(rows)],
  );
}

async function newestRecord(knex: Knex): Promise<number> {
  const row = (await knex('records').max({ seq: 'seq' }).first()) as { seq: number | null } | undefined;
  return row?.seq ?? -1;
}

async function countBatch(database: Database, reader: RecordReader, ids: SeriesIds): Promise<boolean> {
  const from = await readProgress(database.knex, COUNTS);
  const to = Math.min(await newestRecord(database.knex), from + BATCH);
  if (to <= from) return false;
  const counts = await countRange(reader, from, to);
  return await database.knex
    .transaction(async (trx) => {
      // Another node was faster: what was read here is counted already.
      if ((await takeProgress(trx, COUNTS)) !== from) return true;
      const found = await ids.find(trx, counts);
      await addCounts(trx, database.engine, countRows(counts, found));
      await addEntries(trx, database.engine, entriesOf(counts, found));
      await setProgress(trx, COUNTS, to);
      return found;
    })
    .then((found) => {
      if (typeof found !== 'boolean') ids.remember(found);
      return true;
    });
}

/**
 * Counts what came since the last time. Each record is counted once: how far it has come is kept in the transaction of the
 * counts, and nodes take turns.
 */
export async function countRecords(
  database: Database,
  reader: RecordReader = readInPlace(database),
  ids = new SeriesIds(),
  batches = Number.POSITIVE_INFINITY,
): Promise<void> {
  for (let done = 0; done < batches && (await countBatch(database, reader, ids)); done += 1);
}

/** Whether every level adds up to the records that are said to be counted, and a few of them, taken at random, have entries. */
export async function countsHold(reader: RecordReader): Promise<boolean> {
  const { knex } = reader;
  const [progress, [sealed], levels] = (await reader.read([
    knex('progress').select('name', 'value').whereIn('name', [COUNTS, COUNTS_WITHOUT]),
    knex('log_segments').max({ end: 'to_seq' }),
    knex('record_counts').select('level', knex.raw('CAST(sum(n) AS bigint) AS n')).groupBy('level'),
  ])) as [{ name: string; value: number }[], { end: number | null }[], { level: number; n: number }[]];
  const standing = new Map(progress.map(({ name, value }) => [name, value]));
  const end = (standing.get(COUNTS) ?? -1) + 1;
  const counted = Math.max(end - (standing.get(COUNTS_WITHOUT) ?? 0), 0);
  return (
    (counted === 0 ? levels.length === 0 : levels.length === 3) &&
    levels.every(({ n }) => n === counted) &&
    (await entriesHold(reader, Math.min(sealed?.end ?? 0, end), end))
  );
}

/** Throws the counts away; they are made anew from the log, as far back as it reaches. Entries that are there stay. */
export async function dropCounts({ knex }: Database): Promise<void> {
  await knex.transaction(async (trx) => {
    await takeProgress(trx, COUNTS);
    const end = await sealedEnd(trx);
    const [{ n: left }] = (await trx('records').where('seq', '<', end).count({ n: '*' })) as [{ n: number }];
    await trx('record_counts').delete();
    await setProgress(trx, COUNTS, -1);
    await setProgress(trx, COUNTS_WITHOUT, end - left);
  });
}

/** The job of a node: counts, and now and then looks whether the counts still add up. */
export function recordCounter(
  database: Database,
  reader: RecordReader,
  wrong: () => void,
): (now: number) => Promise<void> {
  const ids = new SeriesIds();
  let checked = Number.NEGATIVE_INFINITY;
  return async (now) => {
    if (now - checked >= CHECK_MS) {
      checked = now;
      if (!(await countsHold(reader))) {
        wrong();
        await dropCounts(database);
      }
    }
    await countRecords(database, reader, ids, BATCHES);
  };
}
