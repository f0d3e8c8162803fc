import type { Engine } from '../store/database.js';

const DAY_MS = 86_400_000;
const UTC_PLUS_7_MS = 7 * 3_600_000;

/** SQL for the calendar day in Vietnam on which a record was received, as a number; `dayOf` makes a date of it. */
export const DAY_SQL = `(received_at + ${UTC_PLUS_7_MS}) / ${DAY_MS}`;

/** yyyy-MM-dd of a number by `DAY_SQL`, which an engine may give as a fraction. */
export function dayOf(day: number): string {
  return new Date(Math.floor(day) * DAY_MS).toISOString().slice(0, 10);
}

/** SQL for the fields that left, where a grant narrows the answer; only then is the leaf looked into. */
export function disclosedSql(engine: Engine): string {
  const inside =
    engine === 'postgres' ? `(leaf::json -> 'disclosed')::text` : `json_extract(leaf, '$.disclosed')`;
  return `CASE WHEN leaf LIKE '%"disclosed":%' THEN ${inside} END`;
}
