import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';
import { nextOfYear } from './yearly-number.js';

/** `closed` by a person, `ended` by itself when its time was over. */
export type BreakGlassState = 'active' | 'closed' | 'ended';

/** An access to one service in an emergency: of one actor, for a while. */
export interface BreakGlassRow {
  /** `kc-2026-0001` */
  number: string;
  year: number;
  sequence: number;
  change_request_id: string;
  service_id: string;
  provider: string;
  actor: string;
  actor_agency: string;
  /** In force from … until before … */
  from_at: number;
  until_at: number;
  closed_at: number | null;
  closed_by: string | null;
  /** When it was noted that its time was over. */
  ended_at: number | null;
  uses: number;
  last_used_at: number | null;
}

export interface BreakGlassFilter {
  readonly state?: BreakGlassState | undefined;
  readonly service?: string | undefined;
  /** Whose services: everybody's, or those of one agency. */
  readonly of: 'all' | { readonly agency: string };
}

export function breakGlassState(row: BreakGlassRow, now: number): { state: BreakGlassState; since: number } {
  if (row.closed_at !== null) return { state: 'closed', since: row.closed_at };
  if (row.ended_at !== null || row.until_at <= now) return { state: 'ended', since: row.until_at };
  return { state: 'active', since: row.from_at };
}

/** What makes an access count at a moment, as a condition of the database. */
function inForce(query: Knex.QueryBuilder, now: number): void {
  void query
    .whereNull('closed_at')
    .whereNull('ended_at')
    .where('from_at', '<=', now)
    .where('until_at', '>', now);
}

/** The access of this actor to this service that is in force, the one that lasts longest. */
export async function accessInForce(
  knex: Knex,
  { service, actor, agency }: { service: string; actor: string; agency: string },
  now: number,
): Promise<BreakGlassRow | undefined> {
  const query = knex('break_glass').where({ service_id: service, actor, actor_agency: agency });
  inForce(query, now);
  return (await query.orderBy('until_at', 'desc').first()) as BreakGlassRow | undefined;
}

/** One page, by number. */
export async function pageBreakGlass(
  database: Database,
  filter: BreakGlassFilter,
  ask: PageAsk,
  now: number,
): Promise<Page<BreakGlassRow>> {
  const query = database.knex('break_glass').select();
  if (filter.state === 'active') inForce(query, now);
  if (filter.state === 'closed') void query.whereNotNull('closed_at');
  if (filter.state === 'ended')
    void query
      .whereNull('closed_at')
      .where((over) => void over.whereNotNull('ended_at').orWhere('until_at', '<=', now));
  if (filter.service !== undefined) void query.where({ service_id: filter.service });
  if (filter.of !== 'all') void query.where({ provider: filter.of.agency });
  return await pageOf<BreakGlassRow>(query, 'number', ask, database.engine);
}

export async function findBreakGlass(knex: Knex, number: string): Promise<BreakGlassRow | undefined> {
  return await knex<BreakGlassRow>('break_glass').where({ number }).first();
}

export async function breakGlassOf(knex: Knex, changeRequest: string): Promise<BreakGlassRow | undefined> {
  return await knex<BreakGlassRow>('break_glass').where({ change_request_id: changeRequest }).first();
}

/** Gives it the next number of its year. */
export async function insertBreakGlass(
  trx: Knex.Transaction,
  content: Omit<BreakGlassRow, 'number' | 'year' | 'sequence'>,
): Promise<BreakGlassRow> {
  const place = { table: 'break_glass', column: 'sequence', prefix: 'kc' };
  const { text: number, year, number: sequence } = await nextOfYear(trx, place, content.from_at);
  const row = { number, year, sequence, ...content };
  await trx<BreakGlassRow>('break_glass').insert(row);
  return row;
}

export async function updateBreakGlass(
  trx: Knex.Transaction,
  number: string,
  patch: Partial<BreakGlassRow>,
): Promise<void> {
  await trx<BreakGlassRow>('break_glass').where({ number }).update(patch);
}

/** Those whose time is over and of which that has not been noted, oldest first. */
export async function overdueBreakGlass(knex: Knex, now: number, limit: number): Promise<BreakGlassRow[]> {
  return await knex<BreakGlassRow>('break_glass')
    .whereNull('closed_at')
    .whereNull('ended_at')
    .where('until_at', '<=', now)
    .orderBy('until_at')
    .limit(limit);
}
