/** A document of the registry of legal bases, or one clause of it, as it is pointed to. */
export interface LegalReference {
  /** `491-qd-ubnd#d2.6`, or `491-qd-ubnd` for the whole document. */
  readonly ref: string;
  /** Number and notation, e.g. `491/QĐ-UBND`. */
  readonly number: string;
  /** The clause's label, e.g. `Điều 2 khoản 6`; null for the whole document. */
  readonly clause: string | null;
  readonly title: string;
  /** First and last day in force, calendar days in Asia/Ho_Chi_Minh; narrowed by the clause's own. */
  readonly validFrom: string | null;
  readonly validTo: string | null;
  /** Whether it is in force on the day it was asked for. An unknown first day is never in force. */
  readonly inForce: boolean;
}

interface Span {
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

/** Whether a span of calendar days, both inclusive, holds a day. Without a first day it holds none. */
export function spanHolds({ validFrom, validTo }: Span, day: string): boolean {
  return validFrom !== null && validFrom <= day && (validTo === null || validTo >= day);
}

const ref = (id: string, clauseId: string | null): string => (clauseId === null ? id : `${id}#${clauseId}`);

/**
 * The parts of a reference as it is written.
 *
 * @example splitReference('491-qd-ubnd#d2.6') // { id: '491-qd-ubnd', clauseId: 'd2.6' }
 */
export function splitReference(written: string): { id: string; clauseId: string | null } {
  const hash = written.indexOf('#');
  if (hash === -1) return { id: written, clauseId: null };
  return { id: written.slice(0, hash), clauseId: written.slice(hash + 1) };
}

/** Where both know a bound, the one that leaves less; a clause does not outlive its document. */
function narrowed(basis: Span, clause: Span): Span {
  const froms = [basis.validFrom, clause.validFrom].filter((day) => day !== null).sort();
  const tos = [basis.validTo, clause.validTo].filter((day) => day !== null).sort();
  // A clause with a first day of its own does not put a document in force whose first day is unknown.
  return {
    validFrom: basis.validFrom === null ? null : (froms.at(-1) ?? null),
    validTo: tos[0] ?? null,
  };
}

/** A document, or one clause of it, as a reference shows it on a day. */
export function legalReference(
  basis: Span & { readonly id: string; readonly number: string; readonly title: string },
  clause: (Span & { readonly id: string; readonly label: string }) | null,
  day: string,
): LegalReference {
  const span =
    clause === null ? { validFrom: basis.validFrom, validTo: basis.validTo } : narrowed(basis, clause);
  return {
    ref: ref(basis.id, clause?.id ?? null),
    number: basis.number,
    clause: clause?.label ?? null,
    title: basis.title,
    ...span,
    inForce: spanHolds(span, day),
  };
}
