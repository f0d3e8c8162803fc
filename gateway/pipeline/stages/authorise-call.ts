import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { Catalogue } from '../../catalogue/catalogue.js';
import type { PublishedService } from '../../catalogue/published-service.js';
import type { DataExchange } from '../exchanges.js';
import { assertAgencyInForce, assertSystemInForce, iso } from '../in-force.js';

/** Refuses a service that is not published now. */
export function assertServiceInForce(service: PublishedService): void {
  const { state, state_since, id } = service.row;
  if (state === 'published') return;
  const rule = { kind: 'service', id, state, since: iso(state_since) } as const;
  if (state === 'suspended')
    throw new Problem('service_suspended', { rule, headers: { 'Retry-After': '300' } });
  if (state === 'retired') throw new Problem('service_retired', { rule });
  throw new Problem('service_not_found');
}

/** Special-request services need a grant, and none has been given so far. */
function assertShared(service: PublishedService): void {
  if (service.row.sharing === 'default') return;
  throw new Problem('grant_required', {
    rule: { kind: 'grant', id: service.id, state: 'absent', sharing: 'special' },
  });
}

/** Whether system, agencies and service are in force at this moment, and the form of sharing allows the call. */
export function authoriseCall({
  catalogue,
  clock,
}: {
  catalogue: Catalogue;
  clock: Clock;
}): Stage<DataExchange> {
  return {
    name: 'authorise',
    needs: ['service', 'caller', 'system', 'agency'],
    gives: ['allowed'],
    run({ system, agency, service }) {
      if (system === null || service === null) throw new Problem('internal_error');
      assertSystemInForce(system);
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
      assertServiceInForce(service);
      assertAgencyInForce(catalogue.agency(service.row.provider), service.row.provider, clock);
      assertShared(service);
    },
  };
}
