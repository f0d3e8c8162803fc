import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';

/** received → in_settlement → concluded */
export type DifficultyState = 'received' | 'in_settlement' | 'concluded';

/** A dispute about a refusal, on its way to whoever settles it. */
export interface DifficultyRow {
  id: string;
  request_id: string;
  state: DifficultyState;
  state_since: number;
  due_at: number | null;
  overdue_told_at: number | null;
  raised_by: string;
  raised_agency: string;
  text: string;
  outcome: 'upheld' | 'reconsider' | null;
  conclusion: string | null;
  legal_basis: string | null;
  document_id: string | null;
  settled_by: string | null;
  created_at: number;
  updated_at: number;
}

export type AccountState = 'submitted' | 'created' | 'refused' | 'withdrawn';

/** That an agency asks for a connection account. */
export interface AccountRequestRow {
  id: string;
  agency: string;
  system_name: string;
  purpose: string;
  document_id: string;
  state: AccountState;
  state_since: number;
  due_at: number;
  overdue_told_at: number | null;
  system_id: string | null;
  reason: string | null;
  legal_basis: string | null;
  decided_by: string | null;
  created_by: string;
  created_at: number;
  updated_at: number;
}

export interface ReviewRow {
  service_id: string;
  at: number;
  outcome: 'keep' | 'change' | 'remove';
  note: string;
  document_id: string | null;
  actor: string;
}

export async function findDifficulty(knex: Knex, id: string): Promise<DifficultyRow | undefined> {
  return await knex<DifficultyRow>('difficulties').where({ id }).first();
}

export async function difficultiesOf(knex: Knex, requestId: string): Promise<DifficultyRow[]> {
  return await knex<DifficultyRow>('difficulties').where({ request_id: requestId }).orderBy('id');
}

export async function pageDifficulties(
  database: Database,
  filter: { readonly state?: DifficultyState | undefined; readonly party?: string | undefined },
  ask: PageAsk,
): Promise<Page<DifficultyRow>> {
  const { knex } = database;
  const query = knex('difficulties').select();
  const { party, state } = filter;
  if (state !== undefined) void query.where({ state });
  if (party !== undefined)
    void query.whereIn(
      'request_id',
      knex('sharing_requests').select('id').where({ consumer: party }).orWhere({ provider: party }),
    );
  return await pageOf<DifficultyRow>(query, 'id', ask, database.engine);
}

export async function insertDifficulty(knex: Knex, row: DifficultyRow): Promise<void> {
  await knex<DifficultyRow>('difficulties').insert(row);
}

export async function updateDifficulty(knex: Knex, id: string, patch: Partial<DifficultyRow>): Promise<void> {
  await knex<DifficultyRow>('difficulties').where({ id }).update(patch);
}

export async function findAccountRequest(knex: Knex, id: string): Promise<AccountRequestRow | undefined> {
  return await knex<AccountRequestRow>('account_requests').where({ id }).first();
}

export async function pageAccountRequests(
  database: Database,
  filter: {
    readonly state?: AccountState | undefined;
    readonly agency?: string | undefined;
    readonly overdueAt?: number | undefined;
  },
  ask: PageAsk,
): Promise<Page<AccountRequestRow>> {
  const query = database.knex('account_requests').select();
  const { state, agency, overdueAt } = filter;
  if (state !== undefined) void query.where({ state });
  if (agency !== undefined) void query.where({ agency });
  if (overdueAt !== undefined) void query.where({ state: 'submitted' }).where('due_at', '<', overdueAt);
  return await pageOf<AccountRequestRow>(query, 'id', ask, database.engine);
}

export async function insertAccountRequest(knex: Knex, row: AccountRequestRow): Promise<void> {
  await knex<AccountRequestRow>('account_requests').insert(row);
}

export async function updateAccountRequest(
  knex: Knex,
  id: string,
  patch: Partial<AccountRequestRow>,
): Promise<void> {
  await knex<AccountRequestRow>('account_requests').where({ id }).update(patch);
}

/** What is late and nobody was told of, one table after the other. */
export async function overdueCases(
  knex: Knex,
  now: number,
): Promise<{ accounts: AccountRequestRow[]; difficulties: DifficultyRow[] }> {
  return {
    accounts: await knex<AccountRequestRow>('account_requests')
      .where({ state: 'submitted' })
      .whereNull('overdue_told_at')
      .where('due_at', '<', now),
    difficulties: await knex<DifficultyRow>('difficulties')
      .whereNot({ state: 'concluded' })
      .whereNull('overdue_told_at')
      .where('due_at', '<', now),
  };
}

export async function insertReview(knex: Knex, row: ReviewRow): Promise<void> {
  await knex<ReviewRow>('default_reviews').insert(row);
}

/** The last review of every service that had one. */
export async function lastReviews(knex: Knex): Promise<Map<string, ReviewRow>> {
  const rows = await knex<ReviewRow>('default_reviews').orderBy('at');
  return new Map(rows.map((row) => [row.service_id, row]));
}
