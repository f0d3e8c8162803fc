/** When a system says that it calls, in Asia/Ho_Chi_Minh: on these days (1 is Monday), from … until before …. */
export interface Hours {
  readonly days: readonly number[];
  /** `HH:MM` */
  readonly from: string;
  /** `HH:MM`, up to `24:00`; not after `from`: the hours go past midnight. */
  readonly to: string;
}

const UTC_PLUS_7_MS = 7 * 3_600_000;

const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));

/** @param ms milliseconds since the epoch */
export function withinHours({ days, from, to }: Hours, ms: number): boolean {
  const local = new Date(ms + UTC_PLUS_7_MS);
  const day = local.getUTCDay() === 0 ? 7 : local.getUTCDay();
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const [begin, end] = [minutes(from), minutes(to)];
  if (begin < end) return days.includes(day) && begin <= minute && minute < end;
  // What goes past midnight belongs to the day on which it began.
  const before = day === 1 ? 7 : day - 1;
  return (days.includes(day) && minute >= begin) || (days.includes(before) && minute < end);
}
