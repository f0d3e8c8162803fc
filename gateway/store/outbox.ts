import type { Knex } from 'knex';
import { uuidv7 } from '../base/ids.js';
import type { Database } from './database.js';
import type { Page, PageAsk } from './page.js';

export type DeliveryState = 'waiting' | 'sent' | 'failed';

/** One notice that is to reach one channel. */
export interface OutboxRow {
  id: string;
  notice_id: string;
  channel_id: string;
  state: DeliveryState;
  /** Counted when an attempt begins, so that one which takes its node down counts too. */
  attempts: number;
  next_at: number;
  /** Until then no other node takes it up. */
  lease_until: number | null;
  leased_by: string | null;
  last_error: string | null;
  created_at: number;
  sent_at: number | null;
}

/** A row that this node has taken up; only whoever still holds it may say what became of it. */
export type Leased = Pick<OutboxRow, 'id' | 'notice_id' | 'channel_id' | 'attempts'> & {
  readonly leased_by: string;
};

/** Puts a notice up for each of the channels; in the transaction that makes the notice. @returns the rows' ids */
export async function enqueue(
  trx: Knex,
  noticeId: string,
  channels: readonly string[],
  at: number,
): Promise<string[]> {
  const rows = channels.map(
    (channel_id): OutboxRow => ({
      id: uuidv7(at),
      notice_id: noticeId,
      channel_id,
      state: 'waiting',
      attempts: 0,
      next_at: at,
      lease_until: null,
      leased_by: null,
      last_error: null,
      created_at: at,
      sent_at: null,
    }),
  );
  if (rows.length > 0) await trx<OutboxRow>('outbox').insert(rows);
  return rows.map(({ id }) => id);
}

function due(knex: Knex, now: number, notTo: readonly string[]): Knex.QueryBuilder {
  return knex('outbox')
    .select('id')
    .where({ state: 'waiting' })
    .where('next_at', '<=', now)
    .where((free) => void free.whereNull('lease_until').orWhere('lease_until', '<=', now))
    .whereNotIn('channel_id', [...notTo])
    .orderBy(['next_at', 'id'])
    .limit(1);
}

/**
 * Takes up the message that has waited longest, for as long as the lease runs.
 *
 * @param ask.notTo channels to leave alone for now
 */
export async function leaseNext(
  database: Database,
  ask: { now: number; node: string; leaseMs: number; notTo: readonly string[] },
): Promise<Leased | undefined> {
  const { knex, engine } = database;
  // Looked at before it is written: an idle node must not take SQLite's one write lock again and again.
  if ((await due(knex, ask.now, ask.notTo).first()) === undefined) return undefined;
  const next = due(knex, ask.now, ask.notTo);
  if (engine === 'postgres') void next.forUpdate().skipLocked();
  const [row] = await knex('outbox')
    // `=` and not `IN`: PostgreSQL may run the latter's query again, and would lock another row each time.
    .where('id', '=', next)
    .update({
      leased_by: ask.node,
      lease_until: ask.now + ask.leaseMs,
      attempts: knex.raw('attempts + 1'),
    })
    .returning<Leased[]>(['id', 'notice_id', 'channel_id', 'attempts', 'leased_by']);
  return row;
}

/**
 * Ends an attempt: with `next_at` in the patch it is tried again.
 *
 * @returns false when another node had taken the message up meanwhile; then nothing was written
 */
export async function settle(
  knex: Knex,
  { id, attempts, leased_by }: Leased,
  patch: Partial<Pick<OutboxRow, 'state' | 'next_at' | 'last_error' | 'sent_at' | 'attempts'>>,
): Promise<boolean> {
  const changed = await knex<OutboxRow>('outbox')
    .where({ id, attempts, leased_by, state: 'waiting' })
    .update({ lease_until: null, leased_by: null, ...patch });
  return changed === 1;
}

/** Gives up everything that waits for a channel. */
export async function failWaiting(knex: Knex, channelId: string, reason: string): Promise<void> {
  await knex<OutboxRow>('outbox')
    .where({ channel_id: channelId, state: 'waiting' })
    .update({ state: 'failed', last_error: reason, lease_until: null, leased_by: null });
}

/** A delivery with what it is about. */
export interface DeliveryRow extends OutboxRow {
  agency: string;
  channel_kind: string;
  target: string;
  notice_kind: string;
}

function deliveries(knex: Knex): Knex.QueryBuilder {
  return knex('outbox')
    .join('notice_channels', 'notice_channels.id', 'outbox.channel_id')
    .join('notices', 'notices.id', 'outbox.notice_id')
    .select(
      'outbox.*',
      'notice_channels.agency',
      'notice_channels.kind as channel_kind',
      'notice_channels.target',
      'notices.kind as notice_kind',
    );
}

/** One page, newest first. */
export async function pageDeliveries(
  knex: Knex,
  filter: {
    readonly states: readonly DeliveryState[];
    readonly channel?: string | undefined;
    readonly agency?: string | undefined;
  },
  ask: PageAsk,
): Promise<Page<DeliveryRow>> {
  const query = deliveries(knex)
    .whereIn('outbox.state', [...filter.states])
    .orderBy('outbox.id', 'desc')
    .limit(ask.limit + 1);
  if (filter.channel !== undefined) void query.where('outbox.channel_id', filter.channel);
  if (filter.agency !== undefined) void query.where('notice_channels.agency', filter.agency);
  if (ask.after !== undefined) void query.where('outbox.id', '<', ask.after);
  const found = (await query) as DeliveryRow[];
  const rows = found.slice(0, ask.limit);
  return { rows, next: found.length > ask.limit ? (rows.at(-1)?.id ?? null) : null };
}

export async function findDelivery(knex: Knex, id: string): Promise<DeliveryRow | undefined> {
  return (await deliveries(knex).where('outbox.id', id).first()) as DeliveryRow | undefined;
}

/** A message that was given up starts anew. @returns false when it was not given up */
export async function retry(knex: Knex, id: string, now: number): Promise<boolean> {
  const changed = await knex<OutboxRow>('outbox')
    .where({ id, state: 'failed' })
    .update({ state: 'waiting', attempts: 0, next_at: now, lease_until: null, leased_by: null });
  return changed === 1;
}

/** How many wait and how many were given up, in the whole installation. */
export async function countOutbox(knex: Knex): Promise<{ waiting: number; failed: number }> {
  const rows = await knex('outbox')
    .select('state')
    .whereIn('state', ['waiting', 'failed'])
    .count<{ state: DeliveryState; n: number }[]>({ n: '*' })
    .groupBy('state');
  const of = (state: DeliveryState) => rows.find((row) => row.state === state)?.n ?? 0;
  return { waiting: of('waiting'), failed: of('failed') };
}

/** Removes what was sent or given up long ago, at most `batch` rows. */
export async function deleteOld(knex: Knex, before: number, batch: number): Promise<void> {
  const old = knex<OutboxRow>('outbox')
    .select('id')
    .whereIn('state', ['sent', 'failed'])
    .where('next_at', '<', before)
    .limit(batch);
  await knex('outbox').whereIn('id', old).delete();
}
