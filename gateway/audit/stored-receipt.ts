import type { Database } from '../store/database.js';
import type { ArchivedRecords } from './archive/archived-records.js';
import { inclusionProof } from './proofs.js';
import { formatReceipt } from './receipt.js';
import { firstCheckpointOver, storedLeaves, storedTree } from './stored-tree.js';

/**
 * The receipt of the record at `index`, over the first checkpoint that covers it: the same whenever it is asked for.
 *
 * @param archived where it is looked for when it left the table
 * @returns null while there is no such record, or no checkpoint covers it
 */
export async function storedReceipt(
  database: Database,
  index: number,
  archived?: ArchivedRecords,
): Promise<string | null> {
  const [kept] = await storedLeaves(database, index, index + 1);
  const leaf = kept ?? (await archived?.leaves(index, index + 1))?.get(index);
  const head = await firstCheckpointOver(database, index);
  if (leaf === undefined || head === null) return null;
  const proof = await inclusionProof(storedTree(database), index, head.size);
  return formatReceipt({ index, leaf, proof, checkpoint: head.note });
}
