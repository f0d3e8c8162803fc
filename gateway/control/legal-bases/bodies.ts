import type { ClauseEntry, LegalBasisRow, LegalKind } from '../../store/legal-bases.js';

interface ClauseBody {
  readonly id: string;
  readonly label: string;
  readonly summary: string;
  readonly validFrom?: string | null;
  readonly validTo?: string | null;
}

export interface LegalBasisChange {
  readonly number?: string;
  readonly title?: string;
  readonly issuer?: string;
  readonly kind?: LegalKind;
  readonly issuedOn?: string | null;
  readonly validFrom?: string | null;
  readonly validTo?: string | null;
  readonly amendedBy?: string | null;
  readonly replacedBy?: string | null;
  readonly url?: string | null;
  readonly note?: string | null;
  readonly clauses?: readonly ClauseBody[];
}

export interface NewLegalBasis extends LegalBasisChange {
  readonly id: string;
  readonly number: string;
  readonly title: string;
  readonly issuer: string;
  readonly kind: LegalKind;
}

const tidy = (text: string): string => text.normalize('NFC').trim();
const orNull = (text: string | null | undefined): string | null => (text == null ? null : tidy(text));

export function newRow(body: NewLegalBasis, now: number): LegalBasisRow {
  return {
    id: body.id,
    number: tidy(body.number),
    title: tidy(body.title),
    issuer: tidy(body.issuer),
    kind: body.kind,
    issued_on: body.issuedOn ?? null,
    valid_from: body.validFrom ?? null,
    valid_to: body.validTo ?? null,
    amended_by: body.amendedBy ?? null,
    replaced_by: body.replacedBy ?? null,
    url: orNull(body.url),
    note: orNull(body.note),
    created_at: now,
    updated_at: now,
  };
}

/** What was sent, over what is there; null empties, absence leaves. */
export function changedRow(row: LegalBasisRow, body: LegalBasisChange, now: number): LegalBasisRow {
  const sent = <T>(value: T | null | undefined, before: T | null): T | null =>
    value === undefined ? before : value;
  return {
    ...row,
    number: tidy(body.number ?? row.number),
    title: tidy(body.title ?? row.title),
    issuer: tidy(body.issuer ?? row.issuer),
    kind: body.kind ?? row.kind,
    issued_on: sent(body.issuedOn, row.issued_on),
    valid_from: sent(body.validFrom, row.valid_from),
    valid_to: sent(body.validTo, row.valid_to),
    amended_by: sent(body.amendedBy, row.amended_by),
    replaced_by: sent(body.replacedBy, row.replaced_by),
    url: orNull(sent(body.url, row.url)),
    note: orNull(sent(body.note, row.note)),
    updated_at: now,
  };
}

/** The clauses as sent, all of them, or as they are when none were sent. */
export function changedClauses(
  clauses: readonly ClauseEntry[],
  body: Pick<LegalBasisChange, 'clauses'>,
): readonly ClauseEntry[] {
  if (body.clauses === undefined)
    return clauses.map(({ id, label, summary, valid_from, valid_to }) => ({
      id,
      label,
      summary,
      valid_from,
      valid_to,
    }));
  return body.clauses.map((clause) => ({
    id: clause.id,
    label: tidy(clause.label),
    summary: tidy(clause.summary),
    valid_from: clause.validFrom ?? null,
    valid_to: clause.validTo ?? null,
  }));
}
