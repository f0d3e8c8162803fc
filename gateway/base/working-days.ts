import { dayEnds, vietnamDay } from './calendar.js';

/**
 * How the days of one place differ from plain weeks of five working days. Days are `yyyy-MM-dd` in
 * Asia/Ho_Chi_Minh.
 */
export interface WorkingCalendar {
  /** Days off, whatever day of the week. */
  readonly holidays: ReadonlySet<string>;
  /** Swap days: a Saturday or Sunday that is worked, in exchange for a working day that is not. */
  readonly workdays: ReadonlySet<string>;
}

export type RestReason = 'weekend' | 'holiday';

export interface WorkingTerm {
  /** The last day of the term. */
  readonly end: string;
  /** The days inside the term that do not count, in order, and why. */
  readonly skipped: readonly { readonly day: string; readonly reason: RestReason }[];
}

const DAY_MS = 86_400_000;
/** Longer terms are not given in working days; the bound keeps the count short. */
export const MAX_WORKING_DAYS = 3660;

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
}

/** Whether a calendar day is a Saturday or a Sunday. */
export function isWeekend(day: string): boolean {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  return weekday === 0 || weekday === 6;
}

/** Why a day does not count as a working day; null when it does. A day that is marked as both is a day off. */
export function restReason(day: string, calendar: WorkingCalendar): RestReason | null {
  if (calendar.holidays.has(day)) return 'holiday';
  return isWeekend(day) && !calendar.workdays.has(day) ? 'weekend' : null;
}

export function isWorkingDay(day: string, calendar: WorkingCalendar): boolean {
  return restReason(day, calendar) === null;
}

/**
 * The term of `count` working days that begins on `day`, as the Civil Code counts (Bộ luật Dân sự 2015, Điều 147
 * khoản 2 and Điều 148): the day of the event is not counted, counting starts on the next calendar day, only
 * working days count, and the term ends with the last of them at 24:00. A term of 0 days ends on the day itself.
 *
 * @throws RangeError when `count` is no whole number from 0 to {@link MAX_WORKING_DAYS}, or `day` is no date
 */
export function workingTerm(day: string, count: number, calendar: WorkingCalendar): WorkingTerm {
  if (!Number.isInteger(count) || count < 0 || count > MAX_WORKING_DAYS)
    throw new RangeError(`a term of ${count} working days`);
  const skipped: { day: string; reason: RestReason }[] = [];
  let end = day;
  for (let counted = 0; counted < count; ) {
    end = nextDay(end);
    const reason = restReason(end, calendar);
    if (reason === null) counted += 1;
    else skipped.push({ day: end, reason });
  }
  return { end, skipped };
}

/**
 * The last day of a term of `count` working days that begins on `day`; see {@link workingTerm}.
 *
 * @example addWorkingDays('2025-08-01', 2, plain) // a Friday: '2025-08-05', Tuesday
 */
export function addWorkingDays(day: string, count: number, calendar: WorkingCalendar): string {
  return workingTerm(day, count, calendar).end;
}

/** The last millisecond of a Vietnamese calendar day, since the epoch. */
export function endOfDay(day: string): number {
  return dayEnds(day) - 1;
}

/**
 * When a term of working days that begins at a moment is over: milliseconds since the epoch, to be stored. A
 * deadline is computed once: a holiday that is entered afterwards does not move what somebody was promised.
 */
export function dueAt(fromMs: number, workingDays: number, calendar: WorkingCalendar): number {
  return endOfDay(addWorkingDays(vietnamDay(fromMs), workingDays, calendar));
}
