import { canonicalRange } from '../../base/address-set.js';
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
