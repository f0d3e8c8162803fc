import type { Knex } from 'knex';
import type { Page, PageAsk } from './page.js';

export interface SecurityEventRow {
  id: string;
  kind: string;
  severity: string;
  subject: string;
  window_from: number;
  window_to: number;
  count: number;
  threshold: number;
  at: number;
}

export interface SecurityFilter {
  readonly kind?: string | undefined;
  readonly severity?: string | undefined;
  readonly subject?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

interface CountRow {
  kind: string;
  subject: string;
  slot: number;
  count: number;
}

/** Adds to a count. @returns nothing; the sum is asked for with `countedSince` */
export async function addCount(trx: Knex, row: CountRow): Promise<void> {
  await trx<CountRow>('security_counts')
    .insert(row)
    .onConflict(['kind', 'subject', 'slot'])
    .merge({ count: trx.raw('security_counts.count + excluded.count') as unknown as number });
}

export async function countedBetween(
  trx: Knex,
  kind: string,
  subject: string,
  from: number,
  to: number,
): Promise<number> {
  const row = (await trx('security_counts')
    .where({ kind, subject })
    .whereBetween('slot', [from, to])
    .sum({ n: 'count' })
    .first()) as { n: number | string | null } | undefined;
  return Number(row?.n ?? 0);
}

/** The counts of these slots, in their order; none for those before the first that is known. */
export async function countsAt(
  trx: Knex,
  kind: string,
  subject: string,
  slots: readonly number[],
): Promise<number[]> {
  const first = (await trx('security_counts').where({ kind, subject }).min({ slot: 'slot' }).first()) as {
    slot: number | null;
  };
  const rows = await trx<CountRow>('security_counts')
    .where({ kind, subject })
    .whereIn('slot', [...slots]);
  const found = new Map(rows.map(({ slot, count }) => [slot, count]));
  return slots.filter((slot) => slot >= (first.slot ?? Infinity)).map((slot) => found.get(slot) ?? 0);
}

export async function deleteCountsBefore(trx: Knex, kind: string, slot: number): Promise<void> {
  await trx<CountRow>('security_counts').where({ kind }).where('slot', '<', slot).delete();
}

/** Whether the same was said about the same subject since then. */
export async function saidSince(trx: Knex, kind: string, subject: string, since: number): Promise<boolean> {
  const row = await trx<SecurityEventRow>('security_events')
    .where({ kind, subject })
    .where('window_to', '>', since)
    .first('id');
  return row !== undefined;
}

export async function insertEvent(trx: Knex, row: SecurityEventRow): Promise<void> {
  await trx<SecurityEventRow>('security_events').insert(row);
}

/** How many of a kind were found since then. */
export async function eventsSince(trx: Knex, kind: string, at: number): Promise<number> {
  const row = (await trx('security_events')
    .where({ kind })
    .where('at', '>=', at)
    .count({ n: '*' })
    .first()) as {
    n: number;
  };
  return row.n;
}

/** One page, newest first. */
export async function pageEvents(
  knex: Knex,
  { from, to, ...terms }: SecurityFilter,
  ask: PageAsk,
): Promise<Page<SecurityEventRow>> {
  const query = knex<SecurityEventRow>('security_events')
    .orderBy('id', 'desc')
    .limit(ask.limit + 1);
  for (const name of ['kind', 'severity', 'subject'] as const)
    if (terms[name] !== undefined) void query.where(name, terms[name]);
  if (from !== undefined) void query.where('window_to', '>=', from);
  if (to !== undefined) void query.where('window_from', '<', to);
  if (ask.after !== undefined) void query.where('id', '<', ask.after);
  const found = await query;
  const rows = found.slice(0, ask.limit);
  return { rows, next: found.length > ask.limit ? (rows.at(-1)?.id ?? null) : null };
}
