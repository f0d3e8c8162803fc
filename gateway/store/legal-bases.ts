import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import { type LegalReference, legalReference, splitReference } from '../base/legal-reference.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, searchFor } from './page.js';

/** quyết định · nghị định · luật · thông tư · quy chế · khác */
export const LEGAL_KINDS = ['quyet_dinh', 'nghi_dinh', 'luat', 'thong_tu', 'quy_che', 'khac'] as const;
export type LegalKind = (typeof LEGAL_KINDS)[number];

export interface LegalBasisRow {
  /** Lower-case slug, e.g. `491-qd-ubnd`. */
  id: string;
  /** Number and notation as on the document, e.g. `491/QĐ-UBND`. */
  number: string;
  title: string;
  issuer: string;
  kind: LegalKind;
  issued_on: string | null;
  /** First and last day in force, calendar days in Asia/Ho_Chi_Minh; an unknown first day is never in force. */
  valid_from: string | null;
  valid_to: string | null;
  amended_by: string | null;
  replaced_by: string | null;
  url: string | null;
  note: string | null;
  created_at: number;
  updated_at: number;
}

export interface LegalClauseRow {
  basis_id: string;
  /** E.g. `d2.6`. */
  id: string;
  /** Its place among the clauses of its document. */
  position: number;
  /** E.g. `Điều 2 khoản 6`. */
  label: string;
  /** In our own words, never a quotation. */
  summary: string;
  /** Null where the clause follows its document. */
  valid_from: string | null;
  valid_to: string | null;
}

/** A clause as it stands in its document's own list. */
export type ClauseEntry = Omit<LegalClauseRow, 'basis_id' | 'position'>;

export interface FoundLegalBasis {
  readonly basis: LegalBasisRow;
  /** Null when the reference names a whole document. */
  readonly clause: LegalClauseRow | null;
}

export interface LegalBasisFilter {
  readonly q?: string | undefined;
  /** Calendar day: only documents in force on that day. */
  readonly inForceOn?: string | undefined;
}

/**
 * What a reference such as `491-qd-ubnd#d2.6` or `491-qd-ubnd` leads to; undefined when it leads nowhere.
 */
export async function findLegalBasis(knex: Knex, ref: string): Promise<FoundLegalBasis | undefined> {
  const { id, clauseId } = splitReference(ref);
  const basis = await knex<LegalBasisRow>('legal_bases').where({ id }).first();
  if (basis === undefined) return undefined;
  if (clauseId === null) return { basis, clause: null };
  const clause = await knex<LegalClauseRow>('legal_clauses').where({ basis_id: id, id: clauseId }).first();
  return clause === undefined ? undefined : { basis, clause };
}

/**
 * A reference as it is shown, with whether it is in force on a day; undefined when the registry has no such
 * document or clause. Whoever decides on it asks `inForce`.
 */
export async function legalBasisInForce(
  knex: Knex,
  ref: string,
  day: string,
): Promise<LegalReference | undefined> {
  const found = await findLegalBasis(knex, ref);
  return found === undefined ? undefined : referenceTo(found, day);
}

/** A document, or one clause of it, as a reference shows it on a day. */
export function referenceTo({ basis, clause }: FoundLegalBasis, day: string): LegalReference {
  const dates = (row: { valid_from: string | null; valid_to: string | null }) => ({
    validFrom: row.valid_from,
    validTo: row.valid_to,
  });
  const { id, number, title } = basis;
  return legalReference(
    { id, number, title, ...dates(basis) },
    clause === null ? null : { id: clause.id, label: clause.label, ...dates(clause) },
    day,
  );
}

export async function listLegalBases(knex: Knex): Promise<LegalBasisRow[]> {
  return await knex<LegalBasisRow>('legal_bases').orderBy('id');
}

/** The clauses of one document, or of all, in their order. */
export async function listLegalClauses(knex: Knex, basisId?: string): Promise<LegalClauseRow[]> {
  const query = knex<LegalClauseRow>('legal_clauses').orderBy(['basis_id', 'position']);
  return await (basisId === undefined ? query : query.where({ basis_id: basisId }));
}

/** One page, by id. */
export async function pageLegalBases(
  database: Database,
  filter: LegalBasisFilter,
  ask: PageAsk,
): Promise<Page<LegalBasisRow>> {
  const query = database.knex('legal_bases').select();
  if (filter.q !== undefined) searchFor(query, filter.q, ['id']);
  const day = filter.inForceOn;
  if (day !== undefined) {
    void query.where('valid_from', '<=', day);
    void query.where((open) => void open.whereNull('valid_to').orWhere('valid_to', '>=', day));
  }
  return await pageOf<LegalBasisRow>(query, 'id', ask, database.engine);
}

