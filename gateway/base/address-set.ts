import { BlockList, isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** A set of addresses and CIDR ranges. */
export class AddressSet {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @throws Error when an entry is neither an address nor a range */
  constructor(entries: readonly string[]) {
    this.#empty = entries.length === 0;
    for (const entry of entries) {
      const range = canonicalRange(entry);
      if (range === null) throw new Error(`not an address or CIDR range: ${entry}`);
      const [address = '', bits] = range.split('/');
      const kind = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (bits === undefined) this.#list.addAddress(address, kind);
      else this.#list.addSubnet(address, Number(bits), kind);
    }
  }

  has(address: string): boolean {
    if (this.#empty) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/**
 * One spelling for one range: the network's own address, an IPv4 address in its IPv4 form, no bits for a single one.
 *
 * @returns null for what is neither an address nor a range
 * @example canonicalRange('10.1.2.3/16') // '10.1.0.0/16'
 */
export function canonicalRange(entry: string): string | null {
  const [address = '', bits, ...rest] = entry.split('/');
  // A zone names an interface of one machine.
  if (
    rest.length > 0 ||
    isIP(address) === 0 ||
    address.includes('%') ||
    (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits))
  )
    return null;
  const parsed = ipaddr.parse(address);
  const mapped = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress();
  const plain = mapped ? parsed.toIPv4Address() : parsed;
  const width = plain instanceof ipaddr.IPv4 ? 32 : 128;
  const length = bits === undefined ? width : Number(bits) - (mapped ? 96 : 0);
  if (length < 0 || length > width) return null;
  if (length === width) return plain.toString();
  const text = `${plain.toString()}/${length}`;
  const network =
    plain instanceof ipaddr.IPv4
      ? ipaddr.IPv4.networkAddressFromCIDR(text)
      : ipaddr.IPv6.networkAddressFromCIDR(text);
  return `${network.toString()}/${length}`;
}

/**
 * Whether every address of one range lies in another. Both in the form of `canonicalRange`.
 *
 * @example rangeWithin('10.1.2.0/24', '10.1.0.0/16') // true
 */
export function rangeWithin(inner: string, outer: string): boolean {
  const [part, whole] = [inner, outer].map((range) => {
    const [address = '', bits] = range.split('/');
    const parsed = ipaddr.parse(address);
    return { parsed, bits: bits === undefined ? parsed.toByteArray().length * 8 : Number(bits) };
  }) as [Range, Range];
  if (part.parsed.kind() !== whole.parsed.kind() || part.bits < whole.bits) return false;
  return part.parsed.match(whole.parsed, whole.bits);
}

interface Range {
  readonly parsed: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}
