import { noteSigner } from '../audit/checkpoint.js';
import { archiveFolder } from '../audit/archive/folder.js';
import { type LogWatch, startLogWatch } from '../audit/watch/watching.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { GaugeReader } from '../http/metrics.js';
import type { KeyRing } from '../identity/key-ring.js';
import type { Database } from '../store/database.js';

export interface LogWatchParts {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: Pick<KeyRing, 'logKeys' | 'logSigner'>;
  readonly logOrigin: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const HOUR_MS = 3_600_000;

/** Verifies the log by its first key, the one in the ring: who exchanges the key in the database changes nothing. */
export function openLogWatch(parts: LogWatchParts): LogWatch {
  const { config, database, keyRing, logOrigin, clock, log } = parts;
  const [first = keyRing.logSigner()] = keyRing.logKeys();
  const everyMs = Math.ceil(config.verification.everyHours * HOUR_MS);
  return startLogWatch({
    database,
    clock,
    log,
    verifierKey: noteSigner(logOrigin, first.privateKey).verifierKey,
    archive: archiveFolder(config),
    everyMs,
    share: config.verification.share,
    agency: config.platform.agencyCode,
    lookMs: Math.min(Math.max(everyMs, 100), 5000),
  });
}

/** What operators watch of it. */
export function logWatchGauges(logWatch: LogWatch): Readonly<Record<string, GaugeReader>> {
  return {
    lgsp_log_holds: {
      help: 'Whether the log held when it was verified last; NaN before the first time',
      read: () => logWatch.holds,
    },
    lgsp_log_verified_records: {
      help: 'Records that the last verification proved',
      read: () => logWatch.records,
    },
    lgsp_log_verified_age_seconds: {
      help: 'Since the last verification of the log ended',
      read: () => logWatch.ageMs / 1000,
    },
  };
}
