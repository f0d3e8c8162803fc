import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../base/config.js';
import type { Engine } from '../store/database.js';

export interface MasterKeyOptions {
  /** Base64, 32 bytes; from the settings. */
  readonly masterKey?: string | undefined;
  readonly dataDir: string;
  readonly engine: Engine;
  /** False once something was sealed: a new key would then only hide that the old one is lost. Default true. */
  readonly mayCreate?: boolean;
}

const FILE = 'master.key';

function decode(text: string, source: string): Buffer {
  const trimmed = text.trim();
  const key = Buffer.from(trimmed, 'base64');
  // Node skips what it cannot read in base64: only the round trip shows that all of it was meant.
  if (key.length !== 32 || key.toString('base64').replace(/=+$/, '') !== trimmed.replace(/=+$/, ''))
    throw new ConfigError(`${source} must be 32 bytes in base64, e.g. from: openssl rand -base64 32`);
  return key;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function readKeyFile(file: string): Buffer | undefined {
  try {
    return decode(readFileSync(file, 'utf8'), `the file ${FILE} in the data folder`);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** The file appears whole or not at all, even when the process dies or two start at once: hence the link. */
function createKeyFile(dataDir: string): void {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const draft = join(dataDir, `${FILE}.${randomBytes(6).toString('hex')}`);
  const descriptor = openSync(draft, 'wx', 0o600);
  try {
    writeSync(descriptor, `${randomBytes(32).toString('base64')}\n`);
    fsyncSync(descriptor);
    linkSync(draft, join(dataDir, FILE));
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  } finally {
    closeSync(descriptor);
    unlinkSync(draft);
  }
}

/**
 * The key that seals everything else at rest: from the settings, else (SQLite only) from the file `master.key`
 * in the data folder, readable by its owner alone and made at the first start.
 *
 * @returns 32 bytes
 * @throws ConfigError when there is none, or what is there is not 32 bytes in base64
 */
export function loadMasterKey(options: MasterKeyOptions): Buffer {
  if (options.masterKey !== undefined) return decode(options.masterKey, 'masterKey (LGSP_MASTER_KEY)');
  if (options.engine === 'postgres')
    throw new ConfigError(
      'masterKey (LGSP_MASTER_KEY) is required with PostgreSQL, because all nodes must share it; ' +
        'make one with: openssl rand -base64 32',
    );
  const file = join(options.dataDir, FILE);
  const present = readKeyFile(file);
  if (present !== undefined) return present;
  if (options.mayCreate === false)
    throw new ConfigError(
      `the file ${FILE} is missing from the data folder; without it nothing that was sealed can be opened`,
    );
  createKeyFile(options.dataDir);
  const created = readKeyFile(file);
  if (created === undefined) throw new ConfigError(`the file ${FILE} cannot be made in the data folder`);
  return created;
}
