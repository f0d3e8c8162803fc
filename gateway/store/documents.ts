import type { Knex } from 'knex';
import { fold } from '../base/fold.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf, searchFor } from './page.js';

/** văn bản đề nghị · quyết định · thỏa thuận · biên bản · công văn · khác */
export const DOCUMENT_KINDS = [
  'written_request',
  'decision',
  'agreement',
  'minutes',
  'official_letter',
  'other',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export interface DocumentRow {
  id: string;
  /** Number and notation, e.g. `12/STP-VP`. */
  number: string;
  kind: DocumentKind;
  /** Calendar day in Asia/Ho_Chi_Minh. */
  issued_on: string;
  issuer: string;
  signatory: string;
  /** Who asked: a person, a unit, or the owner of the platform (491/QĐ-UBND, 7.3). */
  requested_by: 'person' | 'unit' | 'owner' | null;
  summary: string | null;
  /** The agency that entered it. */
  agency_code: string;
  /** Hexadecimal digest; the file itself lies in the attachments' folder. */
  attachment_sha256: string | null;
  attachment_name: string | null;
  attachment_type: string | null;
  attachment_bytes: number | null;
  created_by: string;
  created_at: number;
  updated_at: number;
}

export interface DebtRow {
  id: string;
  /** What was done without its document, and to what. */
  noun: string;
  key: string;
  act: string;
  reason: string;
  agency_code: string;
  owed_by: string;
  owed_at: number;
  due_at: number;
  reminded_at: number | null;
  escalated_at: number | null;
  settled_at: number | null;
  settled_by: string | null;
  document_id: string | null;
}

export interface DocumentFilter {
  readonly q?: string | undefined;
  readonly kind?: DocumentKind | undefined;
  readonly number?: string | undefined;
  /** Null: of all agencies. */
  readonly agency: string | null;
}

export async function findDocument(knex: Knex, id: string): Promise<DocumentRow | undefined> {
  return await knex<DocumentRow>('documents').where({ id }).first();
}

/** One page, by id: the newest come last, since ids that nobody chose sort by time. */
export async function pageDocuments(
  database: Database,
  filter: DocumentFilter,
  ask: PageAsk,
): Promise<Page<DocumentRow>> {
  const query = database.knex('documents').select();
  if (filter.agency !== null) void query.where({ agency_code: filter.agency });
  if (filter.kind !== undefined) void query.where({ kind: filter.kind });
  if (filter.number !== undefined) void query.where({ number: filter.number });
  if (filter.q !== undefined) searchFor(query, filter.q, ['id', 'number']);
  return await pageOf<DocumentRow>(query, 'id', ask, database.engine);
}

export async function insertDocument(knex: Knex, row: DocumentRow): Promise<void> {
  const search = fold([row.number, row.issuer, row.signatory, row.summary ?? ''].join(' '));
  await knex('documents').insert({ ...row, search });
}

export async function updateDocument(knex: Knex, id: string, patch: Partial<DocumentRow>): Promise<void> {
  await knex('documents').where({ id }).update(patch);
}

export async function insertDebt(knex: Knex, row: DebtRow): Promise<void> {
  await knex<DebtRow>('document_debts').insert(row);
}

export async function findDebt(knex: Knex, id: string): Promise<DebtRow | undefined> {
  return await knex<DebtRow>('document_debts').where({ id }).first();
}

/** One page, oldest first. */
export async function pageDebts(
  database: Database,
  filter: { readonly open?: boolean | undefined; readonly overdueAt?: number | undefined },
  ask: PageAsk,
): Promise<Page<DebtRow>> {
  const query = database.knex('document_debts').select();
  if (filter.open === true) void query.whereNull('settled_at');
  if (filter.open === false) void query.whereNotNull('settled_at');
  if (filter.overdueAt !== undefined)
    void query.whereNull('settled_at').where('due_at', '<', filter.overdueAt);
  return await pageOf<DebtRow>(query, 'id', ask, database.engine);
}

export async function updateDebt(knex: Knex, id: string, patch: Partial<DebtRow>): Promise<void> {
  await knex<DebtRow>('document_debts').where({ id }).update(patch);
}

/** Debts that nobody was reminded of, or whose time is over and nobody above was told. */
export async function debtsToCall(
  knex: Knex,
  now: number,
  remindBeforeMs: number,
): Promise<{ remind: DebtRow[]; escalate: DebtRow[] }> {
  const open = () => knex<DebtRow>('document_debts').whereNull('settled_at');
  return {
    remind: await open()
      .whereNull('reminded_at')
      .where('due_at', '>=', now)
      .where('due_at', '<=', now + remindBeforeMs),
    escalate: await open().whereNull('escalated_at').where('due_at', '<', now),
  };
}
