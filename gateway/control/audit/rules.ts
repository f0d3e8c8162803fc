import { type FoundRecord, getRecord, type RecordFilters, type RecordScope } from '../../audit/search.js';
import type { RecordReader } from '../../audit/search/reader.js';
import type { ControlCall } from '../handler.js';
import { beyondRole } from '../refusals.js';

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
  reader: RecordReader,
  { path, caller }: Pick<ControlCall, 'path' | 'caller'>,
): Promise<FoundRecord | null> {
  const id = (path['id'] ?? '').toLowerCase();
  for (const scope of scopesOf(caller)) {
    const found = await getRecord(reader, id, scope);
    if (found !== null) return found;
  }
  return null;
}

/**
 * The part that one search reads. Who is both provider and consumer reads the calls of its services, or, asking
 * for its own agency's records, those of its systems.
 */
export function scopeFor(caller: Caller, query: RecordFilters): RecordScope | undefined {
  const scopes = scopesOf(caller);
  const own = scopes.find((scope) => 'agency' in scope);
  return query.agency === caller.agency && query.provider === undefined ? (own ?? scopes[0]) : scopes[0];
}

/**
 * Who sees everything as an operator only keeps the platform running, and does not look into what people do on it: whom a
 * call was made for, and in which case, is not theirs to see or to look for.
 */
export function seesPersons({ roles }: Caller): boolean {
  return !roles.includes('operator') || roles.includes('manager') || roles.includes('auditor');
}

/** @throws Problem `role_required` for a filter by what the caller may not see */
export function assertMayAsk(caller: Caller, query: RecordFilters): void {
  if (seesPersons(caller) || (query.user === undefined && query.case === undefined)) return;
  throw beyondRole(
    caller.roles,
    'Người vận hành không được tra cứu theo người thực hiện hoặc số hồ sơ.',
    'Operators do not search by person or case.',
  );
}

/**
 * A receipt shows the record to the letter.
 *
 * @throws Problem `role_required` where part of it is not the caller's to see
 */
export function assertMaySeeWhole(caller: Caller, record: FoundRecord): void {
  if (seesPersons(caller) || (record.user === undefined && record.case === undefined)) return;
  throw beyondRole(
    caller.roles,
    'Biên nhận của bản ghi này nêu người thực hiện hoặc số hồ sơ, người vận hành không được xem.',
    'The receipt of this record names a person or a case, which operators do not see.',
  );
}

/** The record as the caller may see it. */
export function visible<R extends FoundRecord>(caller: Caller, record: R): R {
  if (seesPersons(caller)) return record;
  const { user: _user, case: _case, ...rest } = record;
  return rest as R;
}

/**
 * A bundle holds whole leaves, whatever they name.
 *
 * @throws Problem `role_required` for who does not see persons
 */
export function assertMayBundle(caller: Caller): void {
  if (seesPersons(caller)) return;
  throw beyondRole(
    caller.roles,
    'Gói bằng chứng chứa nguyên văn bản ghi, kể cả người thực hiện và số hồ sơ; người vận hành không được xem.',
    'An evidence bundle holds records to the letter, persons and cases too, which operators do not see.',
  );
}
