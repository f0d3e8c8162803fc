import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';
import { nextOfYear } from './yearly-number.js';

export const CHANGE_KINDS = ['service.publish', 'service.promote', 'service.access', 'upgrade'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export const CHANGE_STATES = ['pending', 'approved', 'refused', 'withdrawn', 'expired', 'done'] as const;
export type ChangeState = (typeof CHANGE_STATES)[number];

/** A change that waits for, or had, the decision of a second person. */
export interface ChangeRequestRow {
  /** `td-2026-0001` */
  id: string;
  year: number;
  number: number;
  kind: ChangeKind;
  subject_noun: 'service' | 'platform';
  subject_key: string;
  /** The agency whose service is the subject. */
  provider: string | null;
  /** JSON: what exactly is asked for, pinned down when it was asked. */
  payload: string;
  reason: string;
  document_id: string | null;
  state: ChangeState;
  state_since: number;
  made_by: string;
  made_agency: string;
  made_at: number;
  decided_by: string | null;
  decided_at: number | null;
  decision_reason: string | null;
  expires_at: number;
}

export interface ChangeRequestFilter {
  readonly state?: ChangeState | undefined;
  readonly kind?: ChangeKind | undefined;
  /** The subject's key. */
  readonly subject?: string | undefined;
  /** Whose requests may be seen: everybody's, or those of one agency and of its services. */
  readonly of: 'all' | { readonly agency: string };
}

/** A request nobody decided in time has expired, whether or not that has been noted yet. */
export function stateAt(row: ChangeRequestRow, now: number): Pick<ChangeRequestRow, 'state' | 'state_since'> {
  if (row.state !== 'pending' || row.expires_at > now) return row;
  return { state: 'expired', state_since: row.expires_at };
}

function inState(query: Knex.QueryBuilder, state: ChangeState, now: number): void {
  if (state === 'pending') void query.where({ state }).where('expires_at', '>', now);
  else if (state === 'expired')
    void query.where((either) => {
      void either
        .where({ state })
        .orWhere((late) => void late.where({ state: 'pending' }).where('expires_at', '<=', now));
    });
  else void query.where({ state });
}

/** One page, by id. */
export async function pageChangeRequests(
  database: Database,
  filter: ChangeRequestFilter,
  ask: PageAsk,
  now: number,
): Promise<Page<ChangeRequestRow>> {
  const query = database.knex('change_requests').select();
  const { of } = filter;
  if (filter.state !== undefined) inState(query, filter.state, now);
  if (filter.kind !== undefined) void query.where({ kind: filter.kind });
  if (filter.subject !== undefined) void query.where({ subject_key: filter.subject });
  if (of !== 'all')
    void query.where((own) => void own.where({ made_agency: of.agency }).orWhere({ provider: of.agency }));
  return await pageOf<ChangeRequestRow>(query, 'id', ask, database.engine);
}

export async function findChangeRequest(knex: Knex, id: string): Promise<ChangeRequestRow | undefined> {
  return await knex<ChangeRequestRow>('change_requests').where({ id }).first();
}

/** Gives it the next number of its year. */
export async function insertChangeRequest(
  trx: Knex.Transaction,
  content: Omit<ChangeRequestRow, 'id' | 'year' | 'number'>,
): Promise<ChangeRequestRow> {
  const place = { table: 'change_requests', column: 'number', prefix: 'td' };
  const { text: id, year, number } = await nextOfYear(trx, place, content.made_at);
  const row = { id, year, number, ...content };
  await trx<ChangeRequestRow>('change_requests').insert(row);
  return row;
}

export async function updateChangeRequest(
  trx: Knex.Transaction,
  id: string,
  patch: Partial<ChangeRequestRow>,
): Promise<void> {
  await trx<ChangeRequestRow>('change_requests').where({ id }).update(patch);
}

/** Those whose time ran out undecided and of which that has not been noted, oldest first. */
export async function lapsedChangeRequests(
  knex: Knex,
  now: number,
  limit: number,
): Promise<ChangeRequestRow[]> {
  return await knex<ChangeRequestRow>('change_requests')
    .where({ state: 'pending' })
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(limit);
}
