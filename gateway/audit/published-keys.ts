import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { Database } from '../store/database.js';
import { findInstallationValue } from '../store/installation.js';
import { listSigningKeys } from '../store/signing-keys.js';
import { verifierKeyText } from './checkpoint.js';
import { HAND_OVER_NOUN, type HandOver, handOverIn, isHandOver } from './key-hand-over.js';
import type { AuditRecord } from './record.js';

/** The keys of the log, as the installation itself says. */
export interface PublishedKeys {
  readonly origin: string;
  /** vkeys of every key that has signed or may sign, oldest first. */
  readonly keys: readonly string[];
  /** In the order of the log. */
  readonly handOvers: readonly (HandOver & { readonly index: number })[];
}

async function storedHandOvers({ knex }: Database): Promise<PublishedKeys['handOvers']> {
  const rows = await knex<{ seq: number; leaf: string; noun: string }>('records')
    .where({ noun: HAND_OVER_NOUN })
    .orderBy('seq')
    .select('seq', 'leaf');
  return rows.flatMap(({ seq, leaf }) => {
    const record = JSON.parse(leaf) as AuditRecord;
    const found = isHandOver({ ...record, noun: record.target?.noun }) ? handOverIn(record) : null;
    return found === null ? [] : [{ index: seq, ...found }];
  });
}

/** @returns null when no gateway was started on this database yet */
export async function publishedKeys(database: Database): Promise<PublishedKeys | null> {
  const origin = await findInstallationValue(database.knex, 'log-origin');
  if (origin === undefined) return null;
  const rows = await listSigningKeys(database.knex, 0);
  const keys = rows
    .filter(({ purpose }) => purpose === 'log')
    .map(({ public_jwk }) => JSON.parse(public_jwk) as JsonWebKey)
    .map((jwk) => verifierKeyText(origin, createPublicKey({ key: jwk, format: 'jwk' })));
  return { origin, keys, handOvers: await storedHandOvers(database) };
}
