import type { Hours } from '../../base/hours.js';
import type { SystemRow } from '../../store/systems.js';
import { rolesOf } from './rules.js';

const iso = (ms: number): string => new Date(ms).toISOString();

/** A system as everybody sees it who may. */
export function systemView(row: SystemRow) {
  const { limit_calls: calls, limit_seconds: seconds } = row;
  return {
    id: row.id,
    agency: row.agency_code,
    name: row.name,
    roles: rolesOf(row),
    state: row.state,
    stateSince: iso(row.state_since),
    stateReason: row.state_reason,
    stateDocument: row.state_document ?? null,
    validTo: row.valid_to ?? null,
    requireBoundTokens: Boolean(row.require_bound),
    addresses: row.addresses == null ? null : (JSON.parse(row.addresses) as string[]),
    hours: row.hours == null ? null : (JSON.parse(row.hours) as Hours),
    limit: calls === null || seconds === null ? null : { calls, seconds },
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}
