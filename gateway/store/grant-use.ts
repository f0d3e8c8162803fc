import type { Knex } from 'knex';
import { rowsIn } from './page.js';

export const OUTCOMES = ['answered', 'refused', 'failed', 'aborted'] as const;
export type UseOutcome = (typeof OUTCOMES)[number];

/** What was called of one operation under one grant on one day. */
export interface GrantUseRow {
  grant_id: string;
  /** Calendar day in Asia/Ho_Chi_Minh. */
  day: string;
  operation: string;
  answered: number;
  refused: number;
  failed: number;
  aborted: number;
  /** Milliseconds since the epoch. */
  last_at: number;
  /** JSON array of the approved fields that left; null where an answer left that no approval narrowed. */
  fields: string | null;
}

const fieldsOf = (text: string | null): readonly string[] | null =>
  text === null ? null : (JSON.parse(text) as string[]);

/** All fields, once all have left; otherwise those of both. */
export function joinFields(a: string | null, b: string | null): string | null {
  const [one, other] = [fieldsOf(a), fieldsOf(b)];
  return one === null || other === null ? null : JSON.stringify([...new Set([...one, ...other])].sort());
}

/** Adds to what is known of a day. */
export async function addGrantUse(trx: Knex, row: GrantUseRow): Promise<void> {
  const { grant_id, day, operation } = row;
  const key = { grant_id, day, operation };
  const known = await trx<GrantUseRow>('grant_use').where(key).first();
  if (known === undefined) {
    await trx<GrantUseRow>('grant_use').insert(row);
    return;
  }
  const sums = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, known[outcome] + row[outcome]]));
  await trx<GrantUseRow>('grant_use')
    .where(key)
    .update({
      ...sums,
      last_at: Math.max(known.last_at, row.last_at),
      fields: joinFields(known.fields, row.fields),
    });
}

/** Grant → its days, oldest first. */
export async function useOfGrants(
  knex: Knex,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly GrantUseRow[]>> {
  const found = new Map<string, GrantUseRow[]>();
  const rows = await rowsIn<GrantUseRow>(knex, 'grant_use', 'grant_id', ids);
  for (const row of rows.sort((a, b) => (a.day < b.day ? -1 : 1))) {
    const known = found.get(row.grant_id);
    if (known === undefined) found.set(row.grant_id, [row]);
    else known.push(row);
  }
  return found;
}

/** Grant → when it was last called. */
export async function lastUses(knex: Knex, ids: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  for (const [id, rows] of await useOfGrants(knex, ids))
    found.set(id, Math.max(...rows.map((row) => row.last_at)));
  return found;
}
