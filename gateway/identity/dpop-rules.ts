import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Database } from '../store/database.js';
import { DpopNonces } from './dpop-nonces.js';
import { memoryReplays, type ProofReplays, redisReplays, storeReplays } from './proof-replays.js';
import type { Sealing } from './sealing.js';
import type { DpopRules } from './sender.js';

interface DpopParts {
  readonly config: Pick<Config, 'dpop'>;
  readonly clock: Clock;
  readonly database: Database;
  readonly sealing: Sealing;
  readonly redis: Redis | null;
}

/** Used proofs are remembered where all nodes see them: in Redis, in PostgreSQL, or in the only node there is. */
function replaysOf({ redis, database, clock }: DpopParts): ProofReplays {
  if (redis !== null) return redisReplays(redis, clock);
  return database.engine === 'sqlite' ? memoryReplays(clock) : storeReplays(database, clock);
}

/** How this node judges proofs, so that all nodes of an installation agree. */
export function dpopRules(parts: DpopParts): DpopRules {
  const { config, clock, database, sealing, redis } = parts;
  const alone = redis === null && database.engine === 'sqlite';
  // What this process forgets when it ends must not be vouched for by a nonce that outlives it.
  const key = alone ? randomBytes(32) : sealing.derive('dpop-nonce/resource');
  const { requireNonce, windowSeconds } = config.dpop;
  const nonces = new DpopNonces(key, clock);
  return { nonces, replays: replaysOf(parts), requireNonce, windowMs: windowSeconds * 1000 };
}
