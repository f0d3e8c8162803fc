import type { PersonRow, ProofRow } from '../../store/people.js';
import type { Role } from '../../store/systems.js';

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

export function rolesOf(row: PersonRow): Role[] {
  return JSON.parse(row.roles) as Role[];
}

/** A person as everybody sees them who may; nothing that proves them. */
export function personView(row: PersonRow) {
  return {
    id: row.id,
    agency: row.agency_code,
    name: row.name,
    email: row.email,
    roles: rolesOf(row),
    state: row.state,
    stateSince: iso(row.state_since),
    stateReason: row.state_reason,
    stateDocument: row.state_document,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

/** And how they sign in. */
export function personDetails(row: PersonRow, proof: ProofRow) {
  return {
    ...personView(row),
    signIn: {
      lastAt: isoOrNull(proof.last_sign_in_at),
      temporaryUntil: isoOrNull(proof.temporary_until),
      passwordAt: isoOrNull(proof.password_at),
      secondFactor: proof.totp_sealed !== null,
      rulesAcceptedAt: isoOrNull(proof.rules_at),
    },
  };
}
