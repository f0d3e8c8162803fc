import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';

export const REQUEST_STATES = [
  'draft',
  'submitted',
  'in_review',
  'needs_changes',
  'refused',
  'withdrawn',
  'agreed',
  'preparing',
  'testing',
  'active',
  'suspended',
  'expired',
  'terminated',
] as const;
export type RequestState = (typeof REQUEST_STATES)[number];

export interface RequestRow {
  id: string;
  service_id: string;
  provider: string;
  consumer: string;
  system_id: string;
  state: RequestState;
  state_since: number;
  due_at: number | null;
  overdue_told_at: number | null;
  /** JSON of what is asked for. */
  content: string;
  /** JSON of what provider and consumer agreed on. */
  agreement: string | null;
  /** JSON of why it was refused. */
  refusal: string | null;
  grant_id: string | null;
  /** The grant whose quota or term it would change. */
  amends: string | null;
  submitted_by: string | null;
  agreed_by: string | null;
  created_by: string;
  created_at: number;
  updated_at: number;
}

export interface StepRow {
  request_id: string;
  seq: number;
  step: string;
  from_state: RequestState;
  to_state: RequestState;
  side: string;
  actor: string;
  agency: string;
  at: number;
  reason: string | null;
  document_id: string | null;
  legal_basis: string | null;
}

export interface TaskRow {
  request_id: string;
  seq: number;
  kind: 'infrastructure' | 'network' | 'connector' | 'data';
  party: 'consumer' | 'provider' | 'platform';
  title: string;
  note: string | null;
  done_at: number | null;
  done_by: string | null;
}

export interface TestRow {
  request_id: string;
  seq: number;
  at: number;
  actor: string;
  /** A number on SQLite. */
  passed: boolean | number;
  /** JSON of the single checks. */
  checks: string;
}

export interface RequestFilter {
  readonly service?: string | undefined;
  readonly state?: RequestState | undefined;
  readonly consumer?: string | undefined;
  readonly provider?: string | undefined;
  readonly overdueAt?: number | undefined;
  /** Only where this agency is consumer or provider; a draft is its consumer's alone. */
  readonly party?: string | undefined;
  /** Drafts of this agency only. */
  readonly draftsOf?: string | undefined;
}

export async function findRequest(knex: Knex, id: string): Promise<RequestRow | undefined> {
  return await knex<RequestRow>('sharing_requests').where({ id }).first();
}

export async function pageRequests(
  database: Database,
  filter: RequestFilter,
  ask: PageAsk,
): Promise<Page<RequestRow>> {
  const query = database.knex('sharing_requests').select();
  const { service, state, consumer, provider, party, overdueAt, draftsOf } = filter;
  for (const [column, value] of Object.entries({ service_id: service, state, consumer, provider }))
    if (value !== undefined) void query.where({ [column]: value });
  if (overdueAt !== undefined) void query.where('due_at', '<', overdueAt);
  if (draftsOf !== undefined)
    void query.where((seen) => void seen.whereNot({ state: 'draft' }).orWhere({ consumer: draftsOf }));
  if (party !== undefined)
    void query.where((either) => {
      void either.where({ consumer: party });
      void either.orWhere((own) => void own.where({ provider: party }).whereNot({ state: 'draft' }));
    });
  return await pageOf<RequestRow>(query, 'id', ask, database.engine);
}

export async function insertRequest(knex: Knex, row: RequestRow): Promise<void> {
  await knex<RequestRow>('sharing_requests').insert(row);
}

export async function updateRequest(knex: Knex, id: string, patch: Partial<RequestRow>): Promise<void> {
  await knex<RequestRow>('sharing_requests').where({ id }).update(patch);
}

/** Whether something is under way for this system and service that has not ended. */
export async function openRequestOf(
  knex: Knex,
  system: string,
  service: string,
): Promise<RequestRow | undefined> {
  return await knex<RequestRow>('sharing_requests')
    .where({ system_id: system, service_id: service })
    .whereNotIn('state', ['draft', 'refused', 'withdrawn', 'active', 'suspended', 'expired', 'terminated'])
    .first();
}

/** The requests whose time to decide is over, and nobody was told. */
export async function overdueRequests(knex: Knex, now: number): Promise<RequestRow[]> {
  return await knex<RequestRow>('sharing_requests')
    .whereIn('state', ['submitted', 'in_review'])
    .whereNull('overdue_told_at')
    .where('due_at', '<', now);
}

/** What was approved and is not at work yet. */
export async function requestsBeforeUse(knex: Knex): Promise<RequestRow[]> {
  return await knex<RequestRow>('sharing_requests').whereIn('state', ['preparing', 'testing']).orderBy('id');
}

async function nextSeq(knex: Knex, table: string, requestId: string): Promise<number> {
  const row = (await knex(table).where({ request_id: requestId }).max({ seq: 'seq' }).first()) as
    | { seq: number | null }
    | undefined;
  return (row?.seq ?? 0) + 1;
}

export async function addStep(knex: Knex, row: Omit<StepRow, 'seq'>): Promise<void> {
  await knex('sharing_steps').insert({ ...row, seq: await nextSeq(knex, 'sharing_steps', row.request_id) });
}

export async function listSteps(knex: Knex, requestId: string): Promise<StepRow[]> {
  return await knex<StepRow>('sharing_steps').where({ request_id: requestId }).orderBy('seq');
}

export async function addTask(knex: Knex, row: Omit<TaskRow, 'seq'>): Promise<void> {
  await knex('sharing_tasks').insert({ ...row, seq: await nextSeq(knex, 'sharing_tasks', row.request_id) });
}

export async function listTasks(knex: Knex, requestId: string): Promise<TaskRow[]> {
  return await knex<TaskRow>('sharing_tasks').where({ request_id: requestId }).orderBy('seq');
}

export async function updateTask(
  knex: Knex,
  requestId: string,
  seq: number,
  patch: Partial<TaskRow>,
): Promise<void> {
  await knex<TaskRow>('sharing_tasks').where({ request_id: requestId, seq }).update(patch);
}

export async function deleteTasks(knex: Knex, requestId: string): Promise<void> {
  await knex<TaskRow>('sharing_tasks').where({ request_id: requestId }).delete();
}

export async function addTest(knex: Knex, row: Omit<TestRow, 'seq'>): Promise<void> {
  await knex('sharing_tests').insert({ ...row, seq: await nextSeq(knex, 'sharing_tests', row.request_id) });
}

export async function listTests(knex: Knex, requestId: string): Promise<(TestRow & { passed: boolean })[]> {
  const rows = await knex<TestRow>('sharing_tests').where({ request_id: requestId }).orderBy('seq');
  return rows.map((row) => ({ ...row, passed: Boolean(row.passed) }));
}
