import type { Redis } from 'ioredis';
import type { Recorder } from '../audit/record.js';
import type { Clock } from '../base/clock.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { Readiness } from '../http/app.js';
import type { Database } from '../store/database.js';

/** What every call depends on; a part that is down makes the node not ready, so that a balancer passes it by. */
export function readiness(parts: {
  database: Database;
  redis: Redis | null;
  recorder: Recorder;
  catalogue: Catalogue;
  clock: Clock;
}) {
  return async (): Promise<Readiness> => {
    const store = await parts.database.knex.raw('select 1').then(
      () => ({ ok: true }),
      () => ({ ok: false, detail: 'the database does not answer' }),
    );
    const age = parts.clock.now() - parts.catalogue.freshAt;
    const found = {
      store,
      catalogue: { ok: age < 5000, detail: `read ${age} ms ago` },
      record: { ok: parts.recorder.waiting < 10_000, detail: `${parts.recorder.waiting} waiting` },
      // Without Redis each node limits for itself; that is worth knowing, and no reason to stop.
      ...(parts.redis === null ? {} : { limits: { ok: true, detail: `redis ${parts.redis.status}` } }),
    };
    return { ok: Object.values(found).every((part) => part.ok), parts: found };
  };
}
