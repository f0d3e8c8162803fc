import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, rowsIn } from './page.js';

export const GRANT_STATES = ['requested', 'active', 'refused', 'expired', 'terminated'] as const;
export type GrantState = (typeof GRANT_STATES)[number];
export const GRANT_SIDES = ['consumer', 'provider', 'platform'] as const;
export type GrantSide = (typeof GRANT_SIDES)[number];

/** That a system may call a service: since when, until when, how often, what of it. Times are ms since the epoch. */
export interface GrantRow {
  id: string;
  request_id: string | null;
  sharing: 'default' | 'special';
  service_id: string;
  provider: string;
  consumer: string;
  system_id: string;
  state: GrantState;
  state_since: number;
  suspended_consumer: number | null;
  suspended_provider: number | null;
  suspended_platform: number | null;
  /** JSON array of operation ids; null means all. */
  operations: string | null;
  /** JSON: operation id → pointers into its answers; null means all fields. */
  fields: string | null;
  approved_per_day: number | null;
  approved_per_minute: number | null;
  per_day: number | null;
  per_minute: number | null;
  purpose: string;
  legal_basis: string | null;
  valid_from: number;
  /** In force until before. */
  valid_until: number | null;
  version: number;
  due_at: number | null;
  overdue_told_at: number | null;
  reason: string | null;
  document_id: string | null;
  created_by: string;
  decided_by: string | null;
  created_at: number;
  updated_at: number;
}

export interface GrantFilter {
  readonly service?: string | undefined;
  readonly system?: string | undefined;
  readonly consumer?: string | undefined;
  readonly provider?: string | undefined;
  readonly state?: GrantState | undefined;
  readonly sharing?: GrantRow['sharing'] | undefined;
  /** Only where this agency is consumer or provider. */
  readonly party?: string | undefined;
}

/** Approvals and subscriptions of a service that are alive, with whose system they are. */
export async function activeGrantsOf(
  knex: Knex,
  service: string,
): Promise<{ id: string; system_id: string; agency_code: string }[]> {
  return await knex('grants')
    .join('systems', 'systems.id', 'grants.system_id')
    .where({ service_id: service, 'grants.state': 'active' })
    .orderBy('grants.created_at')
    .select('grants.id', 'grants.system_id', 'systems.agency_code');
}

export async function findGrant(knex: Knex, id: string): Promise<GrantRow | undefined> {
  return await knex<GrantRow>('grants').where({ id }).first();
}

/** Grants by their ids, of those that there are. */
export async function grantsByIds(
  knex: Knex,
  ids: readonly string[],
): Promise<ReadonlyMap<string, GrantRow>> {
  const rows = await rowsIn<GrantRow>(knex, 'grants', 'id', ids);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Active grants by id; only where this agency is consumer or provider, if one is told. */
export async function grantsInForce(knex: Knex, party: string | null): Promise<GrantRow[]> {
  const query = knex<GrantRow>('grants').where({ state: 'active' });
  if (party !== null)
    void query.where((either) => void either.where({ consumer: party }).orWhere({ provider: party }));
  return await query.orderBy('id');
}

/** All grants of a system for a service, oldest first. */
export async function grantsOfPair(knex: Knex, system: string, service: string): Promise<GrantRow[]> {
  return await knex<GrantRow>('grants')
    .where({ system_id: system, service_id: service })
    .orderBy(['created_at', 'id']);
}

/** Every grant that says something about calls, oldest first. */
export async function listGrants(knex: Knex): Promise<GrantRow[]> {
  return await knex<GrantRow>('grants').whereNot({ state: 'refused' }).orderBy(['created_at', 'id']);
}

export async function pageGrants(
  database: Database,
  filter: GrantFilter,
  ask: PageAsk,
): Promise<Page<GrantRow>> {
  const query = database.knex('grants').select();
  const { party, service, system, consumer, provider, state, sharing } = filter;
  const exact = { service_id: service, system_id: system, consumer, provider, state, sharing };
  for (const [column, value] of Object.entries(exact))
    if (value !== undefined) void query.where({ [column]: value });
  if (party !== undefined)
    void query.where((either) => void either.where({ consumer: party }).orWhere({ provider: party }));
  return await pageOf<GrantRow>(query, 'id', ask, database.engine);
}

export async function insertGrant(knex: Knex, row: GrantRow): Promise<void> {
  await knex<GrantRow>('grants').insert(row);
}

export async function updateGrant(knex: Knex, id: string, patch: Partial<GrantRow>): Promise<void> {
  await knex<GrantRow>('grants').where({ id }).update(patch);
}

/** Active grants whose term is over. */
export async function grantsPast(knex: Knex, now: number): Promise<GrantRow[]> {
  return await knex<GrantRow>('grants')
    .where({ state: 'active' })
    .whereNotNull('valid_until')
    .where('valid_until', '<=', now);
}

/** Subscriptions that are alive, to services that are shared by special request; one of them, or all. */
export async function subscriptionsOutgrown(knex: Knex, id?: string): Promise<GrantRow[]> {
  const query = knex('grants')
    .join('services', 'services.id', 'grants.service_id')
    .where({ 'grants.sharing': 'default', 'services.sharing': 'special' })
    .whereNotNull('services.published_revision')
    .whereIn('grants.state', ['active', 'requested'])
    .select('grants.*');
  if (id !== undefined) void query.where({ 'grants.id': id });
  return (await query) as GrantRow[];
}

/** Subscriptions whose time to be confirmed is over, and nobody was told. */
export async function overdueSubscriptions(knex: Knex, now: number): Promise<GrantRow[]> {
  return await knex<GrantRow>('grants')
    .where({ state: 'requested' })
    .whereNull('overdue_told_at')
    .where('due_at', '<', now);
}

interface UsageRow {
  grant_id: string;
  day: string;
  calls: number;
}

/**
 * Takes `want` calls out of a day's quota, all of them or none, whichever node asks.
 *
 * @returns how many calls of the day are taken now, on all nodes; null when so many are not left
 */
export async function takeCalls(
  knex: Knex,
  grantId: string,
  day: string,
  want: number,
  quota: number,
): Promise<number | null> {
  await knex<UsageRow>('grant_usage')
    .insert({ grant_id: grantId, day, calls: 0 })
    .onConflict(['grant_id', 'day'])
    .ignore();
  const [row] = await knex<UsageRow>('grant_usage')
    .where({ grant_id: grantId, day })
    .where('calls', '<=', quota - want)
    .increment('calls', want)
    .returning<{ calls: number }[]>('calls');
  return row === undefined ? null : row.calls;
}

/** Gives back calls that were taken and not made. */
export async function giveBackCalls(knex: Knex, grantId: string, day: string, calls: number): Promise<void> {
  await knex<UsageRow>('grant_usage').where({ grant_id: grantId, day }).decrement('calls', calls);
}

export async function callsTaken(knex: Knex, grantId: string, day: string): Promise<number> {
  const row = await knex<UsageRow>('grant_usage').where({ grant_id: grantId, day }).first();
  return row?.calls ?? 0;
}
