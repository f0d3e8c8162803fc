import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';

/** A part of the log that is sealed in files. */
export interface LogSegmentRow {
  readonly from_seq: number;
  readonly to_seq: number;
  /** Earliest and latest `received` in it, milliseconds since the epoch. */
  readonly first_at: number;
  readonly last_at: number;
  readonly sealed_at: number;
  /** The file that describes it, and its hexadecimal SHA-256. */
  readonly name: string;
  readonly sha256: string;
}

/** The records of one class in it. */
export interface LogSegmentFileRow {
  readonly from_seq: number;
  readonly class: string;
  readonly name: string;
  readonly records: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly encrypted: boolean;
  /** Since when its records are in the file alone; null while they are in the table too. */
  readonly rows_removed_at: number | null;
  /** Since when there is no file either. */
  readonly destroyed_at: number | null;
}

export type LogSegment = LogSegmentRow & { readonly files: readonly LogSegmentFileRow[] };

/** SQLite knows no booleans. */
const read = (row: LogSegmentFileRow): LogSegmentFileRow => ({
  ...row,
  encrypted: Number(row.encrypted) === 1,
});

/** Up to where the log is sealed; 0 when nothing is. */
export async function sealedEnd(knex: Knex): Promise<number> {
  const row = (await knex('log_segments').max({ end: 'to_seq' }).first()) as
    | { end: number | null }
    | undefined;
  return row?.end ?? 0;
}

async function withFiles(knex: Knex, rows: readonly LogSegmentRow[]): Promise<LogSegment[]> {
  const files = await knex<LogSegmentFileRow>('log_segment_files')
    .whereIn(
      'from_seq',
      rows.map((row) => row.from_seq),
    )
    .orderBy(['from_seq', 'class']);
  return rows.map((row) => ({
    ...row,
    files: files.filter((file) => file.from_seq === row.from_seq).map(read),
  }));
}

/** Segments that hold any of the records `from` up to but not including `to`, in order. */
export async function segmentsBetween(knex: Knex, from: number, to: number): Promise<LogSegment[]> {
  const rows = await knex<LogSegmentRow>('log_segments')
    .where('from_seq', '<', to)
    .where('to_seq', '>', from)
    .orderBy('from_seq');
  return await withFiles(knex, rows);
}

/** Segments with records received between these times, in order. */
export async function segmentsReceived(knex: Knex, from: number, to: number): Promise<LogSegment[]> {
  const rows = await knex<LogSegmentRow>('log_segments')
    .where('first_at', '<=', to)
    .where('last_at', '>=', from)
    .orderBy('from_seq');
  return await withFiles(knex, rows);
}

/** One page, oldest first: names sort as the log does. */
export async function listSegments({ knex, engine }: Database, ask: PageAsk): Promise<Page<LogSegment>> {
  const page = await pageOf<LogSegmentRow>(knex('log_segments'), 'name', ask, engine);
  return { ...page, rows: await withFiles(knex, page.rows) };
}

/** Latest `received` among the records that left the table, milliseconds since the epoch; null when none did. */
export async function leftUntil(knex: Knex): Promise<number | null> {
  const row = (await knex('log_segments')
    .whereIn('from_seq', knex('log_segment_files').whereNotNull('rows_removed_at').select('from_seq'))
    .max({ at: 'last_at' })
    .first()) as { at: number | null } | undefined;
  return row?.at ?? null;
}

export async function addSegment(trx: Knex, { files, ...row }: LogSegment): Promise<void> {
  await trx<LogSegmentRow>('log_segments').insert(row);
  if (files.length > 0) await trx('log_segment_files').insert(files);
}

/** Files of one class whose records, by their latest, are old enough, and that have not gone this way yet. */
export async function dueFiles(
  knex: Knex,
  wanted: string,
  step: 'rows_removed_at' | 'destroyed_at',
  before: number,
): Promise<LogSegmentFileRow[]> {
  const rows = await knex('log_segment_files')
    .join('log_segments', 'log_segments.from_seq', 'log_segment_files.from_seq')
    .where('log_segment_files.class', wanted)
    .where('log_segments.last_at', '<', before)
    .whereNull(`log_segment_files.${step}`)
    .orderBy('log_segment_files.from_seq')
    .select<LogSegmentFileRow[]>('log_segment_files.*');
  return rows.map(read);
}

/** The records of one class in a segment, and where and when the segment is. */
export type LeavingFile = Pick<LogSegmentFileRow, 'from_seq' | 'class'> &
  Pick<LogSegmentRow, 'to_seq' | 'first_at' | 'last_at'>;

/** Files whose records are to be in them alone. */
export async function filesAlone(knex: Knex): Promise<LeavingFile[]> {
  return await knex('log_segment_files')
    .join('log_segments', 'log_segments.from_seq', 'log_segment_files.from_seq')
    .whereNotNull('log_segment_files.rows_removed_at')
    .orderBy('log_segment_files.from_seq')
    .select<LeavingFile[]>(
      'log_segments.from_seq',
      'log_segment_files.class',
      'log_segments.to_seq',
      'log_segments.first_at',
      'log_segments.last_at',
    );
}

export async function markFile(
  trx: Knex,
  { from_seq, class: wanted }: Pick<LogSegmentFileRow, 'from_seq' | 'class'>,
  change: Partial<Pick<LogSegmentFileRow, 'rows_removed_at' | 'destroyed_at'>>,
): Promise<void> {
  await trx<LogSegmentFileRow>('log_segment_files').where({ from_seq, class: wanted }).update(change);
}

/** Names of the files that were destroyed, for those that a stop left on the disk. */
export async function destroyedNames(knex: Knex): Promise<string[]> {
  return await knex<LogSegmentFileRow>('log_segment_files').whereNotNull('destroyed_at').pluck('name');
}
