import { CommandFailure } from '../failure.js';
import type { TreeLegalBasis } from '../tree-legal.js';
import type { Session } from './session.js';

interface ClauseBody {
  readonly id: string;
  readonly label: string;
  readonly summary: string;
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

interface LegalBasisBody {
  readonly id: string;
  readonly number: string;
  readonly title: string;
  readonly issuer: string;
  readonly kind: string;
  readonly issuedOn: string | null;
  readonly validFrom: string | null;
  readonly validTo: string | null;
  readonly amendedBy: string | null;
  readonly replacedBy: string | null;
  readonly url: string | null;
  readonly note: string | null;
  readonly clauses: readonly ClauseBody[];
}

const tidy = (text: string): string => text.normalize('NFC').trim();
const orNull = (text: string | undefined): string | null => (text === undefined ? null : tidy(text));

function bodyOf(basis: TreeLegalBasis): LegalBasisBody {
  return {
    id: basis.id,
    number: tidy(basis.number),
    title: tidy(basis.title),
    issuer: tidy(basis.issuer),
    kind: basis.kind,
    issuedOn: basis.issuedOn ?? null,
    validFrom: basis.validFrom ?? null,
    validTo: basis.validTo ?? null,
    amendedBy: basis.amendedBy ?? null,
    replacedBy: basis.replacedBy ?? null,
    url: orNull(basis.url),
    note: orNull(basis.note),
    clauses: basis.clauses.map(({ id, label, summary, validFrom, validTo }) => ({
      id,
      label: tidy(label),
      summary: tidy(summary),
      validFrom: validFrom ?? null,
      validTo: validTo ?? null,
    })),
  };
}

/**
 * What amends or replaces a document before the document. What the files do not hold must exist already.
 *
 * @throws CommandFailure when documents amend or replace each other in a circle
 */
export function successorsFirst(bases: readonly TreeLegalBasis[]): TreeLegalBasis[] {
  const byId = new Map(bases.map((basis) => [basis.id, basis]));
  const done = new Set<TreeLegalBasis>();
  const place = (basis: TreeLegalBasis, before: readonly string[]): void => {
    if (done.has(basis)) return;
    const path = [...before, basis.id];
    if (before.includes(basis.id))
      throw new CommandFailure(`legal-bases.yaml: ${path.join(' < ')} is a circle`);
    for (const id of [basis.amendedBy, basis.replacedBy]) {
      const successor = byId.get(id ?? '');
      if (successor !== undefined) place(successor, path);
    }
    done.add(basis);
  };
  for (const basis of bases) place(basis, []);
  return [...done];
}

/** What the gateway shows of a document, cut down to what the files can say, in their order of members. */
function comparable(now: LegalBasisBody): Record<string, unknown> {
  const clauses = now.clauses.map(({ id, label, summary, validFrom, validTo }) => ({
    id,
    label,
    summary,
    validFrom,
    validTo,
  }));
  return { ...now, clauses };
}

function difference(now: LegalBasisBody, wanted: LegalBasisBody): Record<string, unknown> {
  const before = comparable(now);
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([field, value]) => JSON.stringify(before[field]) !== JSON.stringify(value),
    ),
  );
}

export async function applyLegalBasis(session: Session, basis: TreeLegalBasis): Promise<void> {
  const wanted = bodyOf(basis);
  const what = `legal basis ${wanted.id}`;
  const path = `/legal-bases/${encodeURIComponent(wanted.id)}`;
  const now = await session.find<LegalBasisBody>(path);
  if (now === null) {
    const run = () => session.send(what, 'POST', '/legal-bases', wanted);
    await session.carryOut('legal_basis', wanted.id, true, [{ name: 'create', run }]);
    return;
  }
  const change = difference(now, wanted);
  const fields = Object.keys(change);
  const run = () => session.send(what, 'PATCH', path, change);
  const steps = fields.length === 0 ? [] : [{ name: fields.join(', '), run }];
  await session.carryOut('legal_basis', wanted.id, false, steps);
}
