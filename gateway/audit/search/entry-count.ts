import type { Knex } from 'knex';
import { HOUR_MS, type Span } from './calendar.js';
import { matchingSeries, SERIES_COLUMNS } from './series.js';
import type { Builder, Term } from './terms.js';

/** Puts to sums by series (`series`) what each series is about. */
export function withFacts(
  { knex, engine }: Builder,
  sums: Knex.QueryBuilder,
  columns: readonly string[],
): Knex.QueryBuilder {
  return knex(sums.as('t'))
    .joinRaw(`${engine === 'sqlite' ? 'CROSS JOIN' : 'JOIN'} record_series AS s ON s.id = t.series`)
    .select(...SERIES_COLUMNS.map((column) => `s.${column}`), ...columns.map((column) => `t.${column}`));
}

/** How many of each series in each hour, by their entries: for the minutes at the ends that no whole hour holds. */
export function entryCounts(source: Builder, span: Span, terms: readonly Term[]): Knex.QueryBuilder {
  const { knex, engine } = source;
  const hour =
    engine === 'postgres'
      ? `(e.received_at / ${HOUR_MS}) * ${HOUR_MS}`
      : `e.received_at - e.received_at % ${HOUR_MS}`;
  const join = engine === 'sqlite' ? 'CROSS JOIN' : 'JOIN';
  const rows = knex('record_series as s').joinRaw(`${join} record_entries AS e ON e.series = s.id`);
  void matchingSeries(source, terms, rows)
    .where('e.received_at', '>=', span.from)
    .where('e.received_at', '<', span.to)
    .select('e.series', knex.raw(`${hour} AS hour`), knex.raw('CAST(count(*) AS bigint) AS n'))
    .groupByRaw('1, 2');
  return withFacts(source, rows, ['hour', 'n']);
}
