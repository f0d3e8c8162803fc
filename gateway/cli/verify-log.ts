import { createPublicKey } from 'node:crypto';
import { verifierKeyText } from '../audit/checkpoint.js';
import { type Verification, verifyLog } from '../audit/verify/verify.js';
import type { Database } from '../store/database.js';
import { findInstallationValue } from '../store/installation.js';
import { listSigningKeys } from '../store/signing-keys.js';
import { CommandFailure } from './failure.js';

/** C2SP vkeys of every key that has signed or may sign the log, as the installation itself says. */
export async function storedVerifierKeys({ knex }: Database): Promise<string[]> {
  const origin = await findInstallationValue(knex, 'log-origin');
  if (origin === undefined)
    throw new CommandFailure('there is no log here: no gateway was started on this database');
  const rows = await listSigningKeys(knex, 0);
  return rows
    .filter(({ purpose }) => purpose === 'log')
    .map(({ public_jwk }) => JSON.parse(public_jwk) as Record<string, string>)
    .map((jwk) => verifierKeyText(origin, createPublicKey({ key: jwk, format: 'jwk' })));
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
