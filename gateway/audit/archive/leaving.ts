import type { Knex } from 'knex';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../store/database.js';
import { filesAlone, type LeavingFile } from '../../store/log-segments.js';
import { HAND_OVER_NOUN } from '../key-hand-over.js';
import { type Gone, removeEntries } from '../search/entries.js';
import { SEGMENT_NOUN } from './acts.js';
import { planesOf, type RecordClass } from './classes.js';

/** Rows of one transaction: few, for the log waits meanwhile. */
const ROWS = 256;
/** Of the time, at most, the log's lock is held for this. */
const SHARE = 0.25;

/** What proves keys and segments stays: the platform's own acts about them. */
const STAYING = [HAND_OVER_NOUN, SEGMENT_NOUN] as const;

async function nextRows(
  knex: Knex,
  { from_seq, to_seq, class: wanted }: LeavingFile,
  after: number,
): Promise<number[]> {
  return await knex<{ seq: number; plane: string; noun: string | null }>('records')
    .where('seq', '>=', Math.max(from_seq, after))
    .where('seq', '<', to_seq)
    .whereIn('plane', planesOf(wanted as RecordClass))
    .where((free) => void free.whereNull('noun').orWhereNotIn('noun', [...STAYING]))
    .orderBy('seq')
    .limit(ROWS)
    .pluck('seq');
}

async function removeRows(knex: Knex, seqs: readonly number[]): Promise<void> {
  await knex.transaction(async (trx) => {
    await trx('record_subjects').whereIn('seq', seqs).delete();
    await trx('records').whereIn('seq', seqs).delete();
  });
}

async function leave(knex: Knex, leaving: LeavingFile, signal: AbortSignal): Promise<number> {
  let removed = 0;
  let after = leaving.from_seq;
  for (;;) {
    signal.throwIfAborted();
    const since = performance.now();
    const seqs = await nextRows(knex, leaving, after);
    const last = seqs.at(-1);
    if (last === undefined) return removed;
    await removeRows(knex, seqs);
    removed += seqs.length;
    after = last + 1;
    await sleep((performance.now() - since) * (1 / SHARE - 1));
  }
}

/**
 * Takes out of the table what is in files alone now, also what a stop left in the middle.
 *
 * @returns how many records left
 */
export async function removeSealedRows(database: Database, signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (const file of await filesAlone(database.knex)) {
    const left = await leave(database.knex, file, signal);
    if (left > 0) await removeEntries(database, entriesOf(file));
    removed += left;
  }
  return removed;
}

const entriesOf = (file: LeavingFile): Gone => ({
  ...{ planes: planesOf(file.class as RecordClass), butNouns: STAYING },
  ...{ fromSeq: file.from_seq, toSeq: file.to_seq, firstAt: file.first_at, lastAt: file.last_at },
});
