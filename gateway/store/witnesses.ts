import type { Knex } from 'knex';

export interface WitnessRow {
  name: string;
  kind: string;
  /** Of the last head that it took; 0 before the first. */
  size: number;
  /** When it took it, milliseconds since the epoch. */
  at: number | null;
  failing_since: number | null;
  last_error: string | null;
  alarmed: boolean;
  next_at: number;
  leased_by: string | null;
  lease_until: number | null;
}

export interface EvidenceRow {
  name: string;
  size: number;
  at: number;
  form: 'text' | 'base64';
  content: string;
}

/** SQLite knows no booleans. */
const read = (row: WitnessRow): WitnessRow => ({ ...row, alarmed: Number(row.alarmed) === 1 });

/** Enters a witness that is not there yet. */
export async function enterWitness(knex: Knex, name: string, kind: string): Promise<void> {
  await knex('witnesses').insert({ name, kind }).onConflict('name').merge(['kind']);
}

export async function listWitnesses(knex: Knex): Promise<WitnessRow[]> {
  return (await knex<WitnessRow>('witnesses').orderBy('name').select()).map(read);
}

/**
 * Takes the turn at a witness that is due, for as long as the lease runs; undefined when it is not due or another node
 * has it. Looked at before it is written: a node with nothing to do must not take SQLite's one write lock.
 */
export async function takeTurn(
  knex: Knex,
  name: string,
  turn: { readonly node: string; readonly now: number; readonly leaseMs: number },
): Promise<WitnessRow | undefined> {
  const { node, now, leaseMs } = turn;
  const due = () =>
    knex<WitnessRow>('witnesses')
      .where({ name })
      .where('next_at', '<=', now)
      .where((free) => void free.whereNull('lease_until').orWhere('lease_until', '<=', now));
  if ((await due().first('name')) === undefined) return undefined;
  const taken = await due().update({ leased_by: node, lease_until: now + leaseMs });
  if (taken === 0) return undefined;
  const row = await knex<WitnessRow>('witnesses').where({ name }).first();
  return row === undefined ? undefined : read(row);
}

/** What became of a turn; nothing when the lease has gone to another node meanwhile. @returns whether it was noted */
export async function endTurn(
  trx: Knex,
  name: string,
  node: string,
  change: Partial<Omit<WitnessRow, 'name' | 'kind'>>,
): Promise<boolean> {
  const noted = await trx<WitnessRow>('witnesses')
    .where({ name, leased_by: node })
    .update({ ...change, leased_by: null, lease_until: null });
  return noted > 0;
}

export async function keepEvidence(trx: Knex, row: EvidenceRow): Promise<void> {
  await trx<EvidenceRow>('witness_evidence').insert(row).onConflict(['name', 'size']).ignore();
}

/** What a witness gave for a head of this size, or for the newest. */
export async function findEvidence(
  knex: Knex,
  name: string,
  size?: number,
): Promise<EvidenceRow | undefined> {
  const asked = knex<EvidenceRow>('witness_evidence').where({ name }).orderBy('size', 'desc');
  if (size !== undefined) void asked.where({ size });
  return await asked.first();
}
