import type { Caller } from '../base/exchange.js';
import { Problem } from '../base/problem.js';
import type { AgencyEntry, SystemEntry } from '../catalogue/catalogue.js';
import type { GrantEntry } from '../catalogue/grant-entry.js';
import type { PublishedService } from '../catalogue/published-service.js';
import { type GrantParts, grantFor } from './granted.js';
import { assertAgencyInForce, assertServiceInForce, assertSystemInForce } from './in-force.js';
import { senderRequired } from './sender-required.js';

/** Who calls what. */
export interface Asked {
  readonly system: SystemEntry;
  /** The system's agency; null for one that is not registered. */
  readonly agency: AgencyEntry | null;
  readonly service: PublishedService;
  readonly operation: string;
  readonly caller: Caller | null;
}

function assertConsumer({ row, roles }: SystemEntry): void {
  if (roles.includes('consumer')) return;
  throw new Problem('role_required', {
    rule: { kind: 'role', id: row.id, state: 'missing', required: ['consumer'], held: roles },
  });
}

/**
 * All that a call of a data service needs at this moment, but its quota.
 *
 * @returns the grant that allows it; null where a default service is open to every account
 * @throws Problem which of system, agencies, service and grant is not in force
 */
export function allowedNow(parts: GrantParts, asked: Asked): GrantEntry | null {
  const { catalogue, clock, config } = parts;
  const { system, agency, service, operation, caller } = asked;
  assertSystemInForce(system, clock);
  assertAgencyInForce(agency, system.row.agency_code, clock);
  assertConsumer(system);
  assertServiceInForce(service, clock);
  assertAgencyInForce(catalogue.agency(service.row.provider), service.row.provider, clock);
  if (service.manifest.senderConstrained && caller?.boundTo === undefined)
    throw senderRequired('service', service.id, config.publicUrl);
  return grantFor(parts, system.row.id, service, operation);
}

/** The same once more, of everything as it is by now: a source takes its time, and a lock does not wait for it. */
export function stillAllowed(parts: GrantParts, asked: Asked): GrantEntry | null {
  const { catalogue } = parts;
  const { row } = asked.system;
  const service = catalogue.service(asked.service.id);
  const system = catalogue.system(row.id);
  if (service === undefined) throw new Problem('service_not_found');
  if (system === undefined)
    throw new Problem('client_revoked', { rule: { kind: 'system', id: row.id, state: 'unknown' } });
  const agency = catalogue.agency(system.row.agency_code) ?? null;
  return allowedNow(parts, { ...asked, system, agency, service });
}
