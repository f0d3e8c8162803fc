const UTC_PLUS_7_MS = 7 * 3_600_000;

/**
 * The calendar day in Asia/Ho_Chi_Minh (UTC+7, no summer time) at a moment.
 *
 * @example vietnamDay(Date.parse('2025-06-30T17:00:00Z')) // '2025-07-01'
 */
export function vietnamDay(ms: number): string {
  return new Date(ms + UTC_PLUS_7_MS).toISOString().slice(0, 10);
}
