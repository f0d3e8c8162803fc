import type { Knex } from 'knex';
import type { Outcome } from '../../base/exchange.js';
import type { Engine } from '../../store/database.js';
import { clip, type TextColumn } from '../columns.js';
import type { AuditRecord } from '../record.js';

/** Which records a reader may see at all; joined to whatever is asked. */
export type RecordScope =
  | { readonly all: true }
  /** Calls of the services of this agency. */
  | { readonly provider: string }
  /** Calls by the systems of this agency. */
  | { readonly agency: string };

/** What is asked of the record, whether for its rows or for their number. */
export interface RecordFilters {
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
  readonly grant?: string | undefined;
  readonly kind?: AuditRecord['kind'] | undefined;
  readonly plane?: AuditRecord['plane'] | undefined;
  readonly trace?: string | undefined;
  readonly opening?: string | undefined;
  /** What kind of thing an act changed, and which one. */
  readonly noun?: string | undefined;
  readonly target?: string | undefined;
  /** Only records that stood before this place in the log. */
  readonly below?: number | undefined;
}

export type Term = readonly [column: string, value: string | number | readonly string[]];

/** Parameter → column, those that leave the fewest records first: the first that is given leads the search. */
const TEXT_FILTERS = [
  ['id', 'id'],
  ['trace', 'trace'],
  ['opening', 'opening'],
  ['case', 'case_no'],
  ['user', 'user'],
  ['target', 'target_key'],
  ['grant', 'grant_no'],
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
  'grant_no',
  'noun',
  'code',
  'service',
  'system',
  'agency',
  'provider',
]);
const UNCLIPPED = new Set<string>(['id', 'kind', 'plane']);

export function termsOf(query: RecordFilters, scope: RecordScope): Term[] {
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

/** The filter whose index a search starts from. */
export function leadOf(terms: readonly Term[]): Term | undefined {
  return terms.find(([column]) => LEADING.has(column));
}

function excludesAnswered({ outcome }: RecordFilters): boolean {
  return (
    outcome !== undefined &&
    (typeof outcome === 'string' ? outcome !== 'answered' : !outcome.includes('answered'))
  );
}

/** Where SQL is built: with knex, for one engine. */
export interface Builder {
  readonly knex: Knex;
  readonly engine: Engine;
}

/** @param indexed false keeps the filter from choosing the index: the leading one has bounded the search already */
export function applyTerm(
  { knex, engine }: Builder,
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

/** What is looked at: records by the one leading filter and the time, newest first. */
export function lookedAt(source: Builder, query: RecordFilters, lead: Term | undefined): Knex.QueryBuilder {
  const builder = source.knex('records').orderBy(NEWEST_FIRST);
  if (lead !== undefined) applyTerm(source, builder, lead, true);
  // Said in these very words, the condition is that of a partial index.
  else if (excludesAnswered(query)) void builder.whereRaw(`outcome <> 'answered'`);
  if (query.from !== undefined) void builder.where('received_at', '>=', query.from);
  if (query.to !== undefined) void builder.where('received_at', '<', query.to);
  if (query.below !== undefined) void builder.whereRaw('+seq < ?', [query.below]);
  return builder;
}
