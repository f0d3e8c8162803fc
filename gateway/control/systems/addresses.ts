import { canonicalRange, rangeWithin } from '../../base/address-set.js';
import { invalid } from '../refusals.js';

/** The list as it is kept: one spelling for each range, each once; an empty list would shut the system out. */
export function addressesOf(asked: readonly string[] | null): string | null {
  if (asked === null) return null;
  const ranges = asked.map((entry, i) => {
    const range = canonicalRange(entry.trim());
    if (range !== null) return range;
    throw invalid(
      `/body/addresses/${i}`,
      'address',
      'không phải địa chỉ IP hay dải CIDR',
      'is neither an IP address nor a CIDR range',
    );
  });
  return JSON.stringify([...new Set(ranges)]);
}

/** Whether a list lets in an address that another one does not. Both as they are kept; null lets in any. */
export function isWider(after: string | null, before: string | null): boolean {
  if (before === null || after === before) return false;
  if (after === null) return true;
  const [ranges, known] = [after, before].map((text) => JSON.parse(text) as string[]) as [string[], string[]];
  return !ranges.every((range) => known.some((one) => rangeWithin(range, one)));
}
