import { readFileSync } from 'node:fs';
import { openCheckpoint, parseVerifierKey } from '../audit/checkpoint.js';
import { type PublishedKeys, publishedKeys } from '../audit/published-keys.js';
import { followHandOvers } from '../audit/receipt.js';
import { type KnownHead, type Verification, verifyLog } from '../audit/verify/verify.js';
import type { Database } from '../store/database.js';
import { CommandFailure } from './failure.js';

export interface InstallationAsk {
  /** vkeys to trust; with none, those that the database names, which its owner could have exchanged. */
  readonly keys?: readonly string[];
  /** Files with a checkpoint or a witness's evidence, kept outside: the log must contain each. */
  readonly checkpoints?: readonly string[];
  /** Folder of the sealed segments. */
  readonly archive?: string | null;
  readonly onProgress?: (done: number, size: number) => void;
}

function keysOf(asked: readonly string[], published: PublishedKeys | null): readonly string[] {
  if (asked.length > 0) return asked;
  if (published === null)
    throw new CommandFailure('there is no log here: no gateway was started on this database');
  return published.keys;
}

/** @param signers keys that may have signed it: those that are trusted, and those they handed over to */
function headIn(file: string, signers: ReturnType<typeof followHandOvers>): KnownHead {
  let note: string;
  try {
    note = readFileSync(file, 'utf8');
  } catch {
    throw new CommandFailure(`cannot read ${file}`, 2);
  }
  const head = openCheckpoint(note, signers);
  if (head === null)
    throw new CommandFailure(`${file} is no checkpoint that a trusted key of the log signed`, 2);
  return { size: head.size, root: head.root.toString('base64'), from: `the checkpoint in ${file}` };
}

/**
 * Verifies the whole log.
 *
 * @throws CommandFailure 2 for a key or a checkpoint that cannot be used
 */
export async function verifyInstallation(
  database: Database,
  { keys = [], checkpoints = [], archive = null, onProgress }: InstallationAsk = {},
): Promise<Verification> {
  const published = await publishedKeys(database);
  const verifierKeys = keysOf(keys, published);
  try {
    const signers = followHandOvers(verifierKeys.map(parseVerifierKey), published?.handOvers ?? []);
    const against = checkpoints.map((file) => headIn(file, signers));
    const progress = onProgress === undefined ? {} : { onProgress };
    return await verifyLog(database, { verifierKeys, archive, against, ...progress });
  } catch (error) {
    if (error instanceof RangeError) throw new CommandFailure(error.message, 2);
    throw error;
  }
}
