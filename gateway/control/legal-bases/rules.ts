import type { Knex } from 'knex';
import { spanHolds } from '../../base/legal-reference.js';
import {
  type ClauseEntry,
  type LegalBasisRow,
  listLegalBases,
  type LegalUse,
  usesOfLegalBasis,
} from '../../store/legal-bases.js';
import { conflict, invalid } from '../refusals.js';

interface Span {
  readonly valid_from: string | null;
  readonly valid_to: string | null;
}

function assertOrdered(span: Span, pointer: string): void {
  if (span.valid_from === null || span.valid_to === null || span.valid_to >= span.valid_from) return;
  throw invalid(
    `${pointer}/validTo`,
    'order',
    `ngày hết hiệu lực phải từ ngày ${span.valid_from} trở đi`,
    `must not be before the first day, ${span.valid_from}`,
  );
}

/** @throws Problem `request_invalid` when a last day lies before a first one, in the document or a clause of it */
export function assertDates(row: Span, clauses: readonly Span[]): void {
  assertOrdered(row, '/body');
  clauses.forEach((clause, i) => assertOrdered(clause, `/body/clauses/${i}`));
}

/** @throws Problem `request_invalid` when two clauses share an id */
export function assertClausesDistinct(clauses: readonly Pick<ClauseEntry, 'id'>[]): void {
  const seen = new Set<string>();
  clauses.forEach(({ id }, i) => {
    if (seen.has(id))
      throw invalid(
        `/body/clauses/${i}/id`,
        'duplicate',
        `mã điều khoản ${id} bị trùng`,
        `the clause id ${id} is used twice`,
      );
    seen.add(id);
  });
}

const LINKS = [
  ['amended_by', 'amendedBy'],
  ['replaced_by', 'replacedBy'],
] as const;

/** What amends or replaces a document must be in the registry, and following the links never comes back to it. */
export async function assertSuccessors(knex: Knex, row: LegalBasisRow): Promise<void> {
  const bases = new Map((await listLegalBases(knex)).map((basis) => [basis.id, basis]));
  bases.set(row.id, row);
  for (const [column, member] of LINKS) {
    const next = row[column];
    if (next === null) continue;
    if (!bases.has(next))
      throw invalid(
        `/body/${member}`,
        'exists',
        'không có văn bản này trong danh mục',
        'there is no such document',
      );
    if (leadsTo(bases, next, row.id))
      throw invalid(
        `/body/${member}`,
        'cycle',
        'các văn bản sửa đổi, thay thế nhau thành vòng',
        'documents cannot amend or replace each other in a circle',
      );
  }
}

/** Whether a document is reached from another over any chain of amendments and replacements. */
function leadsTo(bases: ReadonlyMap<string, LegalBasisRow>, from: string, wanted: string): boolean {
  const seen = new Set<string>();
  const waiting = [from];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    if (id === wanted) return true;
    if (seen.has(id)) continue;
    seen.add(id);
    const basis = bases.get(id);
    for (const [column] of LINKS) {
      const next = basis?.[column] ?? null;
      if (next !== null) waiting.push(next);
    }
  }
  return false;
}

const usedBy = ({ noun, key }: LegalUse): string =>
  noun === 'legal_basis' ? `văn bản ${key}` : `ngày ${key} của lịch làm việc`;

function inUse(id: string, ref: string, use: LegalUse) {
  return conflict(
    `Căn cứ ${ref} đang được dùng ở ${usedBy(use)}.`,
    `The legal basis ${ref} is used by ${use.noun} ${use.key}.`,
    { kind: 'legal_basis', id, state: 'used', usedBy: use.noun, key: use.key, ref: use.ref },
  );
}

/** @throws Problem `conflict` while anything points to the document or a clause of it */
export async function assertUnused(knex: Knex, id: string): Promise<void> {
  const [use] = await usesOfLegalBasis(knex, id);
  if (use !== undefined) throw inUse(id, id, use);
}

/** @throws Problem `conflict` when a clause that something points to would go */
export async function assertKeepsUsedClauses(
  knex: Knex,
  id: string,
  clauses: readonly Pick<ClauseEntry, 'id'>[],
): Promise<void> {
  const kept = new Set([id, ...clauses.map((clause) => `${id}#${clause.id}`)]);
  const lost = (await usesOfLegalBasis(knex, id)).find(({ ref }) => !kept.has(ref));
  if (lost !== undefined) throw inUse(id, lost.ref, lost);
}

export function isInForce({ valid_from, valid_to }: Span, day: string): boolean {
  return spanHolds({ validFrom: valid_from, validTo: valid_to }, day);
}
