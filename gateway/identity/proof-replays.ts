import type { Redis } from 'ioredis';
import type { Clock } from '../base/clock.js';
import { Problem } from '../base/problem.js';
import type { Database } from '../store/database.js';
import { insertPayloadOnce } from '../store/oidc-payloads.js';

/**
 * Proofs that were used. What cannot be checked is refused: a proof that is let through twice is worth no more
 * than a bearer token (docs/decisions/2026-11-24-proof-replays.md).
 */
export interface ProofReplays {
  /** Milliseconds since the epoch: what was used before is not known here. */
  readonly since: number;
  /**
   * True for exactly one of any number of callers with the same key, on any node that shares the memory.
   *
   * @param until - milliseconds since the epoch, when the proof is refused for its age anyway
   * @throws Problem `overloaded` when it cannot be checked
   */
  first(key: string, until: number): Promise<boolean>;
}

const unchecked = (cause?: unknown): Problem =>
  new Problem('overloaded', {
    detail: {
      vi: 'Hiện không kiểm tra được bằng chứng DPoP đã dùng hay chưa; hãy thử lại với bằng chứng mới.',
      en: 'It cannot be checked at present whether the DPoP proof was used before; try again with a new one.',
    },
    rule: { kind: 'token', id: 'dpop', state: 'replay_unchecked' },
    headers: { 'Retry-After': '1' },
    cause,
  });

/** Nodes share Redis. */
export function redisReplays(redis: Redis, clock: Clock): ProofReplays {
  return {
    since: 0,
    async first(key, until) {
      const life = Math.max(1, Math.ceil(until - clock.now()));
      try {
        return (await redis.set(`lgsp:dpop:${key}`, '1', 'PX', life, 'NX')) === 'OK';
      } catch (error) {
        throw unchecked(error);
      }
    },
  };
}

const MODEL = 'DpopProof';

/** Nodes share the database; the authorization server's sweep takes away what is over. */
export function storeReplays(database: Database, clock: Clock): ProofReplays {
  const nothing = { payload: '{}', grant_id: null, uid: null, user_code: null, consumed_at: null };
  return {
    since: 0,
    async first(key, until) {
      const row = { ...nothing, model: MODEL, id: key, expires_at: until };
      try {
        return await insertPayloadOnce(database.knex, row, clock.now());
      } catch (error) {
        throw unchecked(error);
      }
    },
  };
}

const MOST_PROOFS = 200_000;
const PRUNE_PAUSE_MS = 1000;

/** For one node. A full memory refuses rather than forgets. */
export function memoryReplays(clock: Clock, most = MOST_PROOFS): ProofReplays {
  const used = new Map<string, number>();
  let pruned = Number.NEGATIVE_INFINITY;
  const prune = (now: number): void => {
    if (now - pruned < PRUNE_PAUSE_MS) return;
    pruned = now;
    for (const [key, until] of used) if (until <= now) used.delete(key);
  };
  return {
    // Proofs say their time in whole seconds.
    since: Math.floor(clock.now() / 1000) * 1000,
    first(key, until) {
      const now = clock.now();
      if ((used.get(key) ?? Number.NEGATIVE_INFINITY) > now) return Promise.resolve(false);
      if (used.size >= most) prune(now);
      if (used.size >= most) return Promise.reject(unchecked());
      used.set(key, until);
      return Promise.resolve(true);
    },
  };
}
