import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { PublishedService } from '../../catalogue/published-service.js';
import type { DataExchange } from '../exchanges.js';
import { type GrantParts, grantFor } from '../granted.js';
import { assertAgencyInForce, assertSystemInForce, iso } from '../in-force.js';
import { senderRequired } from '../sender-required.js';

/** Refuses a service that is not published now; one whose last day is over is gone, noted or not. */
export function assertServiceInForce(service: PublishedService, clock: Clock): void {
  const { state, state_since, id, sunset_at: sunset } = service.row;
  if (sunset != null && clock.now() >= sunset)
    throw new Problem('service_retired', {
      rule: { kind: 'service', id, state: 'retired', since: iso(sunset) },
    });
  if (state === 'published') return;
  const rule = { kind: 'service', id, state, since: iso(state_since) } as const;
  if (state === 'suspended')
    throw new Problem('service_suspended', { rule, headers: { 'Retry-After': '300' } });
  if (state === 'retired') throw new Problem('service_retired', { rule });
  throw new Problem('service_not_found');
}

/** Whether system, agencies and service are in force at this moment, and the form of sharing allows the call. */
export function authoriseCall(parts: GrantParts): Stage<DataExchange> {
  const { catalogue, clock, config } = parts;
  return {
    name: 'authorise',
    needs: ['service', 'operation', 'caller', 'system', 'agency'],
    gives: ['allowed', 'grant'],
    run(exchange) {
      const { system, agency, service, operation, caller } = exchange;
      if (system === null || service === null || operation === null) throw new Problem('internal_error');
      assertSystemInForce(system, clock);
      assertAgencyInForce(agency, system.row.agency_code, clock);
      if (!system.roles.includes('consumer')) {
        throw new Problem('role_required', {
          rule: {
            kind: 'role',
            id: system.row.id,
            state: 'missing',
            required: ['consumer'],
            held: system.roles,
          },
        });
      }
      assertServiceInForce(service, clock);
      assertAgencyInForce(catalogue.agency(service.row.provider), service.row.provider, clock);
      if (service.manifest.senderConstrained && caller?.boundTo === undefined)
        throw senderRequired('service', service.id, config.publicUrl);
      exchange.grant = grantFor(parts, system.row.id, service, operation.id);
      exchange.grantId = exchange.grant?.row.id ?? null;
    },
  };
}
