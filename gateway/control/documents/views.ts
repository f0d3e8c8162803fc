import type { DebtRow, DocumentRow } from '../../store/documents.js';

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

export function documentView(row: DocumentRow) {
  return {
    id: row.id,
    number: row.number,
    kind: row.kind,
    issuedOn: row.issued_on,
    issuer: row.issuer,
    signatory: row.signatory,
    requestedBy: row.requested_by,
    summary: row.summary,
    agency: row.agency_code,
    attachment:
      row.attachment_sha256 === null
        ? null
        : {
            name: row.attachment_name,
            type: row.attachment_type,
            bytes: row.attachment_bytes,
            sha256: row.attachment_sha256,
          },
    createdBy: row.created_by,
    createdAt: iso(row.created_at),
  };
}

export function debtView(row: DebtRow, now: number) {
  const state = row.settled_at !== null ? 'settled' : row.due_at < now ? 'overdue' : 'open';
  return {
    id: row.id,
    state,
    noun: row.noun,
    key: row.key,
    act: row.act,
    reason: row.reason,
    agency: row.agency_code,
    owedBy: row.owed_by,
    owedAt: iso(row.owed_at),
    dueAt: iso(row.due_at),
    remindedAt: isoOrNull(row.reminded_at),
    escalatedAt: isoOrNull(row.escalated_at),
    settledAt: isoOrNull(row.settled_at),
    settledBy: row.settled_by,
    document: row.document_id,
  };
}
