import { createEgress } from '../../connectors/allow-list.js';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { systemClock } from '../../gateway/base/clock.js';
import { loadConfig } from '../../gateway/base/config.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { createLog } from '../../gateway/base/log.js';
import { type Feed, startFeed } from '../../gateway/feed/feed.js';
import type { Database } from '../../gateway/store/database.js';
import { aRecord } from '../audit/records.js';

export const FAST = { retryMs: 30, batch: 20, sendTimeoutMs: 300 };

/** The feed of one node, without the rest of it. */
export function feedOf(
  database: Database,
  sinks: readonly object[],
  { addresses = ['127.0.0.0/8'], ...change }: { addresses?: string[] } & Record<string, unknown> = {},
): Feed {
  return startFeed({
    database,
    egress: createEgress({ addresses, folders: [] }),
    clock: systemClock,
    log: createLog('silent'),
    config: loadConfig({ refreshMs: 20, feed: { ...FAST, ...change, sinks } }),
  });
}

export async function write(log: Recorder, count: number, change: Partial<AuditRecord> = {}): Promise<void> {
  const now = Date.now();
  const records = Array.from({ length: count }, () =>
    aRecord({ id: uuidv7(now), received: new Date(now).toISOString(), ...change }),
  );
  await Promise.all(records.map((record) => log.write(record)));
}

/** Every place from 0 to `count` is there, and in order but for what was sent again. */
export function complete(indexes: readonly number[], count: number): true | undefined {
  return new Set(indexes).size === count && Math.max(...indexes) === count - 1 ? true : undefined;
}
