import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, searchFor } from './page.js';
import type { Role } from './systems.js';

export type PersonState = 'active' | 'locked' | 'revoked';

/** An official who signs in. */
export interface PersonRow {
  /** The name they sign in with. */
  id: string;
  agency_code: string;
  name: string;
  email: string | null;
  /** JSON array of roles. */
  roles: string;
  state: PersonState;
  state_since: number;
  state_reason: string | null;
  /** The document that the state rests on. */
  state_document: string | null;
  /** Calendar days in Asia/Ho_Chi_Minh, both inclusive. */
  valid_from: string;
  valid_to: string | null;
  created_at: number;
  updated_at: number;
}

/** What proves a person, and what they agreed to. */
export interface ProofRow {
  person_id: string;
  /** Argon2id, in PHC form. */
  password_hash: string | null;
  /** JSON array of hashes that were in use before, newest first. */
  password_history: string;
  password_at: number | null;
  temporary_until: number | null;
  totp_sealed: string | null;
  totp_step: number | null;
  rules_version: string | null;
  rules_at: number | null;
  last_sign_in_at: number | null;
}

/** The password in use and those before it, newest first. */
export function passwordsOf({ password_hash: held, password_history: earlier }: ProofRow): string[] {
  return [...(held === null ? [] : [held]), ...(JSON.parse(earlier) as string[])];
}

export interface PersonFilter {
  readonly q?: string | undefined;
  readonly agency?: string | undefined;
  readonly state?: PersonState | undefined;
  readonly role?: Role | undefined;
}

export async function findPerson(knex: Knex, id: string): Promise<PersonRow | undefined> {
  return await knex<PersonRow>('people').where({ id }).first();
}

export async function listPeople(knex: Knex): Promise<PersonRow[]> {
  return await knex<PersonRow>('people').orderBy('id');
}

/** One page, by id. */
export async function pagePeople(
  database: Database,
  filter: PersonFilter,
  ask: PageAsk,
): Promise<Page<PersonRow>> {
  const query = database.knex('people').select();
  if (filter.q !== undefined) searchFor(query, filter.q, ['id', 'email']);
  if (filter.agency !== undefined) void query.where({ agency_code: filter.agency });
  if (filter.state !== undefined) void query.where({ state: filter.state });
  if (filter.role !== undefined) void query.where('roles', 'like', `%"${filter.role}"%`);
  return await pageOf<PersonRow>(query, 'id', ask, database.engine);
}

export async function insertPerson(knex: Knex, row: PersonRow): Promise<void> {
  await knex('people').insert({ ...row, search: fold(row.name) });
}

export async function updatePerson(knex: Knex, id: string, patch: Partial<PersonRow>): Promise<void> {
  const search = patch.name === undefined ? {} : { search: fold(patch.name) };
  await knex('people')
    .where({ id })
    .update({ ...patch, ...search });
}

export async function findProof(knex: Knex, id: string): Promise<ProofRow | undefined> {
  return await knex<ProofRow>('person_proofs').where({ person_id: id }).first();
}

export async function insertProof(knex: Knex, row: ProofRow): Promise<void> {
  await knex<ProofRow>('person_proofs').insert(row);
}

export async function updateProof(knex: Knex, id: string, patch: Partial<ProofRow>): Promise<void> {
  await knex<ProofRow>('person_proofs').where({ person_id: id }).update(patch);
}

/**
 * Changes what proves a person, unless it is no longer what was read, or they are revoked: whoever was proved by it
 * must not undo what was done meanwhile.
 *
 * @returns false when nothing was changed
 */
export async function replaceProof(knex: Knex, read: ProofRow, patch: Partial<ProofRow>): Promise<boolean> {
  const { person_id, password_hash, totp_sealed, temporary_until } = read;
  const changed = await knex<ProofRow>('person_proofs')
    .where({ person_id, password_hash, totp_sealed, temporary_until })
    .whereNotExists(knex('people').select('id').where({ id: person_id, state: 'revoked' }))
    .update(patch);
  return changed === 1;
}

/**
 * Notes that the code of a time step was used.
 *
 * @returns false when it, or a later one, was used before, or the second factor is another by now
 */
export async function useTotpStep(
  knex: Knex,
  { person_id, totp_sealed }: Pick<ProofRow, 'person_id' | 'totp_sealed'>,
  step: number,
): Promise<boolean> {
  const used = await knex<ProofRow>('person_proofs')
    .where({ person_id, totp_sealed })
    .where((fresh) => void fresh.whereNull('totp_step').orWhere('totp_step', '<', step))
    .update({ totp_step: step });
  return used === 1;
}
