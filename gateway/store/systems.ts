import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, searchFor } from './page.js';

export const ROLES = ['owner', 'manager', 'operator', 'provider', 'consumer', 'auditor'] as const;
export type Role = (typeof ROLES)[number];
export type SystemState = 'active' | 'locked' | 'revoked';

export interface SystemRow {
  id: string;
  agency_code: string;
  name: string;
  /** JSON array of roles. */
  roles: string;
  state: SystemState;
  state_since: number;
  state_reason: string | null;
  /** The document that the last change of state rests on. */
  state_document?: string | null;
  /** Last calendar day on which the account works. */
  valid_to?: string | null;
  limit_calls: number | null;
  limit_seconds: number | null;
  /** Calls with a token that is bound to nothing are refused; a number in SQLite. */
  require_bound?: boolean | number;
  /** JSON array of addresses and CIDR ranges from which it may call; null allows any. */
  addresses?: string | null;
  /** JSON of the hours in which it says that it calls; null declares nothing. */
  hours?: string | null;
  created_at: number;
  updated_at: number;
}

export interface CredentialRow {
  id: string;
  system_id: string;
  kind: 'secret' | 'key' | 'certificate';
  /** Hexadecimal SHA-256 of the secret. */
  secret_sha256: string | null;
  /** JSON of the public JWK. */
  public_jwk: string | null;
  /** `x5t#S256`: base64url SHA-256 of the certificate in DER. */
  certificate_sha256?: string | null;
  /** Its subject, for those who read the list. */
  certificate_subject?: string | null;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface SystemFilter {
  readonly q?: string | undefined;
  readonly agency?: string | undefined;
  readonly state?: SystemState | undefined;
  readonly role?: Role | undefined;
  /** With something that ends at a moment after `from` and not after `until`: a credential, or the account. */
  readonly ending?: Ending | undefined;
}

export interface Ending {
  readonly from: number;
  readonly until: number;
  /** The same as calendar days. */
  readonly days: readonly [from: string, until: string];
}

export async function findSystem(knex: Knex, id: string): Promise<SystemRow | undefined> {
  return await knex<SystemRow>('systems').where({ id }).first();
}

export async function listSystems(knex: Knex): Promise<SystemRow[]> {
  return await knex<SystemRow>('systems').orderBy('id');
}

/** One page, by id. */
export async function pageSystems(
  database: Database,
  filter: SystemFilter,
  ask: PageAsk,
): Promise<Page<SystemRow>> {
  const query = database.knex('systems').select();
  if (filter.q !== undefined) searchFor(query, filter.q, ['id']);
  if (filter.agency !== undefined) void query.where({ agency_code: filter.agency });
  if (filter.state !== undefined) void query.where({ state: filter.state });
  if (filter.role !== undefined) void query.where('roles', 'like', `%"${filter.role}"%`);
  if (filter.ending !== undefined) withEnding(query, database.knex, filter.ending);
  return await pageOf<SystemRow>(query, 'id', ask, database.engine);
}

function withEnding(query: Knex.QueryBuilder, knex: Knex, { from, until, days }: Ending): void {
  void query.whereNot({ state: 'revoked' }).where((either) => {
    void either
      .whereBetween('valid_to', [...days])
      .orWhereExists(
        knex('system_credentials')
          .whereRaw('system_credentials.system_id = systems.id')
          .whereNull('revoked_at')
          .where('expires_at', '>', from)
          .where('expires_at', '<=', until),
      );
  });
}

/** Credentials in use that end after `from` and not after `until`, with whose they are. */
export async function endingCredentials(
  knex: Knex,
  from: number,
  until: number,
): Promise<
  (Pick<CredentialRow, 'id' | 'kind' | 'system_id'> & { expires_at: number; agency_code: string })[]
> {
  return await knex<CredentialRow>('system_credentials')
    .join('systems', 'systems.id', 'system_credentials.system_id')
    .whereNull('revoked_at')
    .where('expires_at', '>', from)
    .where('expires_at', '<=', until)
    .whereNot('systems.state', 'revoked')
    .orderBy('expires_at')
    .select('system_credentials.id', 'kind', 'system_id', 'expires_at', 'agency_code');
}

/** Accounts, of systems or people, whose last day lies between two days, both included. */
export async function endingAccounts(
  knex: Knex,
  table: 'systems' | 'people',
  from: string,
  until: string,
): Promise<{ id: string; agency_code: string; valid_to: string }[]> {
  return await knex<{ id: string; agency_code: string; valid_to: string; state: string }>(table)
    .whereNot('state', 'revoked')
    .whereBetween('valid_to', [from, until])
    .orderBy('id')
    .select('id', 'agency_code', 'valid_to');
}

/** Systems that could act in this role now: active, with a credential that still works. */
export async function activeSystems(knex: Knex, role: Role, now: number): Promise<SystemRow[]> {
  return await knex<SystemRow>('systems')
    .where({ state: 'active' })
    .where('roles', 'like', `%"${role}"%`)
    .whereExists(
      knex('system_credentials')
        .whereRaw('system_credentials.system_id = systems.id')
        .whereNull('revoked_at')
        .where((live) => void live.whereNull('expires_at').orWhere('expires_at', '>', now)),
    );
}

/** The agencies whose active systems or people hold a role. */
export async function agenciesWithRole(knex: Knex, role: Role): Promise<string[]> {
  const codes = new Set<string>();
  for (const table of ['systems', 'people']) {
    const rows = await knex<Pick<SystemRow, 'agency_code' | 'state' | 'roles'>>(table)
      .distinct('agency_code')
      .where({ state: 'active' })
      .where('roles', 'like', `%"${role}"%`);
    for (const row of rows) codes.add(row.agency_code);
  }
  return [...codes].sort();
}

export async function insertSystem(knex: Knex, row: SystemRow): Promise<void> {
  await knex('systems').insert({ ...row, search: fold(row.name) });
}

export async function updateSystem(knex: Knex, id: string, patch: Partial<SystemRow>): Promise<void> {
  const search = patch.name === undefined ? {} : { search: fold(patch.name) };
  await knex('systems')
    .where({ id })
    .update({ ...patch, ...search });
}

export async function listCredentials(knex: Knex, systemId: string): Promise<CredentialRow[]> {
  return await knex<CredentialRow>('system_credentials').where({ system_id: systemId }).orderBy('created_at');
}

export async function insertCredential(knex: Knex, row: CredentialRow): Promise<void> {
  await knex<CredentialRow>('system_credentials').insert(row);
}

export async function updateCredential(
  knex: Knex,
  id: string,
  patch: Partial<CredentialRow>,
): Promise<number> {
  return await knex<CredentialRow>('system_credentials').where({ id }).update(patch);
}
