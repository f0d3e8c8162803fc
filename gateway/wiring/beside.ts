import type { Egress } from '../../connectors/egress.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import { type Feed, startFeed } from '../feed/feed.js';
import type { GaugeReader } from '../http/metrics.js';
import type { LogWatch } from '../audit/watch/watching.js';
import type { KeyRing } from '../identity/key-ring.js';
import type { Sealing } from '../identity/sealing.js';
import { type Outbox, startOutbox } from '../outbox/outbox.js';
import type { Database } from '../store/database.js';
import type { Witnessing } from '../witness/witnessing.js';
import { logWatchGauges, openLogWatch } from './log-watch.js';
import type { Archiving } from '../audit/archive/archiving.js';
import type { Recorder } from '../audit/record.js';
import { openArchiving } from './archiving.js';
import { openWitnesses } from './witnesses.js';

interface Parts {
  readonly config: Config;
  readonly database: Database;
  readonly egress: Egress;
  readonly sealing: Sealing;
  readonly keyRing: KeyRing;
  readonly logOrigin: string;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What the gateway does beside the calls, and never in their way. */
export interface Beside {
  readonly outbox: Outbox;
  readonly witnessing: Witnessing;
  readonly feed: Feed;
  readonly logWatch: LogWatch;
  readonly archiving: Archiving;
  /** Lets what is under way end, for a while. */
  closeBeside(): Promise<void>;
}

/** @throws ConfigError for settings of mail, witnesses or sinks that cannot serve */
export async function startBeside(parts: Parts): Promise<Beside> {
  const started: { close(): Promise<void> }[] = [];
  const kept = <T extends { close(): Promise<void> }>(room: T): T => {
    started.push(room);
    return room;
  };
  const closeBeside = async (): Promise<void> => {
    for (const room of started.reverse()) await room.close();
  };
  try {
    const outbox = kept(startOutbox(parts));
    const witnessing = kept(openWitnesses(parts));
    const feed = kept(startFeed(parts));
    const logWatch = kept(openLogWatch(parts));
    const archiving = kept(openArchiving(parts));
    return { outbox, witnessing, feed, logWatch, archiving, closeBeside };
  } catch (error) {
    await closeBeside();
    throw error;
  }
}

/** What operators watch of them. */
export function besideGauges({
  outbox,
  witnessing,
  logWatch,
  archiving,
}: Beside): Readonly<Record<string, GaugeReader>> {
  return {
    ...logWatchGauges(logWatch),
    lgsp_archive_failing: {
      help: 'Whether the last attempt of this node to seal what is due failed',
      read: () => Number(archiving.failing),
    },
    lgsp_outbox_waiting: { help: 'Notices waiting to be sent', read: () => outbox.waiting },
    lgsp_outbox_failed: { help: 'Notices that were given up', read: () => outbox.failed },
    lgsp_witnesses_failing: {
      help: 'Witnesses that did not take the last checkpoint',
      read: () => witnessing.failing,
    },
    lgsp_witness_lag_seconds: {
      help: 'Since the witness that lags most took a checkpoint',
      read: () => witnessing.lagMs / 1000,
    },
  };
}
