const UTC_PLUS_7_MS = 7 * 3_600_000;
const DAY_MS = 86_400_000;

/**
 * The calendar day in Asia/Ho_Chi_Minh (UTC+7, no summer time) at a moment.
 *
 * @example vietnamDay(Date.parse('2025-06-30T17:00:00Z')) // '2025-07-01'
 */
export function vietnamDay(ms: number): string {
  return new Date(ms + UTC_PLUS_7_MS).toISOString().slice(0, 10);
}

/** The first moment of a calendar day (yyyy-MM-dd) in Asia/Ho_Chi_Minh, milliseconds since the epoch. */
export function dayBegins(day: string): number {
  return Date.parse(`${day}T00:00:00+07:00`);
}

/** The first moment after it. */
export function dayEnds(day: string): number {
  return dayBegins(day) + DAY_MS;
}

/** A calendar day as Vietnamese read it. @example shownDay('2025-07-01') // '01/07/2025' */
export function shownDay(day: string): string {
  return day.split('-').reverse().join('/');
}

/** A moment as Vietnamese read it. @example shownTime(0) // '01/01/1970 07:00' */
export function shownTime(ms: number): string {
  const there = new Date(ms + UTC_PLUS_7_MS).toISOString();
  return `${shownDay(there.slice(0, 10))} ${there.slice(11, 16)}`;
}
