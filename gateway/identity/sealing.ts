import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { ConfigError } from '../base/config.js';
import type { Database } from '../store/database.js';
import { findInstallationValue, keepInstallationValue } from '../store/installation.js';
import { loadMasterKey } from './master-key.js';

/** The sealed text cannot be opened: another master key, another place, or it was changed. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** Keeps secrets at rest: private keys and connector credentials. */
export interface Sealing {
  /**
   * Encrypts with AES-256-GCM under a key of this purpose; the text opens only for the same purpose and id, so
   * that a sealed value cannot be moved to another row.
   *
   * @returns versioned text, `s1.{nonce}.{ciphertext and tag}`, each part base64url
   * @example sealing.seal('connector-credential', 'H35.1/dvhc/v1#source', 'secret')
   */
  seal(purpose: string, id: string, plain: string | Uint8Array): string;
  /** @throws SealError, which never tells more than the purpose and the id */
  open(purpose: string, id: string, sealed: string): Buffer;
  /** A key of 32 bytes for this purpose, the same on every node and in no way a key that seals. */
  derive(purpose: string): Buffer;
}

const VERSION = 's1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const FORM = /^s1\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]{22,})$/;

function associated(purpose: string, id: string): Buffer {
  return Buffer.from(JSON.stringify([VERSION, purpose, id]), 'utf8');
}

/** @param masterKey - 32 bytes */
export function createSealing(masterKey: Uint8Array): Sealing {
  if (masterKey.length !== 32) throw new ConfigError('the master key must be 32 bytes');
  const keys = new Map<string, Buffer>();
  const keyOf = (purpose: string): Buffer => {
    let key = keys.get(purpose);
    if (key === undefined) {
      key = Buffer.from(hkdfSync('sha256', masterKey, '', `lgsp/seal/${VERSION}/${purpose}`, 32));
      keys.set(purpose, key);
    }
    return key;
  };
  return {
    seal(purpose, id, plain) {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', keyOf(purpose), nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(associated(purpose, id));
      const text = Buffer.concat([
        cipher.update(typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain),
        cipher.final(),
        cipher.getAuthTag(),
      ]);
      return `${VERSION}.${nonce.toString('base64url')}.${text.toString('base64url')}`;
    },
    open: (purpose, id, sealed) => open(keyOf(purpose), purpose, id, sealed),
    derive: (purpose) =>
      Buffer.from(hkdfSync('sha256', masterKey, '', `lgsp/derive/${VERSION}/${purpose}`, 32)),
  };
}

function open(key: Buffer, purpose: string, id: string, sealed: string): Buffer {
  const [, nonce, text] = FORM.exec(sealed) ?? [];
  if (nonce === undefined || text === undefined)
    throw new SealError(`what is stored as ${purpose} ${id} is not a sealed value`);
  const bytes = Buffer.from(text, 'base64url');
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(nonce, 'base64url'), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associated(purpose, id));
  try {
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SealError(
      `${purpose} ${id} cannot be opened: sealed with another master key, moved or changed`,
    );
  }
}

const CHECK = 'master-key-check';
const CHECK_PLAIN = 'lgsp';

function verifyCheck(sealing: Sealing, sealed: string): void {
  try {
    sealing.open('installation', CHECK, sealed);
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    throw new ConfigError(
      'the master key is not the one this installation was sealed with: set masterKey (LGSP_MASTER_KEY), ' +
        'or put the file master.key in the data folder, to the value of its first start',
    );
  }
}

export interface SealingOptions {
  readonly masterKey?: string | undefined;
  readonly dataDir: string;
  readonly database: Database;
}

/**
 * The sealing of this installation, with the master key from the settings or, with SQLite only, from the file
 * `master.key` in the data folder. The first start leaves a check value in the database; every later one is
 * refused here, before anything is written, when its master key is another.
 *
 * @throws ConfigError for a missing, malformed or wrong master key
 */
export async function openSealing(options: SealingOptions): Promise<Sealing> {
  const { knex, engine } = options.database;
  const check = await findInstallationValue(knex, CHECK);
  const sealing = createSealing(
    loadMasterKey({
      masterKey: options.masterKey,
      dataDir: options.dataDir,
      engine,
      mayCreate: check === undefined,
    }),
  );
  if (check !== undefined) verifyCheck(sealing, check);
  else
    verifyCheck(
      sealing,
      await keepInstallationValue(knex, CHECK, sealing.seal('installation', CHECK, CHECK_PLAIN)),
    );
  return sealing;
}
