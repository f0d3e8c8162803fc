import type { SecuritySettings } from '../base/config-security.js';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

/**
 * From how many calls on an hour is unusual.
 *
 * @param history calls in the same hour of the weeks before, as far back as the system is known
 * @returns null while too little is known to judge
 */
export function unusualFrom(
  history: readonly number[],
  { factor, floor, minWeeks }: SecuritySettings['volume'],
): number | null {
  if (history.length < minWeeks) return null;
  return Math.max(floor, Math.ceil(median(history) * factor));
}
