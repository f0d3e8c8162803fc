import type { Knex } from 'knex';
import type { WorkingCalendar } from '../base/working-days.js';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';

/** A day off, or a Saturday or Sunday that is worked instead. */
export const CALENDAR_DAY_KINDS = ['holiday', 'workday'] as const;
export type CalendarDayKind = (typeof CALENDAR_DAY_KINDS)[number];

export interface CalendarDayRow {
  /** Calendar day in Asia/Ho_Chi_Minh, `yyyy-MM-dd`. */
  day: string;
  kind: CalendarDayKind;
  name_vi: string;
  /** A reference to the registry of legal bases, e.g. `491-qd-ubnd#d2.6`. */
  legal_basis: string | null;
  created_at: number;
  updated_at: number;
}

/** The calendar that working days are counted by. */
export async function readCalendar(knex: Knex): Promise<WorkingCalendar> {
  const rows = await knex<CalendarDayRow>('calendar_days').select('day', 'kind');
  const of = (kind: CalendarDayKind) =>
    new Set(rows.filter((row) => row.kind === kind).map(({ day }) => day));
  return { holidays: of('holiday'), workdays: of('workday') };
}

export async function findCalendarDay(knex: Knex, day: string): Promise<CalendarDayRow | undefined> {
  return await knex<CalendarDayRow>('calendar_days').where({ day }).first();
}

/** One page, by day: of one year, or of all. */
export async function pageCalendarDays(
  database: Database,
  filter: { readonly year?: number | undefined },
  ask: PageAsk,
): Promise<Page<CalendarDayRow>> {
  const query = database.knex('calendar_days').select();
  const { year } = filter;
  if (year !== undefined) void query.whereBetween('day', [`${year}-01-01`, `${year}-12-31`]);
  return await pageOf<CalendarDayRow>(query, 'day', ask, database.engine);
}

/** The days from one day to another, both inclusive, in order. */
export async function daysBetween(knex: Knex, from: string, to: string): Promise<CalendarDayRow[]> {
  return await knex<CalendarDayRow>('calendar_days').whereBetween('day', [from, to]).orderBy('day');
}

/** The years that have a day in the calendar, in order. */
export async function calendarYears(knex: Knex): Promise<number[]> {
  const rows = await knex<CalendarDayRow>('calendar_days').select('day');
  return [...new Set(rows.map(({ day }) => Number(day.slice(0, 4))))].sort((a, b) => a - b);
}

/** Enters a day, or replaces what was entered for it; the day of its first entry stays. */
export async function putCalendarDay(knex: Knex, row: CalendarDayRow): Promise<void> {
  await knex('calendar_days')
    .insert(row)
    .onConflict('day')
    .merge(['kind', 'name_vi', 'legal_basis', 'updated_at']);
}

export async function deleteCalendarDay(knex: Knex, day: string): Promise<void> {
  await knex('calendar_days').where({ day }).delete();
}
