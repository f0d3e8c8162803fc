import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import { allowedNow } from '../allowed.js';
import type { DataExchange } from '../exchanges.js';
import type { GrantParts } from '../granted.js';

/** Whether system, agencies and service are in force at this moment, and the form of sharing allows the call. */
export function authoriseCall(parts: GrantParts): Stage<DataExchange> {
  return {
    name: 'authorise',
    needs: ['service', 'operation', 'caller', 'system', 'agency'],
    gives: ['allowed', 'grant'],
    run(exchange) {
      const { system, agency, service, operation, caller } = exchange;
      if (system === null || service === null || operation === null) throw new Problem('internal_error');
      exchange.grant = allowedNow(parts, { system, agency, service, operation: operation.id, caller });
      exchange.grantId = exchange.grant?.row.id ?? null;
    },
  };
}
