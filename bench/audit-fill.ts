import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { canonicalRecord } from '../gateway/audit/canonical.js';
import { verifierKeyText } from '../gateway/audit/checkpoint.js';
import { LogSigners } from '../gateway/audit/log-signers.js';
import { rowOf } from '../gateway/audit/log-store.js';
import { PostgresLog } from '../gateway/audit/postgres-log.js';
import { SqliteLog } from '../gateway/audit/sqlite-log.js';
import { type Database, SQLITE_PRAGMAS } from '../gateway/store/database.js';
import { END, provinceRecords } from './audit-records.js';

/** Records in one commit: what the log thread joins at most. */
const GROUP = 4096;
const ORIGIN = 'lgsp.bench/log';

/** The key of a log that is kept stands beside it, so that the next run can verify it. */
export function keyBeside(file: string | undefined): KeyObject {
  const beside = file === undefined ? undefined : `${file}.key.pem`;
  if (beside !== undefined && existsSync(beside)) return createPrivateKey(readFileSync(beside));
  const { privateKey } = generateKeyPairSync('ed25519');
  if (beside !== undefined)
    writeFileSync(beside, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return privateKey;
}

export const verifierKeyOf = (key: KeyObject): string => verifierKeyText(ORIGIN, createPublicKey(key));

/**
 * Fills a log along the path of the log thread, but for the thread: leaves, columns, tree, tiles, a signed checkpoint with
 * every commit.
 *
 * @returns records a second
 */
export async function fill(
  database: Database,
  key: KeyObject,
  count: number,
  say: (text: string) => void,
): Promise<number> {
  const signers = new LogSigners(ORIGIN, [key]);
  const log =
    database.engine === 'sqlite'
      ? new SqliteLog(database.location, signers, [
          ...SQLITE_PRAGMAS,
          'wal_autocheckpoint = 4000',
          'cache_size = -65536',
        ])
      : new PostgresLog(database.location, signers, 60_000);
  await log.open();
  const since = performance.now();
  const rate = (done: number): number => (done * 1000) / (performance.now() - since);
  const records = provinceRecords(count);
  for (let done = 0; done < count; done += GROUP) {
    const rows = [];
    for (let i = 0; i < GROUP && done + i < count; i += 1) {
      const record = records.next().value;
      if (record === undefined) break;
      rows.push(rowOf(canonicalRecord(record), record));
    }
    await log.append(rows, END, () => true);
    if ((done / GROUP) % 250 === 249)
      say(`  ${done + GROUP} records, ${Math.round(rate(done + GROUP))} a second`);
  }
  const appended = rate(count);
  await log.close();
  return appended;
}
