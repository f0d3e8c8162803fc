import type { Knex } from 'knex';
import type { Database } from '../store/database.js';
import type { AuditRecord } from './record.js';
import type { FoundRecord, RecordScope } from './search.js';

export interface SubjectQuery {
  /** The person as any record may name it: one digest for each key. */
  readonly digests: readonly string[];
  /** Received at this time or later, milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Received before this time. */
  readonly to?: number | undefined;
}

interface Row {
  seq: number;
  leaf: string;
}

/** Attempts and not their opening records: each call is found once. */
function concerning({ knex }: Database, query: SubjectQuery, scope: RecordScope): Knex.QueryBuilder {
  const builder = knex('record_subjects')
    // The time too, which is the same in both: it says in which month of the log the record lies.
    .join('records', (on) =>
      on.on('records.seq', 'record_subjects.seq').andOn('records.received_at', 'record_subjects.received_at'),
    )
    .whereIn('record_subjects.digest', [...query.digests])
    .whereNot('records.kind', 'opening');
  if (query.from !== undefined) void builder.where('record_subjects.received_at', '>=', query.from);
  if (query.to !== undefined) void builder.where('record_subjects.received_at', '<', query.to);
  if ('provider' in scope) void builder.where('records.provider', scope.provider);
  if ('agency' in scope) void builder.where('records.agency', scope.agency);
  return builder;
}

/**
 * Records that concern one person, the newest in the log first.
 *
 * @param before only records that stand before this one in the log
 * @returns at most `limit`, and whether there are more
 */
export async function searchSubject(
  database: Database,
  query: SubjectQuery,
  scope: RecordScope,
  { limit, before }: { readonly limit: number; readonly before?: number | undefined },
): Promise<{ readonly items: readonly FoundRecord[]; readonly more: boolean }> {
  const builder = concerning(database, query, scope);
  if (before !== undefined) void builder.where('record_subjects.seq', '<', before);
  const rows = await builder
    .orderBy('record_subjects.seq', 'desc')
    .limit(limit + 1)
    .select<Row[]>('records.seq', 'records.leaf');
  const items = rows
    .slice(0, limit)
    .map(({ seq, leaf }) => ({ ...(JSON.parse(leaf) as AuditRecord), index: seq }));
  return { items, more: rows.length > limit };
}

export async function countSubject(
  database: Database,
  query: SubjectQuery,
  scope: RecordScope,
): Promise<number> {
  const row = (await concerning(database, query, scope).count({ n: '*' }).first()) as
    | { n: number }
    | undefined;
  return row?.n ?? 0;
}

/** What a report rests on: a signed head of the log that covers all it tells of. */
export interface Basis {
  readonly origin: string;
  readonly treeSize: number;
  /** Base64. */
  readonly root: string;
  readonly note: string;
}

/** The newest head; read after the records, so that it covers them. Null while the log is empty. */
export async function latestBasis({ knex }: Database): Promise<Basis | null> {
  const row = await knex<{ tree_size: number; note: string }>('log_checkpoints')
    .orderBy('tree_size', 'desc')
    .first('tree_size', 'note');
  if (row === undefined) return null;
  const [origin = '', , root = ''] = row.note.split('\n');
  return { origin, treeSize: row.tree_size, root, note: row.note };
}
