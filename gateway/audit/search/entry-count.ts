import type { Knex } from 'knex';
import type { Span } from './calendar.js';
import { hourOf } from './direct-count.js';
import { FACT_COLUMNS, matchingSeries } from './series.js';
import type { Builder, Term } from './terms.js';

/** Puts to sums (`n`) by series (`series`) what each series is about. */
export function withFacts({ knex, engine }: Builder, sums: Knex.QueryBuilder): Knex.QueryBuilder {
  return knex(sums.as('t'))
    .joinRaw(`${engine === 'sqlite' ? 'CROSS JOIN' : 'JOIN'} record_series AS s ON s.id = t.series`)
    .select(...FACT_COLUMNS.map((column) => `s.${column}`), 't.n');
}

/** How many of each series and in each hour, by their entries: for the minutes at the ends that no whole hour holds. */
export function entryCounts(
  source: Builder,
  span: Span,
  terms: readonly Term[],
): [series: Knex.QueryBuilder, steps: Knex.QueryBuilder] {
  const { knex, engine } = source;
  const join = engine === 'sqlite' ? 'CROSS JOIN' : 'JOIN';
  const rows = (by: string): Knex.QueryBuilder =>
    matchingSeries(
      source,
      terms,
      knex('record_series as s').joinRaw(`${join} record_entries AS e ON e.series = s.id`),
    )
      .where('e.received_at', '>=', span.from)
      .where('e.received_at', '<', span.to)
      .select(knex.raw(by), knex.raw('CAST(count(*) AS bigint) AS n'))
      .groupByRaw('1');
  return [withFacts(source, rows('e.series')), rows(`${hourOf(source, 'e.received_at')} AS start`)];
}
