import type { Knex } from 'knex';

/** Work that one node of an installation does at a time, now and then. */
export interface TurnAsk {
  readonly name: string;
  readonly node: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly leaseMs: number;
}

interface TurnRow {
  readonly name: string;
  readonly next_at: number;
  readonly leased_by: string | null;
  readonly lease_until: number | null;
}

const table = (knex: Knex) => knex<TurnRow>('turns');

/**
 * Takes the turn for as long as the lease runs, when it is due and no other node has it. Looked at before it is written: a
 * node with nothing to do must not take SQLite's one write lock.
 */
export async function takeTurn(knex: Knex, { name, node, now, leaseMs }: TurnAsk): Promise<boolean> {
  const due = () =>
    table(knex)
      .where({ name })
      .where('next_at', '<=', now)
      .where((free) => void free.whereNull('lease_until').orWhere('lease_until', '<=', now));
  const known = await table(knex).where({ name }).first('name');
  if (known === undefined) await table(knex).insert({ name, next_at: 0 }).onConflict('name').ignore();
  if ((await due().first('name')) === undefined) return false;
  return (await due().update({ leased_by: node, lease_until: now + leaseMs })) > 0;
}

/** @returns false when the lease has gone to another node */
export async function renewTurn(knex: Knex, { name, node, now, leaseMs }: TurnAsk): Promise<boolean> {
  const changed = await table(knex)
    .where({ name, leased_by: node })
    .update({ lease_until: now + leaseMs });
  return changed > 0;
}

/** Gives it back, due again at a time. */
export async function endTurn(
  knex: Knex,
  { name, node }: Pick<TurnAsk, 'name' | 'node'>,
  nextAt: number,
): Promise<void> {
  await table(knex)
    .where({ name, leased_by: node })
    .update({ next_at: nextAt, leased_by: null, lease_until: null });
}
