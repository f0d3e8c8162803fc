import type { RecordScope } from '../../audit/search.js';
import type { SubjectQuery } from '../../audit/subject-search.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { beyondRole, invalid } from '../refusals.js';

/** What is asked of the ledger; the identifier comes in a body, for addresses are written down everywhere. */
export interface Asked {
  readonly kind: string;
  readonly identifier: string;
  readonly from?: string;
  readonly to?: string;
  readonly reason: string;
}

/**
 * Of which records the caller may ask: an auditor of all; a provider of the calls of its own services, for its head
 * answers petitions about the data it provides (491/QĐ-UBND, 4.4). Nobody else: who looked at whom is itself personal
 * data, and neither running the exchange nor managing it needs that.
 */
export function scopeOf({ roles, agency }: ControlCall['caller']): RecordScope {
  if (roles.includes('auditor')) return { all: true };
  if (roles.includes('provider')) return { provider: agency };
  throw beyondRole(
    roles,
    'Chỉ kiểm tra viên và bên cung cấp được tra cứu.',
    'Auditors and providers may ask this.',
  );
}

/** @throws Problem `request_invalid` for an identifier or a reason that says nothing, or a time that ends before it begins */
export function queryOf({ subjects }: ControlContext, asked: Asked): SubjectQuery {
  if (asked.reason.trim().length < 10)
    throw invalid('/body/reason', 'minLength', 'cần nêu rõ lý do tra cứu', 'say why you ask');
  if (asked.identifier.trim() === '')
    throw invalid('/body/identifier', 'minLength', 'cần số định danh', 'an identifier is needed');
  const from = asked.from === undefined ? undefined : Date.parse(asked.from);
  const to = asked.to === undefined ? undefined : Date.parse(asked.to);
  if (from !== undefined && to !== undefined && to <= from)
    throw invalid('/body/to', 'order', 'phải sau thời điểm bắt đầu', 'must come after `from`');
  return { digests: subjects.allOf(asked.kind, asked.identifier), from, to };
}

/** What the record says of the asking itself: about whom (as a digest), why, and how much came of it. */
export function traceOf(
  { subjects }: ControlContext,
  call: ControlCall,
  asked: Asked,
  found: Record<string, unknown>,
) {
  const digest = subjects.of(asked.kind, asked.identifier);
  const { kind, from, to, reason } = asked;
  return {
    subjects: [digest],
    act: {
      noun: 'subject_search',
      key: digest,
      before: null,
      after: { operation: call.operationId, kind, from, to, reason: reason.trim(), ...found },
    },
  };
}
