import { type FoundRecord, getRecord, type RecordFilters, type RecordScope } from '../../audit/search.js';
import type { ArchivedRecords } from '../../audit/archive/archived-records.js';
import { Problem } from '../../base/problem.js';
import type { RecordReader } from '../../audit/search/reader.js';
import type { ControlCall } from '../handler.js';
import { beyondRole, notFound } from '../refusals.js';

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

/**
 * The record that the path names, in the table or in a sealed segment.
 *
 * @throws Problem `object_not_found` when there is none, or the caller may not see it
 */
export async function findVisible(
  reader: RecordReader,
  archived: ArchivedRecords,
  { path, caller }: Pick<ControlCall, 'path' | 'caller'>,
): Promise<FoundRecord> {
  const id = (path['id'] ?? '').toLowerCase();
  const scopes = scopesOf(caller);
  for (const scope of scopes) {
    const found = (await getRecord(reader, id, scope)) ?? (await archived.find(id, scope));
    if (found !== null) return found;
  }
  const file = scopes.length === 0 ? null : await archived.unreadableWith(id);
  throw file === null ? notFound() : sealedAway(id, file);
}

/** Not here to be read, and why: in a sealed file that is encrypted, kept elsewhere, or was destroyed when its time was over. */
export function sealedAway(id: string, file?: string): Problem {
  return new Problem('object_not_found', {
    detail: {
      vi: 'Bản ghi thuộc phần nhật ký đã niêm phong mà nền tảng không đọc được: tệp đã mã hóa, đang lưu ở nơi khác hoặc đã hết thời hạn lưu trữ.',
      en: 'The record is in a sealed part of the log that the gateway cannot read: the file is encrypted, kept elsewhere, or its time was over.',
    },
    rule: { kind: 'record', id, state: 'sealed', ...(file === undefined ? {} : { file }) },
  });
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
