import { Redis } from 'ioredis';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';

/** What nodes share for a minute: counts of limits, used proofs. Null where there is none. */
export function openRedis(config: Config, log: Logger): Redis | null {
  if (config.redisUrl === undefined) return null;
  const redis = new Redis(config.redisUrl, {
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    connectTimeout: 2000,
  });
  redis.on('error', (error: unknown) => log.warn({ err: error }, 'redis'));
  return redis;
}
