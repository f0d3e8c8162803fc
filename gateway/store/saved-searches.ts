import type { Knex } from 'knex';
import type { Page, PageAsk } from './page.js';

/** A search of the record that somebody keeps under a name. */
export interface SavedSearchRow {
  id: string;
  /** `person:…` or `system:…`. */
  owner: string;
  name: string;
  /** JSON of the filters as they are sent. */
  filters: string;
  created_at: number;
  updated_at: number;
}

const table = (knex: Knex) => knex<SavedSearchRow>('saved_searches');

/** Those of one owner, by id, which is by age. */
export async function listSavedSearches(
  knex: Knex,
  owner: string,
  { limit, after }: PageAsk,
): Promise<Page<SavedSearchRow>> {
  const query = table(knex)
    .where({ owner })
    .orderBy('id')
    .limit(limit + 1);
  if (after !== undefined) void query.where('id', '>', after);
  const rows = await query;
  const page = rows.slice(0, limit);
  return { rows: page, next: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}

export async function findSavedSearch(
  knex: Knex,
  owner: string,
  id: string,
): Promise<SavedSearchRow | undefined> {
  return await table(knex).where({ owner, id }).first();
}

export async function countSavedSearches(knex: Knex, owner: string): Promise<number> {
  const [row] = await table(knex).where({ owner }).count<{ n: number }[]>({ n: '*' });
  return row?.n ?? 0;
}

export async function insertSavedSearch(knex: Knex, row: SavedSearchRow): Promise<void> {
  await table(knex).insert(row);
}

/** @returns whether there was one */
export async function updateSavedSearch(
  knex: Knex,
  { owner, id, name, filters, updated_at }: Omit<SavedSearchRow, 'created_at'>,
): Promise<boolean> {
  return (await table(knex).where({ owner, id }).update({ name, filters, updated_at })) > 0;
}

/** @returns whether there was one */
export async function deleteSavedSearch(knex: Knex, owner: string, id: string): Promise<boolean> {
  return (await table(knex).where({ owner, id }).delete()) > 0;
}
