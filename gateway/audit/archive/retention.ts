import { startOf } from '../search/calendar.js';
import { RECORD_CLASSES, type RecordClass } from './classes.js';

/** How long the records of one class are kept, and why. */
export interface Period {
  /** Months in the table, where they are searched. */
  readonly months: number;
  /** Months after which the sealed file is destroyed too; 0: never. */
  readonly fileMonths: number;
  /** Reference into the registry of legal bases. */
  readonly legalBasis: string;
}

export type Periods = Readonly<Record<RecordClass, Period>>;

/**
 * Whatever was received before is older than so many months: whole calendar months of Asia/Ho_Chi_Minh, so that a month
 * leaves as one.
 *
 * @param now milliseconds since the epoch
 */
export function monthsBefore(now: number, months: number): number {
  let start = startOf('month', now);
  // Half a month before the first of a month lies in the month before, whichever it is.
  for (let i = 0; i < months; i++) start = startOf('month', start - 15 * 86_400_000);
  return start;
}

/** What is sealed: the file of a class is made when the first class of the log leaves the table. */
export function sealBefore(periods: Periods, now: number): number {
  const months = Math.min(...RECORD_CLASSES.map((one) => periods[one].months));
  return monthsBefore(now, months);
}
