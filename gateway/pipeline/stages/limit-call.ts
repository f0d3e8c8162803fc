import type { Config } from '../../base/config.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { SystemEntry } from '../../catalogue/catalogue.js';
import type { GrantRow } from '../../store/grants.js';
import type { DataExchange } from '../exchanges.js';
import { type Counted, exceeded, type Limit, type Limits, limitHeaders } from '../limits.js';
import { type Quota, quotaExceeded } from '../quota.js';

export interface LimitParts {
  readonly limits: Limits;
  readonly quota: Quota;
  readonly config: Config;
}

function systemLimit(system: SystemEntry, fallback: Limit): Limit {
  const { limit_calls, limit_seconds } = system.row;
  return limit_calls === null || limit_seconds === null
    ? fallback
    : { calls: limit_calls, seconds: limit_seconds };
}

/** Counts a call that no source answers: against the limit of its system, and never against that of the service. */
export function limitSandbox({ limits, config }: Omit<LimitParts, 'quota'>): Stage<DataExchange> {
  return {
    name: 'limit',
    needs: ['allowed', 'system'],
    gives: ['counted'],
    async run({ system, extraHeaders }) {
      if (system === null) throw new Problem('internal_error');
      const count = await limits.count('system', system.row.id, systemLimit(system, config.limits.system));
      Object.assign(extraHeaders, limitHeaders([count]));
      if (!count.allowed) throw exceeded(count, system.row.id);
    },
  };
}

/** What protects the platform from one system. */
async function countSystem(exchange: DataExchange, { limits, config }: LimitParts): Promise<Counted[]> {
  const { system, service } = exchange;
  if (system === null || service === null) throw new Problem('internal_error');
  const { system: own } = service.manifest.limits;
  const ofSystem = limits.count('system', system.row.id, systemLimit(system, config.limits.system));
  if (own === undefined) return [await ofSystem];
  return await Promise.all([ofSystem, limits.count('system-service', `${system.row.id} ${service.id}`, own)]);
}

/** What was approved: the minute before the day, so that a refused call uses up nothing of the day. */
async function countGrant(grant: GrantRow, { limits, quota }: LimitParts): Promise<Counted[]> {
  const counts: Counted[] = [];
  if (grant.per_minute !== null) {
    const limit = { calls: grant.per_minute, seconds: 60 };
    counts.push(await limits.count('quota-minute', grant.id, limit));
    if (counts[0]?.allowed === false) return counts;
  }
  if (grant.per_day !== null) counts.push(await quota.use(grant, grant.per_day));
  return counts;
}

/**
 * Counts the call against the limit of its system (for this service, where the service sets one), against the quota of
 * its grant, and against the limit of the service.
 */
export function limitCall(parts: LimitParts): Stage<DataExchange> {
  const { limits, config } = parts;
  return {
    name: 'limit',
    needs: ['allowed', 'system', 'service', 'grant'],
    gives: ['counted'],
    async run(exchange) {
      const { system, service, grant } = exchange;
      if (system === null || service === null) throw new Problem('internal_error');
      const counts = await countSystem(exchange, parts);
      const say = (): void => void Object.assign(exchange.extraHeaders, limitHeaders(counts));
      const refused = counts.find((count) => !count.allowed);
      say();
      if (refused !== undefined) throw exceeded(refused, system.row.id);
      if (grant !== null && (grant.row.per_day !== null || grant.row.per_minute !== null)) {
        const quotas = await countGrant(grant.row, parts);
        counts.push(...quotas);
        say();
        const over = quotas.find((count) => !count.allowed);
        if (over !== undefined) throw quotaExceeded(grant.row, over);
      }
      // The service is counted last: what one system is refused must not use up what is there for the others.
      const last = await limits.count(
        'service',
        service.id,
        service.manifest.limits.service ?? config.limits.service,
      );
      counts.push(last);
      say();
      if (!last.allowed) throw exceeded(last, service.id);
    },
  };
}
