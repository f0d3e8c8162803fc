import type { IncomingMessage } from 'node:http';
import type { Recorder } from '../audit/record.js';
import type { RefusalFlood } from '../audit/refusal-flood.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { ExternalProvider } from '../identity/external-provider.js';
import type { PersonDirectory } from '../identity/person-directory.js';
import type { Sealing } from '../identity/sealing.js';
import type { Database } from '../store/database.js';

/** What the pages are given. */
export interface SignInParts {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sealing: Sealing;
  readonly recorder: Recorder;
  readonly flood: Pick<RefusalFlood, 'counts'>;
  readonly people: PersonDirectory;
  /** The address of whoever sent a request, seen through trusted proxies only. */
  readonly addressOf: (request: IncomingMessage) => string;
  /** Another provider at which people may prove themselves; null where there is none. */
  readonly external: ExternalProvider | null;
  /** Makes this node see a change at once. */
  readonly refresh: () => Promise<void>;
}
