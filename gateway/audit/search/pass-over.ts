import { HOUR_MS, LEVELS } from './calendar.js';
import type { RecordReader } from './reader.js';
import { COUNTS, isCounted, matchingSeries } from './series.js';
import type { RecordFilters, Term } from './terms.js';

/** Past so many records that are not counted yet, the counts say too little. */
const TAIL_LIMIT = 10_000;

/** When the newest record was received that the counts do not hold; `unknown` when there are too many of them. */
async function newestUncounted(reader: RecordReader, before: number): Promise<number | null | 'unknown'> {
  const { knex } = reader;
  const [[done], [last]] = (await reader.read([
    knex('progress').select('value').where({ name: COUNTS }),
    knex('records').max({ seq: 'seq' }),
  ])) as [[{ value: number }], [{ seq: number | null }]];
  if ((last.seq ?? -1) - done.value > TAIL_LIMIT) return 'unknown';
  const [[tail]] = (await reader.read([
    knex('records')
      // An expression: by the index of the times, the engine would go through all that was received before to find it.
      .max({ at: knex.raw('received_at + 0') })
      .where('seq', '>', done.value)
      // One walk along the key: their number is small.
      .whereRaw('+received_at <= ?', [before]),
  ])) as [[{ at: number | null }]];
  return tail.at;
}

/**
 * How far a search may pass over records that cannot match: the counts say in which hours there are any.
 *
 * @param before the time that the search has come to
 * @returns the time from which on (downwards) to look; null when nothing can follow; `unknown` when the counts cannot say
 */
export async function passOver(
  reader: RecordReader,
  query: RecordFilters,
  terms: readonly Term[],
  before: number,
): Promise<number | null | 'unknown'> {
  const counted = terms.filter(isCounted);
  if (counted.length === 0) return 'unknown';
  const tail = await newestUncounted(reader, before);
  if (tail === 'unknown') return tail;
  const newest = reader
    .knex('record_counts as c')
    .max('c.start')
    .whereRaw('c.series = s.id')
    .where('c.level', LEVELS.hour)
    .where('c.start', '<=', before);
  const [hours] = (await reader.read([matchingSeries(reader, counted).select(newest.as('start'))])) as [
    { start: number | null }[],
  ];
  const ends = hours.flatMap(({ start }) => (start === null ? [] : [start + HOUR_MS]));
  if (tail !== null) ends.push(tail + 1);
  if (ends.length === 0) return null;
  const ahead = ends.reduce((latest, end) => Math.max(latest, end));
  return query.from !== undefined && ahead <= query.from ? null : ahead;
}
