import type { Knex } from 'knex';

/** How far one sink of the feed has come. */
export interface FeedCursorRow {
  sink: string;
  seq: number;
  resume_seq: number;
  leased_by: string | null;
  lease_until: number | null;
  last_error: string | null;
  /** Since when operators have been told that it is behind. */
  outage_since: number | null;
  updated_at: number;
}

export interface LeaseAsk {
  readonly sink: string;
  readonly node: string;
  readonly now: number;
  readonly leaseMs: number;
}

const table = (knex: Knex) => knex<FeedCursorRow>('feed_cursors');

export async function addCursor(knex: Knex, sink: string, seq: number, now: number): Promise<void> {
  if ((await findCursor(knex, sink)) !== undefined) return;
  const free = { leased_by: null, lease_until: null, last_error: null, outage_since: null };
  await table(knex)
    .insert({ sink, seq, resume_seq: seq, updated_at: now, ...free })
    .onConflict('sink')
    .ignore();
}

export async function findCursor(knex: Knex, sink: string): Promise<FeedCursorRow | undefined> {
  return await table(knex).where({ sink }).first();
}

/** Takes a sink up for a while. @returns undefined while another node has it */
export async function leaseCursor(
  knex: Knex,
  { sink, node, now, leaseMs }: LeaseAsk,
): Promise<FeedCursorRow | undefined> {
  const free = (rows: Knex.QueryBuilder) =>
    rows
      .where({ sink })
      .where(
        (one) =>
          void one.whereNull('lease_until').orWhere('lease_until', '<=', now).orWhere({ leased_by: node }),
      );
  // Looked at before it is written: a node that waits must not take SQLite's one write lock again and again.
  if ((await free(knex('feed_cursors')).first('sink')) === undefined) return undefined;
  const [row] = (await free(knex('feed_cursors'))
    .update({ leased_by: node, lease_until: now + leaseMs })
    .returning('*')) as FeedCursorRow[];
  return row;
}

/** Moves the cursor and keeps the lease. @returns false when another node has taken the sink up */
export async function moveCursor(
  knex: Knex,
  ask: LeaseAsk,
  place: { readonly seq: number; readonly resume: number },
): Promise<boolean> {
  const { sink, node, now, leaseMs } = ask;
  const changed = await table(knex)
    .where({ sink, leased_by: node })
    .update({
      seq: place.seq,
      resume_seq: place.resume,
      lease_until: now + leaseMs,
      last_error: null,
      updated_at: now,
    });
  return changed === 1;
}

export async function releaseCursor(
  knex: Knex,
  sink: string,
  node: string,
  error: string | null,
): Promise<void> {
  await table(knex)
    .where({ sink, leased_by: node })
    .update({ leased_by: null, lease_until: null, ...(error === null ? {} : { last_error: error }) });
}

/** @returns false when another node was first */
export async function beginOutage(trx: Knex, sink: string, now: number): Promise<boolean> {
  return (await table(trx).where({ sink }).whereNull('outage_since').update({ outage_since: now })) === 1;
}

export async function endOutage(trx: Knex, sink: string, since: number): Promise<boolean> {
  return (await table(trx).where({ sink, outage_since: since }).update({ outage_since: null })) === 1;
}

/** Records after a place in the log, in order. */
export async function recordsAfter(
  knex: Knex,
  seq: number,
  limit: number,
): Promise<{ seq: number; leaf: string }[]> {
  return await knex('records')
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(limit)
    .select<{ seq: number; leaf: string }[]>('seq', 'leaf');
}

/** -1 for an empty log. */
export async function newestSeq(knex: Knex): Promise<number> {
  const row = (await knex('records').max({ seq: 'seq' }).first()) as { seq: number | null } | undefined;
  return row?.seq ?? -1;
}

/** When the record after this place was made durable, by the checkpoint that first covered it. */
export async function durableAt(knex: Knex, seq: number): Promise<number | undefined> {
  const row = await knex<{ tree_size: number; at: number }>('log_checkpoints')
    .where('tree_size', '>=', seq + 2)
    .orderBy('tree_size')
    .first('at');
  return row?.at;
}
