import type { Knex } from 'knex';
import { vietnamDay } from '../base/calendar.js';

export interface YearlyNumber {
  readonly year: number;
  readonly number: number;
  /** @example 'td-2026-0001' */
  readonly text: string;
}

/**
 * The next number of the year that `now` lies in, Vietnamese time. To be asked inside of `changing()`, where
 * writers take turns: nobody gets the same one.
 *
 * @param table with the columns `year` and `column`, names of ours
 */
export async function nextOfYear(
  trx: Knex.Transaction,
  { table, column, prefix }: { table: string; column: string; prefix: string },
  now: number,
): Promise<YearlyNumber> {
  const year = Number(vietnamDay(now).slice(0, 4));
  const row = (await trx(table).where({ year }).max({ last: column }).first()) as { last: number | null };
  const number = (row.last ?? 0) + 1;
  return { year, number, text: `${prefix}-${year}-${String(number).padStart(4, '0')}` };
}
