import type { Knex } from 'knex';
import { HOUR_MS } from './calendar.js';
import { FACT_COLUMNS, seriesOfRecords } from './series.js';
import { applyTerm, type Builder, leadOf, lookedAt, type RecordFilters, type Term } from './terms.js';

/** The most records that one count looks at; past it the number found is said to be the least. */
export const COUNT_LIMIT = 10_000;

/** Which records are counted one by one. */
export interface CountAsk {
  readonly query: RecordFilters;
  readonly terms: readonly Term[];
  /** Narrows what is looked at, and is then what leads to it. */
  readonly within?: ((looked: Knex.QueryBuilder) => void) | undefined;
  /** False: whatever is looked at is few, and no filter leads to it. */
  readonly led?: boolean;
}

/** SQL for the beginning of the hour in which a record was received. */
export const hourOf = ({ engine }: Builder, column = 'received_at'): string =>
  engine === 'postgres' ? `(${column} / ${HOUR_MS}) * ${HOUR_MS}` : `${column} - ${column} % ${HOUR_MS}`;

/**
 * Three questions: how many of each kind, how many in each hour, and how many records were looked at (`COUNT_LIMIT` and
 * one more: there are more than were counted). Kinds and hours apart are a few rows where both together are thousands.
 */
export function directCount(
  source: Builder,
  { query, terms, within, led = true }: CountAsk,
): [series: Knex.QueryBuilder, steps: Knex.QueryBuilder, looked: Knex.QueryBuilder] {
  const { knex } = source;
  const lead = led ? leadOf(terms) : undefined;
  const looked = lookedAt(source, query, lead);
  // In the order of the log: no engine then reads anything but its end.
  if (!led) void looked.clearOrder().orderBy('seq');
  within?.(looked);
  const rest = terms.filter((term) => term !== lead);
  const counted = (...columns: readonly string[]): Knex.QueryBuilder => {
    const wanted = new Set([...columns, ...rest.map(([column]) => column)]);
    const rows = knex(
      looked
        .clone()
        .select([...wanted])
        .limit(COUNT_LIMIT)
        .as('looked'),
    );
    for (const term of rest) applyTerm(source, rows, term, true);
    return rows;
  };
  const n = knex.raw('count(*) AS n');
  const series = counted(...FACT_COLUMNS)
    .select(...seriesOfRecords(source, FACT_COLUMNS), n)
    .groupByRaw(FACT_COLUMNS.map((_, i) => i + 1).join(', '));
  const steps = counted('received_at')
    .select(knex.raw(`${hourOf(source)} AS start`), n)
    .groupByRaw('1');
  const seen = knex(
    looked
      .clone()
      .select(knex.raw('1 AS one'))
      .limit(COUNT_LIMIT + 1)
      .as('looked'),
  ).count({ n: '*' });
  return [series, steps, seen];
}
