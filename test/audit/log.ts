import { generateKeyPairSync } from 'node:crypto';
import { systemClock } from '../../gateway/base/clock.js';
import { createLog } from '../../gateway/base/log.js';
import { verifierKeyText } from '../../gateway/audit/checkpoint.js';
import type { KeyedRecorder } from '../../gateway/audit/log-key.js';
import { type RecorderOptions, startRecorder } from '../../gateway/audit/recorder.js';
import { type Verification, verifyLog } from '../../gateway/audit/verify/verify.js';
import type { Database } from '../../gateway/store/database.js';
import type { Knex } from 'knex';

export const ORIGIN = 'lgsp.test/log';
export const logKeys = generateKeyPairSync('ed25519');
export const verifierKeys = [verifierKeyText(ORIGIN, logKeys.publicKey)];

export function startLog(database: Database, change: Partial<RecorderOptions> = {}): Promise<KeyedRecorder> {
  return startRecorder({
    engine: database.engine,
    location: database.location,
    origin: ORIGIN,
    logKey: { kid: 'log-1', privateKey: logKeys.privateKey },
    queue: 20_000,
    timeoutMs: 5000,
    log: createLog('silent'),
    clock: systemClock,
    ...change,
  });
}

export function verify(database: Database): Promise<Verification> {
  return verifyLog(database, { verifierKeys });
}

const TABLES = ['records', 'record_subjects', 'log_tiles', 'log_checkpoints'];

/** As one who owns the database would: takes the guards off, then changes what he likes. */
export async function tamper(database: Database, work: (knex: Knex) => Promise<unknown>): Promise<void> {
  const { knex, engine } = database;
  if (engine === 'sqlite') {
    for (const table of TABLES)
      for (const verb of ['update', 'delete']) await knex.raw(`DROP TRIGGER IF EXISTS ${table}_no_${verb}`);
  } else {
    for (const table of TABLES)
      for (const guard of ['append_only', 'no_delete'])
        await knex.raw(`DROP TRIGGER IF EXISTS ${table}_${guard} ON ${table}`);
  }
  await work(knex);
}

/** Asks again and again, for a bounded time, until the answer is there. */
export async function eventually<T>(ask: () => Promise<T | undefined>, tries = 200): Promise<T> {
  for (let i = 0; i < tries; i++) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it never came');
}

/** Cuts the log off at its end with all that vouched for it: from inside, a shorter log that holds. */
export async function cutAt(knex: Knex, size: number): Promise<void> {
  await knex('records').where('seq', '>=', size).delete();
  await knex('record_subjects').where('seq', '>=', size).delete();
  await knex('log_checkpoints').where('tree_size', '>', size).delete();
  // Only whole tiles are stored.
  await knex('log_tiles').whereRaw('(tile_index + 1) * power(256, level + 1) > ?', [size]).delete();
}
