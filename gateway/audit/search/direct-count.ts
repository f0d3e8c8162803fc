import type { Knex } from 'knex';
import { HOUR_MS } from './calendar.js';
import { SERIES_COLUMNS, type SeriesFacts, seriesOfRecords } from './series.js';
import { applyTerm, type Builder, leadOf, lookedAt, type RecordFilters, type Term } from './terms.js';

/** The most records that one count looks at; past it the number found is said to be the least. */
export const COUNT_LIMIT = 10_000;

/** Records of one kind in one hour. */
export type Counted = SeriesFacts & { readonly hour: number; readonly n: number };

/** Which records are counted one by one. */
export interface CountAsk {
  readonly query: RecordFilters;
  readonly terms: readonly Term[];
  /** Narrows what is looked at, and is then what leads to it. */
  readonly within?: ((looked: Knex.QueryBuilder) => void) | undefined;
  /** False: whatever is looked at is few, and no filter leads to it. */
  readonly led?: boolean;
}

const hourOf = ({ knex, engine }: Builder): Knex.Raw =>
  knex.raw(
    engine === 'postgres'
      ? `(received_at / ${HOUR_MS}) * ${HOUR_MS} AS hour`
      : `received_at - received_at % ${HOUR_MS} AS hour`,
  );

/**
 * Two questions: how many of each kind in each hour, and how many records were looked at (`COUNT_LIMIT` and one more:
 * there are more than were counted).
 */
export function directCount(
  source: Builder,
  { query, terms, within, led = true }: CountAsk,
): [counts: Knex.QueryBuilder, looked: Knex.QueryBuilder] {
  const { knex } = source;
  const lead = led ? leadOf(terms) : undefined;
  const looked = lookedAt(source, query, lead);
  // In the order of the log: no engine then reads anything but its end.
  if (!led) void looked.clearOrder().orderBy('seq');
  within?.(looked);
  const rest = terms.filter((term) => term !== lead);
  const counts = knex(
    looked
      .clone()
      .select([...new Set(['received_at', ...SERIES_COLUMNS, ...rest.map(([column]) => column)])])
      .limit(COUNT_LIMIT)
      .as('looked'),
  ).select(...seriesOfRecords(source), hourOf(source), knex.raw('count(*) AS n'));
  for (const term of rest) applyTerm(source, counts, term, true);
  // The hour first: it tells most records apart, and a comparison of thirteen texts is spared.
  void counts.groupByRaw(`hour, ${SERIES_COLUMNS.map((_, i) => i + 1).join(', ')}`);
  const seen = knex(
    looked
      .clone()
      .select(knex.raw('1 AS one'))
      .limit(COUNT_LIMIT + 1)
      .as('looked'),
  ).count({ n: '*' });
  return [counts, seen];
}
