import type { Config } from '../../base/config.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { SystemEntry } from '../../catalogue/catalogue.js';
import type { DataExchange } from '../exchanges.js';
import { exceeded, type Limit, type Limits, limitHeaders } from '../limits.js';

function systemLimit(system: SystemEntry, fallback: Limit): Limit {
  const { limit_calls, limit_seconds } = system.row;
  return limit_calls === null || limit_seconds === null
    ? fallback
    : { calls: limit_calls, seconds: limit_seconds };
}

/** Counts a call that no source answers: against the limit of its system, and never against that of the service. */
export function limitSandbox({ limits, config }: { limits: Limits; config: Config }): Stage<DataExchange> {
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

/** Counts the call against the limit of its system (for this service, where the service sets one) and of the service. */
export function limitCall({ limits, config }: { limits: Limits; config: Config }): Stage<DataExchange> {
  return {
    name: 'limit',
    needs: ['allowed', 'system', 'service'],
    gives: ['counted'],
    async run(exchange) {
      const { system, service } = exchange;
      if (system === null || service === null) throw new Problem('internal_error');
      const { limits: own } = service.manifest;
      const ofSystem = limits.count('system', system.row.id, systemLimit(system, config.limits.system));
      const counts =
        own.system === undefined
          ? [await ofSystem]
          : await Promise.all([
              ofSystem,
              limits.count('system-service', `${system.row.id} ${service.id}`, own.system),
            ]);
      const refused = counts.find((count) => !count.allowed);
      // The service is counted last: what one system is refused must not use up what is there for the others.
      if (refused === undefined)
        counts.push(await limits.count('service', service.id, own.service ?? config.limits.service));
      Object.assign(exchange.extraHeaders, limitHeaders(counts));
      const last = counts.at(-1);
      if (refused !== undefined) throw exceeded(refused, system.row.id);
      if (last?.allowed === false) throw exceeded(last, service.id);
    },
  };
}
