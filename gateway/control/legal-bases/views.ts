import { legalReference } from '../../base/legal-reference.js';
import type { ClauseEntry, LegalBasisRow } from '../../store/legal-bases.js';
import { isInForce } from './rules.js';

const iso = (ms: number): string => new Date(ms).toISOString();

/** A document as lists show it. */
export function view(row: LegalBasisRow, day: string) {
  return {
    id: row.id,
    number: row.number,
    title: row.title,
    issuer: row.issuer,
    kind: row.kind,
    issuedOn: row.issued_on,
    validFrom: row.valid_from,
    validTo: row.valid_to,
    amendedBy: row.amended_by,
    replacedBy: row.replaced_by,
    url: row.url,
    note: row.note,
    inForce: isInForce(row, day),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

function clauseView(row: LegalBasisRow, clause: ClauseEntry, day: string) {
  const { id, label, summary, valid_from: validFrom, valid_to: validTo } = clause;
  const basis = { ...row, validFrom: row.valid_from, validTo: row.valid_to };
  const { ref, inForce } = legalReference(basis, { id, label, validFrom, validTo }, day);
  return { id, ref, label, summary, validFrom, validTo, inForce };
}

/** A document with its clauses. */
export function fullView(row: LegalBasisRow, clauses: readonly ClauseEntry[], day: string) {
  return { ...view(row, day), clauses: clauses.map((clause) => clauseView(row, clause, day)) };
}
