import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, rowsIn, searchFor } from './page.js';

export const AGENCY_LEVELS = [
  'province',
  'department',
  'mass_organisation',
  'district',
  'commune',
  'other',
] as const;
export type AgencyLevel = (typeof AGENCY_LEVELS)[number];

export interface AgencyRow {
  code: string;
  /** The older right-to-left form, e.g. `000.00.10.H35`. */
  alias: string | null;
  name: string;
  level: AgencyLevel;
  parent_code: string | null;
  /** Calendar date in Asia/Ho_Chi_Minh, inclusive. */
  valid_from: string;
  valid_to: string | null;
  /** What it was last entered or changed on, as far as a document was named. */
  state_document?: string | null | undefined;
  created_at: number;
  updated_at: number;
}

export interface AgencyFilter {
  readonly q?: string | undefined;
  readonly level?: AgencyLevel | undefined;
  readonly parent?: string | undefined;
  /** Calendar date: only agencies in force on that day. */
  readonly inForceOn?: string | undefined;
}

export async function findAgency(knex: Knex, codeOrAlias: string): Promise<AgencyRow | undefined> {
  return await knex<AgencyRow>('agencies')
    .where({ code: codeOrAlias })
    .orWhere({ alias: codeOrAlias })
    .first();
}

export async function listAgencies(knex: Knex): Promise<AgencyRow[]> {
  return await knex<AgencyRow>('agencies').orderBy('code');
}

/** Code → name, of those that are registered. */
export async function agencyNames(
  knex: Knex,
  codes: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await rowsIn<AgencyRow>(knex, 'agencies', 'code', codes);
  return new Map(rows.map(({ code, name }) => [code, name]));
}

/** One page, by code. */
export async function pageAgencies(
  database: Database,
  filter: AgencyFilter,
  ask: PageAsk,
): Promise<Page<AgencyRow>> {
  const query = database.knex('agencies').select();
  if (filter.q !== undefined) searchFor(query, filter.q, ['code', 'alias']);
  if (filter.level !== undefined) void query.where({ level: filter.level });
  if (filter.parent !== undefined) void query.where({ parent_code: filter.parent });
  const day = filter.inForceOn;
  if (day !== undefined) {
    void query.where('valid_from', '<=', day);
    void query.where((open) => void open.whereNull('valid_to').orWhere('valid_to', '>=', day));
  }
  return await pageOf<AgencyRow>(query, 'code', ask, database.engine);
}

export async function insertAgency(knex: Knex, row: AgencyRow): Promise<void> {
  await knex('agencies').insert({ ...row, search: fold(row.name) });
}

export async function updateAgency(knex: Knex, code: string, patch: Partial<AgencyRow>): Promise<void> {
  const search = patch.name === undefined ? {} : { search: fold(patch.name) };
  await knex('agencies')
    .where({ code })
    .update({ ...patch, ...search });
}
