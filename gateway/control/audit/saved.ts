import { uuidv7 } from '../../base/ids.js';
import {
  countSavedSearches,
  deleteSavedSearch,
  findSavedSearch,
  insertSavedSearch,
  listSavedSearches,
  type SavedSearchRow,
  updateSavedSearch,
} from '../../store/saved-searches.js';
import { isUniqueViolation } from '../../store/unique.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { conflict, invalid, notFound } from '../refusals.js';
import { ownerOf, type SentFilters } from './filters.js';

const MOST_KEPT = 200;

interface Body {
  readonly name: string;
  readonly filters: SentFilters;
}

const iso = (ms: number): string => new Date(ms).toISOString();

function view({ id, name, filters, created_at, updated_at }: SavedSearchRow) {
  const kept = JSON.parse(filters) as SentFilters;
  return { id, name, filters: kept, createdAt: iso(created_at), updatedAt: iso(updated_at) };
}

const idOf = ({ path }: ControlCall): string => (path['id'] ?? '').toLowerCase();

const nameTaken = () =>
  conflict('Đã có tra cứu được lưu với tên này', 'A saved search has this name already');

function checked(body: unknown): Body {
  const { name, filters } = body as Body;
  const clean = name.normalize('NFC').trim();
  if (clean === '') throw invalid('/body/name', 'minLength', 'không được để trống', 'must not be empty');
  return { name: clean, filters };
}

async function list({ database }: ControlContext, { query, caller }: ControlCall): Promise<ControlResult> {
  const page = await listSavedSearches(database.knex, ownerOf(caller), pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

async function get({ database }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await findSavedSearch(database.knex, ownerOf(call.caller), idOf(call));
  if (row === undefined) throw notFound();
  return { status: 200, body: view(row) };
}

async function create({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const owner = ownerOf(call.caller);
  const now = clock.now();
  const { name, filters } = checked(call.body);
  if ((await countSavedSearches(database.knex, owner)) >= MOST_KEPT)
    throw conflict(`Chỉ lưu được ${MOST_KEPT} tra cứu`, `No more than ${MOST_KEPT} searches are kept`);
  const times = { created_at: now, updated_at: now };
  const row = { id: uuidv7(now), owner, name, filters: JSON.stringify(filters), ...times };
  try {
    await insertSavedSearch(database.knex, row);
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken() : error;
  }
  return {
    status: 201,
    body: view(row),
    act: { noun: 'saved_search', key: row.id, before: null, after: { name } },
  };
}

async function update({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const [owner, id] = [ownerOf(call.caller), idOf(call)];
  const { name, filters } = checked(call.body);
  const known = await findSavedSearch(database.knex, owner, id);
  if (known === undefined) throw notFound();
  const row = { ...known, name, filters: JSON.stringify(filters), updated_at: clock.now() };
  try {
    await updateSavedSearch(database.knex, row);
  } catch (error) {
    throw isUniqueViolation(error) ? nameTaken() : error;
  }
  const act = { noun: 'saved_search', key: id, before: { name: known.name }, after: { name } };
  return { status: 200, body: view(row), act };
}

async function remove({ database }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const id = idOf(call);
  if (!(await deleteSavedSearch(database.knex, ownerOf(call.caller), id))) throw notFound();
  return { status: 204, act: { noun: 'saved_search', key: id, before: {}, after: null } };
}

/** Searches that somebody keeps under a name. Nobody else sees them, or learns that there are any. */
export function savedSearchRoutes(context: ControlContext): ControlHandlers {
  return {
    listSearches: (call) => list(context, call),
    getSearch: (call) => get(context, call),
    createSearch: (call) => create(context, call),
    updateSearch: (call) => update(context, call),
    deleteSearch: (call) => remove(context, call),
  };
}
