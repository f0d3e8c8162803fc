import type { Knex } from 'knex';
import { readProgress, setProgress, takeProgress } from '../store/progress.js';
import type { Database } from '../store/database.js';
import { newestSeq } from '../store/feed-cursors.js';

/** One who goes through the record from its beginning, in order, each record once. */
export interface Follower {
  /** Under which its place is kept. */
  readonly name: string;
  /** So many records are looked at in one transaction; what is left follows in the next. */
  readonly batch: number;
  /** Looks at the records behind `from` up to and including `to`. */
  readonly look: (trx: Knex.Transaction, from: number, to: number) => Promise<void>;
}

/** Whether it has come as far as the record: who acts on what it found must not act on old findings. */
export async function isCaughtUp({ knex }: Database, name: string): Promise<boolean> {
  return (await newestSeq(knex)) <= (await readProgress(knex, name));
}

/** @returns whether there may be more */
async function step({ knex }: Database, { name, batch, look }: Follower): Promise<boolean> {
  return await knex.transaction(async (trx) => {
    const from = await takeProgress(trx, name);
    const to = Math.min(await newestSeq(trx), from + batch);
    if (to <= from) return false;
    await look(trx, from, to);
    await setProgress(trx, name, to);
    return to - from === batch;
  });
}

/**
 * Lets it catch up. How far it has come is kept in the transaction of what it finds, and nodes take turns: nothing is looked
 * at twice, and nothing is left out by a stop.
 */
export async function followRecord(database: Database, follower: Follower): Promise<void> {
  // Looked at before it is written: an idle node must not take SQLite's one write lock again and again.
  if (await isCaughtUp(database, follower.name)) return;
  while (await step(database, follower));
}