/** What a search looks in. Number and title both hold letters that only folding makes comparable. */
function searchText({ number, title, issuer }: LegalBasisRow): string {
  return fold(`${number} ${title} ${issuer}`);
}

async function insertClauses(knex: Knex, basisId: string, clauses: readonly ClauseEntry[]): Promise<void> {
  const rows = clauses.map((clause, position) => ({ ...clause, basis_id: basisId, position }));
  // SQLite bounds the number of values in one statement.
  for (let at = 0; at < rows.length; at += 100) await knex('legal_clauses').insert(rows.slice(at, at + 100));
}

export async function insertLegalBasis(
  knex: Knex,
  row: LegalBasisRow,
  clauses: readonly ClauseEntry[],
): Promise<void> {
  await knex('legal_bases').insert({ ...row, search: searchText(row) });
  await insertClauses(knex, row.id, clauses);
}

/** Writes a document and its clauses anew, all of them. */
export async function replaceLegalBasis(
  knex: Knex,
  row: LegalBasisRow,
  clauses: readonly ClauseEntry[],
): Promise<void> {
  const { id, ...columns } = row;
  await knex('legal_bases')
    .where({ id })
    .update({ ...columns, search: searchText(row) });
  await knex('legal_clauses').where({ basis_id: id }).delete();
  await insertClauses(knex, id, clauses);
}

export async function deleteLegalBasis(knex: Knex, id: string): Promise<void> {
  await knex('legal_clauses').where({ basis_id: id }).delete();
  await knex('legal_bases').where({ id }).delete();
}

/** Something that points to a document or to one of its clauses. */
export interface LegalUse {
  readonly noun:
    | 'legal_basis'
    | 'calendar_day'
    | 'sharing_request'
    | 'grant'
    | 'difficulty'
    | 'account_request';
  readonly key: string;
  /** As it is written there. */
  readonly ref: string;
}

/** At most so many uses are named; one is enough to refuse. */
const USES_SHOWN = 500;

/** Where sharing keeps a reference in a column of its own. */
const SHARING_COLUMNS = [
  { table: 'grants', noun: 'grant', key: 'id' },
  { table: 'sharing_steps', noun: 'sharing_request', key: 'request_id' },
  { table: 'difficulties', noun: 'difficulty', key: 'id' },
  { table: 'account_requests', noun: 'account_request', key: 'id' },
] as const;

/** Requests, grants and decisions that rest on a document: what was decided on it must stay readable. */
async function usesInSharing(knex: Knex, id: string): Promise<LegalUse[]> {
  const uses: LegalUse[] = [];
  for (const { table, noun, key } of SHARING_COLUMNS) {
    const rows = await knex<Record<'id' | 'request_id' | 'legal_basis', string>>(table)
      .select({ key, ref: 'legal_basis' })
      .where({ legal_basis: id })
      .orWhereLike('legal_basis', `${id}#%`)
      .orderBy(key)
      .limit(USES_SHOWN);
    uses.push(...rows.map((row): LegalUse => ({ noun, key: row.key, ref: row.ref })));
  }
  // A request that is only drafted names it in its content.
  const drafts = await knex<{ id: string; content: string }>('sharing_requests')
    .select('id', 'content')
    .whereLike('content', `%"legalBasis":"${id}"%`)
    .orWhereLike('content', `%"legalBasis":"${id}#%`)
    .orderBy('id')
    .limit(USES_SHOWN);
  const refOf = (content: string): string => (JSON.parse(content) as { legalBasis: string }).legalBasis;
  return [
    ...uses,
    ...drafts.map((row): LegalUse => ({ noun: 'sharing_request', key: row.id, ref: refOf(row.content) })),
  ];
}

/**
 * Everything that points to a document: its own clauses and dates do not count. A table that gets a column with
 * references is asked here too.
 */
export async function usesOfLegalBasis(knex: Knex, id: string): Promise<LegalUse[]> {
  const linked = await knex<LegalBasisRow>('legal_bases')
    .where({ amended_by: id })
    .orWhere({ replaced_by: id })
    .orderBy('id')
    .limit(USES_SHOWN);
  // The slug holds no character that LIKE reads otherwise.
  const days = await knex<{ day: string; legal_basis: string }>('calendar_days')
    .where({ legal_basis: id })
    .orWhereLike('legal_basis', `${id}#%`)
    .orderBy('day')
    .limit(USES_SHOWN);
  return [
    ...(await usesInSharing(knex, id)),
    ...linked.map((row): LegalUse => ({ noun: 'legal_basis', key: row.id, ref: id })),
    ...days.map((row): LegalUse => ({ noun: 'calendar_day', key: row.day, ref: row.legal_basis })),
  ];
}
