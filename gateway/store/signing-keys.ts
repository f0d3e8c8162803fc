import type { Knex } from 'knex';
import type { Database } from './database.js';

/**
 * token: signs access tokens · log: signs checkpoints · cookie: signs the authorization server's cookies · subject:
 * makes the digests of persons in the record.
 */
export const KEY_PURPOSES = ['token', 'log', 'cookie', 'subject'] as const;
export type KeyPurpose = (typeof KEY_PURPOSES)[number];

export interface SigningKeyRow {
  kid: string;
  purpose: KeyPurpose;
  /** JSON of the public JWK; `{}` for a symmetric key, which has no public half. */
  public_jwk: string;
  sealed_private: string;
  created_at: number;
  /** Published at once, used for signing from here on. */
  signs_from: number;
  /** What it signed is accepted until then; null while nothing replaces it. */
  verifies_until: number | null;
}

/** All keys that still verify something, oldest first. */
export async function listSigningKeys(knex: Knex, now: number): Promise<SigningKeyRow[]> {
  return await knex<SigningKeyRow>('signing_keys')
    .where((live) => void live.whereNull('verifies_until').orWhere('verifies_until', '>', now))
    .orderBy([{ column: 'signs_from' }, { column: 'kid' }]);
}

export async function insertSigningKey(knex: Knex, row: SigningKeyRow): Promise<void> {
  await knex<SigningKeyRow>('signing_keys').insert(row);
}

/** Puts an end to every other key of the purpose that has none yet. */
export async function endOtherSigningKeys(
  knex: Knex,
  purpose: KeyPurpose,
  kid: string,
  verifiesUntil: number,
): Promise<number> {
  return await knex<SigningKeyRow>('signing_keys')
    .where({ purpose })
    .whereNot({ kid })
    .whereNull('verifies_until')
    .update({ verifies_until: verifiesUntil });
}

/** Runs `work` alone among all nodes and programs that would change keys; readers are not held up. */
export async function withSigningKeysLocked<T>(
  database: Database,
  work: (trx: Knex.Transaction) => Promise<T>,
): Promise<T> {
  return await database.knex.transaction(async (trx) => {
    if (database.engine === 'postgres') await trx.raw('LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE');
    // SQLite takes its one write lock at the first statement that could write, and waits for it only there.
    else await trx.raw('UPDATE signing_keys SET kid = kid WHERE 1 = 0');
    return await work(trx);
  });
}
