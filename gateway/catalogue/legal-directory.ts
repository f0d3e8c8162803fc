import { type LegalReference, splitReference } from '../base/legal-reference.js';
import { type LegalBasisRow, type LegalClauseRow, referenceTo } from '../store/legal-bases.js';

interface Entry {
  readonly basis: LegalBasisRow;
  readonly clauses: ReadonlyMap<string, LegalClauseRow>;
}

/** The registry of legal bases in memory: a refusal names what it rests on without asking the database. */
export class LegalDirectory {
  readonly #entries = new Map<string, Entry>();

  put(basis: LegalBasisRow, clauses: readonly LegalClauseRow[]): void {
    this.#entries.set(basis.id, { basis, clauses: new Map(clauses.map((clause) => [clause.id, clause])) });
  }

  delete(id: string): void {
    this.#entries.delete(id);
  }

  /** What a reference leads to, with whether it is in force on a day; undefined when it leads nowhere. */
  find(ref: string, day: string): LegalReference | undefined {
    const { id, clauseId } = splitReference(ref);
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    if (clauseId === null) return referenceTo({ basis: entry.basis, clause: null }, day);
    const clause = entry.clauses.get(clauseId);
    return clause === undefined ? undefined : referenceTo({ basis: entry.basis, clause }, day);
  }
}
