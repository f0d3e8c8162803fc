import type { Knex } from 'knex';
import type { Outcome } from '../base/exchange.js';
import { Problem } from '../base/problem.js';
import type { Database } from '../store/database.js';
import { clip, type TextColumn } from './columns.js';
import type { AuditRecord } from './record.js';

/** Which records a reader may see at all; joined to whatever is asked. */
export type RecordScope =
  | { readonly all: true }
  /** Calls of the services of this agency. */
  | { readonly provider: string }
  /** Calls by the systems of this agency. */
  | { readonly agency: string };

export interface RecordQuery {
  /** Received at this time or later, milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Received before this time. */
  readonly to?: number | undefined;
  readonly id?: string | undefined;
  readonly agency?: string | undefined;
  readonly system?: string | undefined;
  readonly user?: string | undefined;
  readonly case?: string | undefined;
  readonly provider?: string | undefined;
  readonly service?: string | undefined;
  readonly version?: string | undefined;
  readonly operation?: string | undefined;
  readonly outcome?: Outcome | readonly Outcome[] | undefined;
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  readonly kind?: AuditRecord['kind'] | undefined;
  readonly plane?: AuditRecord['plane'] | undefined;
  readonly trace?: string | undefined;
  readonly opening?: string | undefined;
  /** What kind of thing an act changed, and which one. */
  readonly noun?: string | undefined;
  readonly target?: string | undefined;
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
/** The most records that one search looks at: on the embedded database it holds the thread meanwhile. */
const LOOK_LIMIT = 20_000;

type Term = readonly [column: string, value: string | number | readonly string[]];
type Position = readonly [receivedAt: number, seq: number];
interface Row {
  seq: number;
  leaf: string;
  received_at: number;
}

/** Parameter → column, those that leave the fewest records first: the first that is given leads the search. */
const TEXT_FILTERS = [
  ['id', 'id'],
  ['trace', 'trace'],
  ['opening', 'opening'],
  ['case', 'case_no'],
  ['user', 'user'],
  ['target', 'target_key'],
  ['noun', 'noun'],
  ['code', 'code'],
  ['service', 'service'],
  ['system', 'system'],
  ['agency', 'agency'],
  ['provider', 'provider'],
  ['operation', 'operation'],
  ['version', 'version'],
  ['kind', 'kind'],
  ['plane', 'plane'],
] as const;

/** Columns that an index begins with. */
const LEADING = new Set([
  'id',
  'trace',
  'opening',
  'case_no',
  'user',
  'target_key',
  'noun',
  'code',
  'service',
  'system',
  'agency',
  'provider',
]);
const UNCLIPPED = new Set<string>(['id', 'kind', 'plane']);

function termsOf(query: RecordQuery, scope: RecordScope): Term[] {
  const terms: Term[] = [];
  for (const [parameter, column] of TEXT_FILTERS) {
    const value = query[parameter];
    if (value === undefined) continue;
    terms.push([column, UNCLIPPED.has(column) ? value : (clip(column as TextColumn, value) ?? '')]);
  }
  if ('provider' in scope) terms.push(['provider', scope.provider]);
  if ('agency' in scope) terms.push(['agency', scope.agency]);
  if (query.status !== undefined) terms.push(['status', query.status]);
  const outcome = query.outcome;
  if (outcome !== undefined) terms.push(['outcome', typeof outcome === 'string' ? outcome : [...outcome]]);
  return terms;
}

function excludesAnswered({ outcome }: RecordQuery): boolean {
  return (
    outcome !== undefined &&
    (typeof outcome === 'string' ? outcome !== 'answered' : !outcome.includes('answered'))
  );
}

/** @param indexed false keeps the filter from choosing the index: the leading one has bounded the search already */
function applyTerm(
  { knex, engine }: Database,
  builder: Knex.QueryBuilder,
  [column, value]: Term,
  indexed: boolean,
): void {
  // A plus sign makes a column an expression, which SQLite finds no index for.
  const left = indexed || engine === 'postgres' ? knex.ref(column) : knex.raw('+??', [column]);
  if (typeof value === 'string' || typeof value === 'number') void builder.whereRaw('? = ?', [left, value]);
  else if (value.length === 0) void builder.whereRaw('1 = 0');
  else void builder.whereRaw(`? IN (${value.map(() => '?').join(', ')})`, [left, ...value]);
}

const NEWEST_FIRST = [
  { column: 'received_at', order: 'desc' },
  { column: 'seq', order: 'desc' },
];

/** What is looked at: records by the one leading filter and the time, newest first, from the cursor on. */
function lookedAt(
  database: Database,
  query: RecordQuery,
  lead: Term | undefined,
  after: Position | null,
): Knex.QueryBuilder {
  const builder = database.knex('records').orderBy(NEWEST_FIRST);
  if (lead !== undefined) applyTerm(database, builder, lead, true);
  // Said in these very words, the condition is that of a partial index.
  else if (excludesAnswered(query)) void builder.whereRaw(`outcome <> 'answered'`);
  if (query.from !== undefined) void builder.where('received_at', '>=', query.from);
  if (query.to !== undefined) void builder.where('received_at', '<', query.to);
  if (after !== null) void builder.whereRaw('(received_at, seq) < (?, ?)', [...after]);
  return builder;
}

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

/**
 * Records that meet every filter, newest first.
 *
 * @param scope what the reader may see; no filter reaches past it
 * @throws Problem `request_invalid` for a cursor that is not one
 */
export async function searchRecords(
  database: Database,
  query: RecordQuery,
  scope: RecordScope,
): Promise<RecordPage> {
  const limit = Math.min(Math.max(Math.trunc(query.limit ?? DEFAULT_LIMIT), 1), LONGEST_PAGE);
  const after = query.cursor === undefined ? null : readCursor(query.cursor);
  const terms = termsOf(query, scope);
  const lead = terms.find(([column]) => LEADING.has(column));
  const rest = terms.filter((term) => term !== lead);
  const page = lookedAt(database, query, lead, after);
  // Filters that no index answers are tried on so many records and no more.
  const edge = rest.length === 0 ? null : await lookedUntil(page.clone());
  for (const term of rest) applyTerm(database, page, term, false);
  if (edge !== null) void page.whereRaw('(received_at, seq) >= (?, ?)', [...edge]);
  const rows = (await page.select('seq', 'leaf', 'received_at').limit(limit + 1)) as Row[];
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const next = rows.length > limit && last !== undefined ? ([last.received_at, last.seq] as const) : edge;
  return { items: items.map(found), next: next === null ? null : writeCursor(next) };
}

/** Where a search stops looking; null when it can see all there is. */
async function lookedUntil(looked: Knex.QueryBuilder): Promise<Position | null> {
  const rows = (await looked
    .select('received_at', 'seq')
    .offset(LOOK_LIMIT - 1)
    .limit(1)) as Row[];
  const edge = rows[0];
  return edge === undefined ? null : [edge.received_at, edge.seq];
}

/**
 * One record, with its place and the size of the tree that a checkpoint covers now; null when there is none,
 * or the reader may not see it.
 */
export async function getRecord(
  database: Database,
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
export async function latestCheckpoint(database: Database): Promise<{ size: number; note: string } | null> {
  const head = await database
    .knex<{ tree_size: number; note: string }>('log_checkpoints')
    .orderBy('tree_size', 'desc')
    .first('tree_size', 'note');
  return head === undefined ? null : { size: head.tree_size, note: head.note };
}
