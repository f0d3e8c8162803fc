import type { Knex } from 'knex';
import { applyTerm, type Builder, type Term } from './terms.js';

/** Under what name the progress of the counts is kept: the place of the last record that they hold. */
export const COUNTS = 'record-counts';
/** How many records they do not hold: when they were made anew, these had left for sealed segments. */
export const COUNTS_WITHOUT = 'record-counts-without';

/** What counts are kept of. A record that lacks one of them has an empty text, or the status 0. */
export const SERIES_COLUMNS = [
  'kind',
  'plane',
  'agency',
  'system',
  'provider',
  'service',
  'version',
  'operation',
  'outcome',
  'code',
  'grant_no',
  'noun',
  'status',
] as const;

export type SeriesColumn = (typeof SERIES_COLUMNS)[number];
export type SeriesFacts = Readonly<Record<Exclude<SeriesColumn, 'status'>, string>> & {
  readonly status: number;
};

const COUNTED = new Set<string>(SERIES_COLUMNS);

/** Whether counts are kept by the column of this filter. */
export const isCounted = ([column]: Term): boolean => COUNTED.has(column);

/** What a summary tells apart: fewer columns, and so fewer groups, than there are series. */
export const FACT_COLUMNS = [
  'operation',
  'system',
  'agency',
  'code',
  'outcome',
  'service',
  'provider',
  'version',
] as const satisfies readonly SeriesColumn[];

export type Facts = Readonly<Record<(typeof FACT_COLUMNS)[number], string>>;

/** The same columns of `records`, as a series has them. */
export function seriesOfRecords(
  { knex }: Builder,
  columns: readonly SeriesColumn[] = SERIES_COLUMNS,
): Knex.Raw[] {
  return columns.map((column) =>
    knex.raw(column === 'status' ? 'coalesce(??, 0) AS ??' : `coalesce(??, '') AS ??`, [column, column]),
  );
}

/** The series that meet these filters; `from` may join them to something. */
export function matchingSeries(
  source: Builder,
  terms: readonly Term[],
  from: Knex.QueryBuilder = source.knex('record_series as s'),
): Knex.QueryBuilder {
  for (const term of terms) applyTerm(source, from, term, true);
  return from;
}
