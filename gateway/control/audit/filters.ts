import type { RecordQuery } from '../../audit/search.js';
import type { SummaryQuery } from '../../audit/search/summary.js';
import type { Act } from '../../base/exchange.js';
import { findSavedSearch } from '../../store/saved-searches.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { notFound } from '../refusals.js';

/** Filters as they are sent and kept: their times are texts. */
export type SentFilters = Readonly<Record<string, unknown>> & {
  readonly from?: string;
  readonly to?: string;
};

type AskedQuery = RecordQuery & SummaryQuery;

/** What was asked, in full: as the record names it, and as a search takes it. */
export interface Asked {
  readonly filters: SentFilters;
  readonly query: AskedQuery;
}

/** Who keeps a search: a person, or a system in its own name. */
export function ownerOf(caller: ControlCall['caller']): string {
  return `${caller.user === undefined ? 'system' : 'person'}:${actorOf(caller)}`;
}

function queryOf({ from, to, ...rest }: SentFilters): AskedQuery {
  return {
    ...rest,
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(to === undefined ? {} : { to: Date.parse(to) }),
  };
}

/**
 * The filters of a call; those of a saved search where it names one, with the call's own in their place.
 *
 * @throws Problem `object_not_found` for a saved search that is not the caller's
 */
export async function askedFor({ database }: ControlContext, { query, caller }: ControlCall): Promise<Asked> {
  const { saved, ...sent } = query as SentFilters & { saved?: string };
  if (saved === undefined) return { filters: sent, query: queryOf(sent) };
  const row = await findSavedSearch(database.knex, ownerOf(caller), saved);
  if (row === undefined) throw notFound();
  const filters = { ...(JSON.parse(row.filters) as SentFilters), ...sent };
  return { filters, query: queryOf(filters) };
}

/** What names a person or their affair: the record says whom a search was for only to those who can ask the same again. */
const DIGESTED = new Set(['user', 'case']);
/** How the answer was to come, not what was looked for. */
const ASIDE = new Set(['limit', 'cursor', 'format', 'interval']);

/** What was looked for, without how the answer was to come. */
export function conditions({ filters }: Asked): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(filters).filter(([name]) => !ASIDE.has(name)));
}

/** What the record keeps of a search: who looked for what. */
export function searchAct(
  { digestTerm }: ControlContext,
  key: 'page' | 'summary' | 'export',
  asked: Asked,
  more: Readonly<Record<string, unknown>> = {},
): Act {
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(conditions(asked))) {
    kept[name] = DIGESTED.has(name) ? (digestTerm?.(`${name}:${String(value)}`) ?? 'withheld') : value;
  }
  return { noun: 'record_search', key, before: null, after: { filters: kept, ...more } };
}
