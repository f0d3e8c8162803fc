import { wellFormed } from './canonical.js';
import type { AuditRecord } from './record.js';

/** The text columns of `records` that searches use, with the most characters each holds. */
export const WIDTHS = {
  agency: 35,
  system: 64,
  user: 128,
  case_no: 128,
  provider: 35,
  service: 64,
  version: 16,
  operation: 128,
  outcome: 8,
  code: 32,
  trace: 32,
  opening: 36,
  noun: 32,
  target_key: 160,
  grant_no: 64,
} as const;

export type TextColumn = keyof typeof WIDTHS;

/** Every column that is taken from the leaf, in the order of `COLUMN_NAMES`. */
export interface Columns extends Record<TextColumn, string | null> {
  id: string;
  /** Milliseconds since the epoch. */
  received_at: number;
  kind: string;
  plane: string;
  status: number | null;
}

export const COLUMN_NAMES = [
  'id',
  'received_at',
  'kind',
  'plane',
  'agency',
  'system',
  'user',
  'case_no',
  'provider',
  'service',
  'version',
  'operation',
  'outcome',
  'code',
  'status',
  'trace',
  'opening',
  'noun',
  'target_key',
  'grant_no',
] as const satisfies readonly (keyof Columns)[];

// NUL and lone surrogates are what a text column cannot hold; the two separators are what verification joins columns by.
const UNFIT = /[\u0000\u001e\u001f\ud800-\udfff]/;

/**
 * A value as its column holds it: the leaf keeps it whole, but what a caller sends must never be too long, or
 * too odd, for its record to be written.
 */
export function clip(column: TextColumn, value: string | undefined): string | null {
  if (value === undefined) return null;
  const width = WIDTHS[column];
  if (value.length <= width && !UNFIT.test(value)) return value;
  // Well formed before it is cut, as it is in the leaf: what is read back from there must come out the same.
  return wellFormed(value)
    .slice(0, width)
    .replace(/[\ud800-\udbff]$/, '')
    .replace(/[\u0000\u001e\u001f]/g, '\ufffd');
}

/** The columns that belong to a leaf: made from it when it is written, compared with it when the log is verified. */
export function columnsOf(record: AuditRecord): Columns {
  return {
    id: record.id,
    received_at: Date.parse(record.received),
    kind: record.kind,
    plane: record.plane,
    agency: clip('agency', record.agency),
    system: clip('system', record.system),
    user: clip('user', record.user),
    case_no: clip('case_no', record.case),
    provider: clip('provider', record.provider),
    service: clip('service', record.service),
    version: clip('version', record.version),
    operation: clip('operation', record.operation),
    outcome: clip('outcome', record.outcome),
    code: clip('code', record.code),
    status: record.status ?? null,
    trace: clip('trace', record.trace),
    opening: clip('opening', record.opening),
    noun: clip('noun', record.target?.noun),
    target_key: clip('target_key', record.target?.key),
    grant_no: clip('grant_no', record.grant),
  };
}

const NO_SUBJECTS: readonly string[] = [];

/** The rows of `record_subjects` that belong to a leaf: made from it and compared with it, as its columns are. */
export function subjectsOf({ subjects }: Pick<AuditRecord, 'subjects'>): readonly string[] {
  return Array.isArray(subjects) && subjects.length > 0
    ? [...new Set(subjects as readonly string[])].sort()
    : NO_SUBJECTS;
}
