import type { Knex } from 'knex';
import type { Database } from './database.js';

/** What a change was about; every node re-reads just that. */
export type ChangedNoun =
  | 'agency'
  | 'system'
  | 'service'
  | 'legal_basis'
  | 'calendar_day'
  | 'document'
  | 'grant'
  | 'sharing_request'
  | 'account_request'
  | 'difficulty'
  | 'channel'
  | 'change_request'
  | 'break_glass'
  | 'person';

export interface Change {
  readonly id: number;
  readonly noun: ChangedNoun;
  readonly key: string;
}

/** Any number that no other program takes as its PostgreSQL advisory lock. */
const CHANGES_LOCK = 4_910_001;

/**
 * Runs `work` in one transaction and notes what it changed, so that all nodes see it within a second.
 *
 * On PostgreSQL writers take turns: without that, a change with a lower number could become visible after a
 * higher one was already read, and be missed for ever. The note is the transaction's first statement: SQLite then
 * waits for its lock, where a transaction that began by reading would be refused as soon as the log had moved on.
 */
export async function changing<T>(
  database: Database,
  change: { noun: ChangedNoun; key: string; at: number },
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return await database.knex.transaction(async (trx) => {
    if (database.engine === 'postgres') await trx.raw('SELECT pg_advisory_xact_lock(?)', [CHANGES_LOCK]);
    await trx('changes').insert(change);
    return await work(trx);
  });
}

/** Notes a further object that the same transaction changed. */
export async function alsoChanged(
  trx: Knex,
  change: { noun: ChangedNoun; key: string; at: number },
): Promise<void> {
  await trx('changes').insert(change);
}

export async function changesSince(knex: Knex, id: number): Promise<Change[]> {
  return await knex<Change>('changes').select('id', 'noun', 'key').where('id', '>', id).orderBy('id');
}

export async function lastChange(knex: Knex): Promise<number> {
  const row = (await knex('changes').max({ id: 'id' }).first()) as { id: number | null } | undefined;
  return row?.id ?? 0;
}
