import type { Knex } from 'knex';
import type { LogWatchRow } from '../../store/log-watch.js';
import { findEvidence, listWitnesses, type WitnessRow } from '../../store/witnesses.js';
import { parseCheckpoint } from '../checkpoint.js';
import type { KnownHead } from '../verify/verify.js';

async function witnessed(knex: Knex, { name, size }: WitnessRow): Promise<KnownHead> {
  const from = `the head that the witness ${name} took`;
  const given = await findEvidence(knex, name, size);
  const head = given?.form === 'text' ? parseCheckpoint(given.content) : null;
  return { size, root: head?.size === size ? head.root.toString('base64') : null, from };
}

/** Heads that the installation remembers of its log: the largest that was proved, and what each witness took last. */
export async function keptHeads(knex: Knex, { held_size, held_root }: LogWatchRow): Promise<KnownHead[]> {
  const proved = { size: held_size, root: held_root, from: 'the head that was verified last' };
  const rows = (await listWitnesses(knex)).filter(({ size }) => size > 0);
  return [proved, ...(await Promise.all(rows.map((row) => witnessed(knex, row))))];
}
