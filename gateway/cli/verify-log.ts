import { publishedKeys } from '../audit/published-keys.js';
import { type Verification, verifyLog } from '../audit/verify/verify.js';
import type { Database } from '../store/database.js';
import { CommandFailure } from './failure.js';

/** The keys of the log, as the installation itself says. */
async function storedVerifierKeys(database: Database): Promise<readonly string[]> {
  const published = await publishedKeys(database);
  if (published === null)
    throw new CommandFailure('there is no log here: no gateway was started on this database');
  return published.keys;
}

/**
 * Verifies the whole log.
 *
 * @param keys vkeys to trust; with none, those that the database names, which its owner could have exchanged
 */
export async function verifyInstallation(
  database: Database,
  keys: readonly string[],
  onProgress?: (done: number, size: number) => void,
): Promise<Verification> {
  const verifierKeys = keys.length > 0 ? keys : await storedVerifierKeys(database);
  try {
    return await verifyLog(database, { verifierKeys, ...(onProgress === undefined ? {} : { onProgress }) });
  } catch (error) {
    if (error instanceof RangeError) throw new CommandFailure(error.message, 2);
    throw error;
  }
}
