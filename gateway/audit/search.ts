import type { Knex } from 'knex';
import { Problem } from '../base/problem.js';
import type { Database } from '../store/database.js';
import type { AuditRecord } from './record.js';
import { lookByEntries } from './search/by-entries.js';
import type { Look, Position, Row } from './search/look.js';
import { passOver } from './search/pass-over.js';
import { type RecordReader, readerOf } from './search/reader.js';
import {
  applyTerm,
  leadOf,
  lookedAt,
  type RecordFilters,
  type RecordScope,
  type Term,
  termsOf,
} from './search/terms.js';

export type { RecordFilters, RecordScope } from './search/terms.js';

/** What one page is asked by. */
export interface RecordQuery extends RecordFilters {
  /** 1 to 500, 50 unless told. */
  readonly limit?: number | undefined;
  /** The `next` of the page before. */
  readonly cursor?: string | undefined;
}

/** A leaf and its place in the log. */
export type FoundRecord = AuditRecord & { readonly index: number };

export interface RecordPage {
  /** Newest first, by the time received and then by the place in the log. */
  readonly items: readonly FoundRecord[];
  /** Null at the end. A page may be short, or empty, and still have a next one: a search looks at so many records at a time. */
  readonly next: string | null;
}

const DEFAULT_LIMIT = 50;
const LONGEST_PAGE = 500;
/** Where no index answers all filters: the records that one look reads, and the looks of one search. */
const LOOK_LIMIT = 4000;
const LOOKS = 5;

function writeCursor([receivedAt, seq]: Position): string {
  return Buffer.from(`${receivedAt}.${seq}`).toString('base64url');
}

function readCursor(text: string): Position {
  const parts = /^[A-Za-z0-9_-]{1,64}$/.test(text)
    ? /^(-?\d{1,16})\.(\d{1,16})$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
    : null;
  const position = parts === null ? [] : [Number(parts[1]), Number(parts[2])];
  const [receivedAt, seq] = position;
  if (receivedAt === undefined || seq === undefined || !position.every(Number.isSafeInteger))
    throw badCursor();
  return [receivedAt, seq];
}

function badCursor(): Problem {
  const message = {
    vi: 'Con trỏ trang không phải do nền tảng này cấp',
    en: 'The page cursor is not one that this gateway gave out',
  };
  return new Problem('request_invalid', {
    errors: [{ pointer: '/query/cursor', keyword: 'format', message }],
  });
}

function found({ seq, leaf }: Row): FoundRecord {
  return { ...(JSON.parse(leaf) as AuditRecord), index: seq };
}

/** Looks at records from a position on: so many matches, or, where no index answers all filters, so many records. */
async function look(
  reader: RecordReader,
  query: RecordQuery,
  terms: readonly Term[],
  after: Position | null,
  limit: number,
): Promise<Look> {
  const lead = leadOf(terms);
  const rest = terms.filter((term) => term !== lead);
  const page = lookedAt(reader, query, lead);
  if (after !== null) void page.whereRaw('(received_at, seq) < (?, ?)', [...after]);
  const edge = rest.length === 0 ? null : await lookedUntil(reader, page.clone());
  for (const term of rest) applyTerm(reader, page, term, false);
  if (edge !== null) void page.whereRaw('(received_at, seq) >= (?, ?)', [...edge]);
  const [rows = []] = (await reader.read([page.select('seq', 'leaf', 'received_at').limit(limit + 1)])) as [
    Row[]?,
  ];
  const kept = rows.slice(0, limit);
  const last = kept.at(-1);
  return {
    rows: kept,
    next: rows.length > limit && last !== undefined ? [last.received_at, last.seq] : edge,
  };
}

/** Where a look ends; null when it can see all there is. */
async function lookedUntil(reader: RecordReader, looked: Knex.QueryBuilder): Promise<Position | null> {
  const [rows = []] = (await reader.read([
    looked
      .select('received_at', 'seq')
      .offset(LOOK_LIMIT - 1)
      .limit(1),
  ])) as [Row[]?];
  const edge = rows[0];
  return edge === undefined ? null : [edge.received_at, edge.seq];
}

/**
 * Records that meet every filter, newest first.
 *
 * @param source a reader apart from the connection of everything else, where somebody waits
 * @param scope what the reader may see; no filter reaches past it
 * @throws Problem `request_invalid` for a cursor that is not one
 */
export async function searchRecords(
  source: Database | RecordReader,
  query: RecordQuery,
  scope: RecordScope,
): Promise<RecordPage> {
  const reader = readerOf(source);
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? DEFAULT_LIMIT), 1), LONGEST_PAGE);
  const terms = termsOf(query, scope);
  const after = query.cursor === undefined ? null : readCursor(query.cursor);
  const { rows, next } = await lookAsFar(reader, query, terms, after, limit);
  return { items: rows.map(found), next: next === null ? null : writeCursor(next) };
}

/** Whether one index answers all that is asked. */
const isLed = (terms: readonly Term[]): boolean => terms.length === (leadOf(terms) === undefined ? 0 : 1);

/** Fills a page: by entries, where it takes several filters, or else by so many looks. */
async function lookAsFar(
  reader: RecordReader,
  query: RecordQuery,
  terms: readonly Term[],
  after: Position | null,
  limit: number,
): Promise<Look> {
  const exact = isLed(terms) ? null : await lookByEntries(reader, query, terms, after, limit);
  if (exact !== null) return exact;
  const rows: Row[] = [];
  let next = after;
  let counted = true;
  for (let looks = 0; looks < LOOKS; looks += 1) {
    const seen = await look(reader, query, terms, next, limit - rows.length);
    rows.push(...seen.rows);
    next = seen.next;
    if (next === null || rows.length >= limit) break;
    const ahead = counted ? await passOver(reader, query, terms, next[0]) : 'unknown';
    if (ahead === null) next = null;
    if (ahead === null || next === null) break;
    if (ahead === 'unknown') counted = false;
    // Nothing that matches was received between here and there.
    else if (ahead < next[0]) next = [ahead, 0];
  }
  return { rows, next };
}

/**
 * One record, with its place and the size of the tree that a checkpoint covers now; null when there is none,
 * or the reader may not see it.
 */
export async function getRecord(
  database: Database | RecordReader,
  id: string,
  scope: RecordScope = { all: true },
): Promise<(FoundRecord & { readonly treeSize: number }) | null> {
  const page = await searchRecords(database, { id, limit: 1 }, scope);
  const record = page.items[0];
  if (record === undefined) return null;
  const head = await latestCheckpoint(database);
  return { ...record, treeSize: head?.size ?? 0 };
}

/** The newest signed head of the log, as a C2SP signed note; null while the log is empty. */
export async function latestCheckpoint(
  source: Database | RecordReader,
): Promise<{ size: number; note: string } | null> {
  const reader = readerOf(source);
  const [heads] = (await reader.read([
    reader.knex('log_checkpoints').orderBy('tree_size', 'desc').limit(1).select('tree_size', 'note'),
  ])) as [{ tree_size: number; note: string }[]];
  const head = heads[0];
  return head === undefined ? null : { size: head.tree_size, note: head.note };
}
