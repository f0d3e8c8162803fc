import type { Redis } from 'ioredis';
import {
  RateLimiterMemory,
  RateLimiterRedis,
  type RateLimiterAbstract,
  RateLimiterRes,
} from 'rate-limiter-flexible';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import { Problem } from '../base/problem.js';

export interface Limit {
  readonly calls: number;
  readonly seconds: number;
}

/** What is left of one limit after a call was counted. */
export interface Counted {
  readonly name: string;
  readonly limit: Limit;
  readonly remaining: number;
  readonly resetSeconds: number;
  readonly allowed: boolean;
}

export interface LimitParts {
  readonly config: Config;
  readonly redis: Redis | null;
  readonly log: Logger;
}

/**
 * The limits of systems, services and strangers. With Redis all nodes share one count; while Redis is away each
 * node counts for itself, so the protection weakens but the exchange goes on
 * (docs/decisions/2026-11-23-limits-without-redis.md).
 */
export class Limits {
  readonly #parts: LimitParts;
  readonly #limiters = new Map<string, RateLimiterAbstract>();

  constructor(parts: LimitParts) {
    this.#parts = parts;
  }

  /** Counts one call against one limit. */
  async count(name: string, key: string, limit: Limit): Promise<Counted> {
    try {
      return counted(name, limit, await this.#limiter(name, limit).consume(key), true);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) return counted(name, limit, refusal, false);
      throw new Problem('overloaded', { cause: refusal });
    }
  }

  /** Counts a request nobody vouches for, and refuses when its address sent too many. */
  async stranger(address: string): Promise<void> {
    const count = await this.count('address', address, this.#parts.config.limits.address);
    if (!count.allowed) throw exceeded(count, address);
  }

  /** One limiter a name and window: they share nothing, so that a changed limit starts afresh. */
  #limiter(name: string, { calls, seconds }: Limit): RateLimiterAbstract {
    const id = `${name}:${calls}:${seconds}`;
    const known = this.#limiters.get(id);
    if (known !== undefined) return known;
    const options = { points: calls, duration: seconds, keyPrefix: `lgsp:${id}` };
    const memory = new RateLimiterMemory(options);
    const { redis } = this.#parts;
    const limiter =
      redis === null
        ? memory
        : new RateLimiterRedis({
            ...options,
            storeClient: redis,
            insuranceLimiter: memory,
            rejectIfRedisNotReady: true,
          });
    this.#limiters.set(id, limiter);
    return limiter;
  }
}

function counted(name: string, limit: Limit, result: RateLimiterRes, allowed: boolean): Counted {
  return {
    name,
    limit,
    remaining: Math.max(0, result.remainingPoints),
    resetSeconds: Math.max(0, Math.ceil(result.msBeforeNext / 1000)),
    allowed,
  };
}

/** The refusal for a limit that is used up. */
export function exceeded(count: Counted, id: string): Problem {
  const { calls, seconds } = count.limit;
  const wait = Math.max(1, count.resetSeconds);
  return new Problem('rate_limited', {
    detail: {
      vi: `Đã dùng hết ${calls} lượt gọi trong ${seconds} giây; thử lại sau ${wait} giây.`,
      en: `All ${calls} calls per ${seconds} seconds are used; try again in ${wait} seconds.`,
    },
    rule: { kind: 'limit', id: `${count.name}:${id}`, state: 'used_up', calls, seconds },
    headers: { 'Retry-After': String(wait) },
  });
}

/** `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers. */
export function limitHeaders(counts: readonly Counted[]): Record<string, string> {
  return {
    'RateLimit-Policy': counts
      .map(({ name, limit }) => `"${name}";q=${limit.calls};w=${limit.seconds}`)
      .join(', '),
    RateLimit: counts
      .map(({ name, remaining, resetSeconds }) => `"${name}";r=${remaining};t=${resetSeconds}`)
      .join(', '),
  };
}
