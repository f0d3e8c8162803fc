import { type Archiving, startArchiving } from '../audit/archive/archiving.js';
import { archiveFolder } from '../audit/archive/folder.js';
import type { Recorder } from '../audit/record.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Database } from '../store/database.js';

export interface ArchivingParts {
  readonly config: Config;
  readonly database: Database;
  readonly recorder: Recorder;
  readonly logOrigin: string;
  readonly clock: Clock;
  readonly log: Logger;
}

const HOUR_MS = 3_600_000;

export function openArchiving({
  config,
  database,
  recorder,
  logOrigin,
  clock,
  log,
}: ArchivingParts): Archiving {
  const { retention, feed, platform } = config;
  const everyMs = Math.ceil(retention.everyHours * HOUR_MS);
  return startArchiving({
    ...{ database, recorder, clock, log, origin: logOrigin, folder: archiveFolder(config), everyMs },
    periods: { calls: retention.calls, logins: retention.logins, acts: retention.acts },
    encryptTo: retention.encryptTo,
    sinks: feed.sinks.map((sink) => sink.name),
    agency: platform.agencyCode,
    lookMs: Math.min(everyMs, 15_000),
  });
}
