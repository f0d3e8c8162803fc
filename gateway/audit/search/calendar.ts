/** What counts are kept by. Days and months are those of Asia/Ho_Chi_Minh, which is UTC+7 all the year. */
export const LEVELS = { hour: 0, day: 1, month: 2 } as const;
export type Unit = keyof typeof LEVELS;

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const UTC_PLUS_7_MS = 7 * HOUR_MS;

/** When the unit begins that a time falls into. */
export function startOf(unit: Unit, time: number): number {
  if (unit === 'hour') return Math.floor(time / HOUR_MS) * HOUR_MS;
  if (unit === 'day') return Math.floor((time + UTC_PLUS_7_MS) / DAY_MS) * DAY_MS - UTC_PLUS_7_MS;
  const there = new Date(time + UTC_PLUS_7_MS);
  return Date.UTC(there.getUTCFullYear(), there.getUTCMonth(), 1) - UTC_PLUS_7_MS;
}

/** The first beginning of a unit at this time or later. */
function nextStart(unit: Unit, time: number): number {
  if (!Number.isFinite(time)) return time;
  const start = startOf(unit, time);
  if (start === time) return time;
  // Past the end of any hour, day or month, and within the one that follows.
  const beyond = { hour: HOUR_MS, day: DAY_MS, month: 31 * DAY_MS + HOUR_MS }[unit];
  return startOf(unit, start + beyond);
}

function lastStart(unit: Unit, time: number): number {
  return Number.isFinite(time) ? startOf(unit, time) : time;
}

/** A stretch of time whose counts are kept, or whose records have to be counted (`unit` null). */
export interface Span {
  readonly unit: Unit | null;
  readonly from: number;
  readonly to: number;
}

/**
 * Cuts a stretch of time into whole months, days and hours, and what is left at its ends.
 *
 * @param from `-Infinity` for all that was before @param to `Infinity` for all that follows
 * @param coarsest what nothing larger is wanted than
 */
export function spansOf(from: number, to: number, coarsest: Unit): Span[] {
  const units: Unit[] = ['month', 'day', 'hour'];
  return cut(from, to, units.slice(units.indexOf(coarsest)));
}

function cut(from: number, to: number, units: readonly Unit[]): Span[] {
  if (from >= to) return [];
  const [unit, ...finer] = units;
  if (unit === undefined) return [{ unit: null, from, to }];
  const first = nextStart(unit, from);
  const last = lastStart(unit, to);
  if (first >= last) return cut(from, to, finer);
  return [...cut(from, first, finer), { unit, from: first, to: last }, ...cut(last, to, finer)];
}
