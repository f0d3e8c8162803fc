import { type FoundRecord, getRecord, type RecordQuery, type RecordScope } from '../../audit/search.js';
import type { Database } from '../../store/database.js';
import type { ControlCall } from '../handler.js';

type Caller = ControlCall['caller'];

const SEE_ALL = ['manager', 'operator', 'auditor'] as const;

/** Every part of the log that the caller may see: all of it, the calls of its services, the calls of its systems. */
export function scopesOf({ roles, agency }: Caller): RecordScope[] {
  if (roles.some((role) => (SEE_ALL as readonly string[]).includes(role))) return [{ all: true }];
  const scopes: RecordScope[] = [];
  if (roles.includes('provider')) scopes.push({ provider: agency });
  if (roles.includes('consumer')) scopes.push({ agency });
  return scopes;
}

/** The record that the path names; null when there is none, or the caller may not see it. */
export async function findVisible(
  database: Database,
  { path, caller }: Pick<ControlCall, 'path' | 'caller'>,
): Promise<FoundRecord | null> {
  const id = (path['id'] ?? '').toLowerCase();
  for (const scope of scopesOf(caller)) {
    const found = await getRecord(database, id, scope);
    if (found !== null) return found;
  }
  return null;
}

/**
 * The part that one search reads. Who is both provider and consumer reads the calls of its services, or, asking
 * for its own agency's records, those of its systems.
 */
export function scopeFor(caller: Caller, query: RecordQuery): RecordScope | undefined {
  const scopes = scopesOf(caller);
  const own = scopes.find((scope) => 'agency' in scope);
  return query.agency === caller.agency && query.provider === undefined ? (own ?? scopes[0]) : scopes[0];
}
