import type { Knex } from 'knex';
import type { Database } from '../store/database.js';
import { PARTITIONS, type Partition, partitionOf } from './partition-bounds.js';
import { startOf } from './search/calendar.js';

/** Months that are there before their first record is. */
const AHEAD = 3;
/** Rows of a coming month that are moved out of the default partition: so many, the exchange waits a second for at most. */
const MOVED_AT_MOST = 100_000;
/** The exchange queues behind a lock that is waited for: rather not, and again in the next round. */
const LOCK_TIMEOUT = '200ms';

const LOCK_NOT_AVAILABLE = '55P03';
const NO_SUCH_TABLE = '42P01';
// Nodes make and drop partitions one at a time; another lock than the one of those who append.
const TURN = `SELECT pg_try_advisory_xact_lock((1279742289::bigint << 32) | 'records'::regclass::oid::bigint) AS mine`;

interface Month {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

async function rows<T>(knex: Knex, sql: string, bindings: readonly (string | number)[] = []): Promise<T[]> {
  return (await knex.raw<{ rows: T[] }>(sql, [...bindings])).rows;
}

async function partitionsOf(knex: Knex): Promise<Partition[]> {
  return (await rows<{ name: string; bound: string }>(knex, PARTITIONS)).map(partitionOf);
}

const overlap = (month: Month, { from, to }: Partition): boolean =>
  from !== null && to !== null && from < month.to && to > month.from;

/** This month of Asia/Ho_Chi_Minh and those ahead. */
function monthsFrom(now: number): Month[] {
  const months: Month[] = [];
  for (let from = startOf('month', now); months.length <= AHEAD; ) {
    const middle = new Date(from + 15 * 86_400_000);
    const to = startOf('month', from + 32 * 86_400_000);
    const name = `records_${middle.getUTCFullYear()}_${String(middle.getUTCMonth() + 1).padStart(2, '0')}`;
    months.push({ name, from, to });
    from = to;
  }
  return months;
}

/**
 * One node's turn, in one transaction that waits for nothing long.
 *
 * @returns null when it has to be tried again: another node is at it, or somebody holds the table
 */
async function inTurn<T>(knex: Knex, work: (trx: Knex.Transaction) => Promise<T>): Promise<T | null> {
  try {
    return await knex.transaction(async (trx) => {
      const [turn] = await rows<{ mine: boolean }>(trx, TURN);
      if (turn?.mine !== true) return null;
      await trx.raw(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT}'`);
      return await work(trx);
    });
  } catch (error) {
    if ((error as { code?: unknown }).code === LOCK_NOT_AVAILABLE) return null;
    throw error;
  }
}

const IN_DEFAULT =
  'SELECT count(*)::integer AS n FROM (SELECT FROM records_default WHERE received_at >= ? AND received_at < ? LIMIT ?) x';

async function tooManyInDefault(knex: Knex, { from, to }: Month): Promise<boolean> {
  const [found] = await rows<{ n: number }>(knex, IN_DEFAULT, [from, to, MOVED_AT_MOST + 1]);
  return (found?.n ?? 0) > MOVED_AT_MOST;
}

/** A table like the default partition: its own key, unique ids, indexes, and the triggers of statements that name it. */
async function createLikeDefault(trx: Knex, { name }: Month): Promise<void> {
  await trx.raw('CREATE TABLE ?? (LIKE records_default INCLUDING ALL)', [name]);
  const triggers = await rows<{ sql: string }>(
    trx,
    `SELECT replace(pg_get_triggerdef(t.oid), ' ON ' || format('%I.%I', n.nspname, c.relname) || ' ',
        format(' ON %I ', ?::text)) AS sql
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE t.tgrelid = 'records_default'::regclass AND NOT t.tgisinternal AND t.tgtype & 1 = 0`,
    [name],
  );
  for (const { sql } of triggers) await trx.raw(sql);
}

/**
 * Rows of the month that were written to the default partition are copied while others read and write; only the last step
 * keeps them out. Under that lock the guard of the default partition is off for nobody but this transaction, and is on
 * again at its end, however it ends.
 */
async function attach(trx: Knex, { name, from, to }: Month): Promise<void> {
  const copy = `INSERT INTO ?? SELECT * FROM records_default WHERE received_at >= ? AND received_at < ?`;
  await trx.raw(copy, [name, from, to]);
  // In the order in which an ALTER TABLE … ATTACH takes them.
  await trx.raw('LOCK TABLE ONLY records IN SHARE UPDATE EXCLUSIVE MODE');
  await trx.raw('LOCK TABLE records_default IN ACCESS EXCLUSIVE MODE');
  await trx.raw(`${copy} AND NOT EXISTS (SELECT FROM ?? m WHERE m.seq = records_default.seq)`, [
    name,
    from,
    to,
    name,
  ]);
  const [moved] = await rows<{ n: number }>(trx, 'SELECT count(*)::integer AS n FROM ??', [name]);
  if ((moved?.n ?? 0) > 0) {
    await trx.raw('ALTER TABLE records_default DISABLE TRIGGER USER');
    await trx.raw('DELETE FROM records_default WHERE received_at >= ? AND received_at < ?', [from, to]);
    await trx.raw('ALTER TABLE records_default ENABLE TRIGGER USER');
  }
  await trx.raw(`ALTER TABLE records ATTACH PARTITION ?? FOR VALUES FROM (${from}) TO (${to})`, [name]);
}

async function addMonth(knex: Knex, month: Month): Promise<boolean> {
  // Counted before the turn: rows of that month only get more, and what is far too much stays so.
  if (await tooManyInDefault(knex, month)) return true;
  const added = await inTurn(knex, async (trx) => {
    const known = await partitionsOf(trx);
    if (known.some((one) => overlap(month, one))) return true;
    await createLikeDefault(trx, month);
    await attach(trx, month);
    return true;
  });
  return added === true;
}

/**
 * Makes the partitions of this month and those ahead, which must be there before their records are. A month of which the
 * default partition holds too many rows already (a clock was wrong for long) gets none: its records go on to the default
 * partition, where all is the same but that the month cannot leave as a whole. Moving them would stop the exchange.
 *
 * @returns whether nothing is left to be tried again
 */
export async function addMonths(knex: Knex, now: number): Promise<boolean> {
  if (!isPostgres(knex)) return true;
  const known = await partitionsOf(knex);
  let done = true;
  for (const month of monthsFrom(now))
    if (!known.some((one) => overlap(month, one)) && !(await addMonth(knex, month))) done = false;
  return done;
}

/** Partitions of months that are over by the database's clock, and that the sealed segments have gone past. */
async function leftBehind(knex: Knex): Promise<Partition[]> {
  const [at] = await rows<{ now: number; sealed: number | null }>(
    knex,
    `SELECT (extract(epoch FROM now()) * 1000)::bigint AS now, (SELECT max(last_at) FROM log_segments) AS sealed`,
  );
  if (at === undefined || at.sealed === null) return [];
  const before = Math.min(startOf('month', at.now), at.sealed);
  return (await partitionsOf(knex)).filter(({ to }) => to !== null && to <= before);
}

async function isEmpty(knex: Knex, { name }: Partition): Promise<boolean> {
  // By the key: the table itself may be full of what was deleted.
  const [row] = await rows<{ newest: number | null }>(knex, 'SELECT max(seq) AS newest FROM ??', [name]);
  return row?.newest === null;
}

/** Looked at before the turn, when another node may be dropping it. */
async function seemsEmpty(knex: Knex, partition: Partition): Promise<boolean> {
  try {
    return await isEmpty(knex, partition);
  } catch (error) {
    if ((error as { code?: unknown }).code === NO_SUCH_TABLE) return false;
    throw error;
  }
}

/**
 * Drops the partitions of past months whose rows have all left for sealed segments. An empty one is not dropped before
 * the sealed range has gone past its month, and never that of this month or of one to come: their rows are yet to come.
 * A record that is late all the same goes to the default partition.
 *
 * @returns the names of those dropped; one that somebody holds is left for the next time
 */
export async function dropEmptyPartitions(knex: Knex): Promise<string[]> {
  if (!isPostgres(knex)) return [];
  const dropped: string[] = [];
  for (const partition of await leftBehind(knex)) {
    if (!(await seemsEmpty(knex, partition))) continue;
    const done = await inTurn(knex, async (trx) => {
      if (!(await partitionsOf(trx)).some(({ name }) => name === partition.name)) return false;
      // The parent first, as all who read and write take them.
      await trx.raw('LOCK TABLE ONLY records IN ACCESS EXCLUSIVE MODE');
      await trx.raw('LOCK TABLE ?? IN ACCESS EXCLUSIVE MODE', [partition.name]);
      if (!(await isEmpty(trx, partition))) return false;
      await trx.raw('DROP TABLE ??', [partition.name]);
      return true;
    });
    if (done === true) dropped.push(partition.name);
  }
  return dropped;
}

/** The job of a node. It asks once a month which partitions there are, and for the rest whether something was sealed. */
export function partitionKeeper({ knex, engine }: Database): (now: number) => Promise<void> {
  let done: number | null = null;
  return async (now) => {
    if (engine !== 'postgres') return;
    const month = startOf('month', now);
    if (done !== month && (await addMonths(knex, now))) done = month;
    await dropEmptyPartitions(knex);
  };
}
