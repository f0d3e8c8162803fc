import type { KeyedRecorder } from '../audit/log-key.js';
import { startRecorder } from '../audit/recorder.js';
import { RefusalFlood } from '../audit/refusal-flood.js';
import { openRecordReader, READER_LIMITS, type RecordReader } from '../audit/search/reader.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { KeyRing } from '../identity/key-ring.js';
import { SubjectDigests } from '../identity/subject-digests.js';
import type { Database } from '../store/database.js';
import { keepInstallationValue } from '../store/installation.js';
import { type LogKeyKeeper, startLogKeys } from './log-keys.js';

interface Parts {
  readonly database: Database;
  readonly config: Config;
  readonly keyRing: KeyRing;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What writes the log, and what reads it. */
export interface LogRooms {
  readonly recorder: KeyedRecorder;
  /** The name of the log. */
  readonly logOrigin: string;
  readonly records: RecordReader;
  readonly flood: RefusalFlood;
  readonly subjects: SubjectDigests;
  /** Once nothing is written any more: waits for what is under way. */
  closeLog(): Promise<void>;
}

/** The log keeps the name of its first start for ever, whatever address the gateway has later. */
async function openRecorder(
  parts: Parts,
): Promise<{ recorder: KeyedRecorder; origin: string; logKeys: LogKeyKeeper }> {
  const { database, config, keyRing, clock, log } = parts;
  const origin = await keepInstallationValue(
    database.knex,
    'log-origin',
    `${new URL(config.publicUrl).host}/log`,
  );
  const [logKey = keyRing.logSigner(), ...laterLogKeys] = keyRing.logKeys();
  const recorder = await startRecorder({
    engine: database.engine,
    location: database.location,
    origin,
    logKey,
    laterLogKeys,
    queue: config.record.queue,
    timeoutMs: config.record.timeoutMs,
    log,
    clock,
  });
  return { recorder, origin, logKeys: startLogKeys({ database, keyRing, recorder, origin, clock, log }) };
}

/** Opens the log, for ever under the name of its first start. */
export async function openLog(parts: Parts): Promise<LogRooms> {
  const { database, config, keyRing } = parts;
  const { recorder, origin, logKeys } = await openRecorder(parts);
  const records = openRecordReader(database, { ...READER_LIMITS, timeoutMs: config.record.searchMs });
  const flood = new RefusalFlood({ ...parts, recorder });
  return {
    recorder,
    logOrigin: origin,
    records,
    flood,
    subjects: new SubjectDigests(keyRing),
    async closeLog() {
      await records.close();
      await flood.close();
      await logKeys.close();
      await recorder.close();
    },
  };
}
