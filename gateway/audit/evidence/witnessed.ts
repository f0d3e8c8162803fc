import { findEvidence, listWitnesses } from '../../store/witnesses.js';
import type { Database } from '../../store/database.js';
import { consistencyProof, type HashReader } from '../proofs.js';
import { firstCheckpointOver } from '../stored-tree.js';
import { type BundledWitness, MOST_WITNESSES, WITNESS_FILE, witnessFile } from './format.js';

/**
 * What each witness gave for the newest head that it has seen, and that this head and the one of `size` leaves are of one
 * history.
 */
export async function bundledWitnesses(
  database: Database,
  read: HashReader,
  size: number,
): Promise<BundledWitness[]> {
  const found: BundledWitness[] = [];
  for (const { name, kind } of (await listWitnesses(database.knex)).slice(0, MOST_WITNESSES)) {
    const evidence = await findEvidence(database.knex, name);
    if (evidence === undefined || !WITNESS_FILE.test(witnessFile(name))) continue;
    const head = await firstCheckpointOver(database, evidence.size - 1);
    if (head?.size !== evidence.size) continue;
    const [older, newer] = [Math.min(size, head.size), Math.max(size, head.size)];
    const consistency = (await consistencyProof(read, older, newer)).map((hash) => hash.toString('base64'));
    const { form, content } = evidence;
    const at = new Date(evidence.at).toISOString();
    found.push({
      name,
      kind,
      at,
      size: head.size,
      checkpoint: head.note,
      consistency,
      form,
      evidence: content,
    });
  }
  return found;
}
