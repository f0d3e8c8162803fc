import { subjectsOf } from '../columns.js';
import type { AuditRecord } from '../record.js';

/** What `record_subjects` holds of one record. */
export interface StoredSubject {
  readonly seq: number;
  readonly digest: string;
  readonly received_at: number;
}

export type SubjectsBySeq = ReadonlyMap<number, readonly StoredSubject[]>;

const NONE: SubjectsBySeq = new Map();

/** @param rows by place and digest, the order in which a leaf names them */
export function bySeq(rows: readonly StoredSubject[]): SubjectsBySeq {
  if (rows.length === 0) return NONE;
  const found = new Map<number, StoredSubject[]>();
  for (const row of rows) {
    const known = found.get(row.seq);
    if (known === undefined) found.set(row.seq, [row]);
    else known.push(row);
  }
  return found;
}

const NO_ROWS: readonly StoredSubject[] = [];

/** Whether the rows are what the record says: one missing hides an access, one too many invents one. */
export function subjectsAgree(
  record: Pick<AuditRecord, 'received' | 'subjects'>,
  rows: readonly StoredSubject[] = NO_ROWS,
): boolean {
  const said = subjectsOf(record);
  if (said.length === 0 && rows.length === 0) return true;
  const receivedAt = Date.parse(record.received);
  return (
    said.length === rows.length &&
    said.every((digest, i) => rows[i]?.digest === digest && rows[i].received_at === receivedAt)
  );
}
