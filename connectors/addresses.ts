import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Clouds answer here with the machine's own credentials; some of these lie outside the link-local ranges. */
const METADATA = new Set([
  '169.254.169.254',
  '100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
  'fd00:ec2::254',
  'fd20:ce::254',
]);

const NEVER_V4: ReadonlySet<string> = new Set(['unspecified', 'broadcast', 'multicast', 'linkLocal']);
const NEVER_V6: ReadonlySet<string> = new Set(['unspecified', 'multicast', 'linkLocal', 'teredo', 'rfc6145']);

const LOCAL_NAT64: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('64:ff9b:1::'), 48];

/**
 * Reads a host as a literal address in whatever spelling a resolver or URL parser would take (`0x7f.1`,
 * `2130706433`, `127.1`, `::ffff:10.0.0.1`); null for a name.
 */
export function literalOf(host: string): Address | null {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  if (!ipaddr.isValid(bare)) return null;
  return plain(ipaddr.parse(bare));
}

/** An IPv4-mapped address is the IPv4 address: the kernel dials the same machine. */
function plain(address: Address): Address {
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) return address.toIPv4Address();
  return address;
}

function v4At(bytes: readonly number[], offset: number): ipaddr.IPv4 {
  return new ipaddr.IPv4(bytes.slice(offset, offset + 4));
}

/** The IPv4 address that a transition form carries: NAT64, 6to4, ISATAP, IPv4-compatible. */
function embedded(address: ipaddr.IPv6): ipaddr.IPv4 | null {
  const bytes = address.toByteArray();
  const range = address.range();
  if (range === '6to4') return v4At(bytes, 2);
  const isatap = address.parts[5] === 0x5efe && [0, 0x200].includes(address.parts[4] ?? -1);
  const compatible = bytes.slice(0, 12).every((byte) => byte === 0) && range !== 'loopback';
  return range === 'rfc6052' || isatap || compatible ? v4At(bytes, 12) : null;
}

/** Addresses that no rule can allow: link-local, cloud metadata, unspecified, multicast, broadcast, in any form. */
export function isForbidden(address: Address): boolean {
  const known = plain(address);
  if (METADATA.has(known.toString())) return true;
  if (known instanceof ipaddr.IPv4) return NEVER_V4.has(known.range());
  if (known.zoneId !== undefined || NEVER_V6.has(known.range()) || known.match(LOCAL_NAT64)) return true;
  const inner = embedded(known);
  return inner !== null && isForbidden(inner);
}

/** A public address; all others are inside somewhere and must be listed as addresses, whatever name leads there. */
export function isPublic(address: Address): boolean {
  return plain(address).range() === 'unicast';
}

export function isLoopback(address: Address): boolean {
  return plain(address).range() === 'loopback';
}

/** A range that the configuration allows, for one port or for all. */
export interface AddressRule {
  readonly network: Address;
  readonly bits: number;
  readonly port: number | null;
}

export function covers(rule: AddressRule, address: Address, port: number): boolean {
  const known = plain(address);
  if (rule.port !== null && rule.port !== port) return false;
  return known.kind() === rule.network.kind() && known.match(rule.network, rule.bits);
}

/** `10.0.0.0/8` or a literal address, which stands for itself alone; null for anything else. */
export function parseNetwork(text: string): { network: Address; bits: number } | null {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { network: ipaddr.IPv4.parse(text), bits: 32 };
  if (text.includes(':') && !text.includes('/') && !text.includes('%') && ipaddr.IPv6.isValid(text)) {
    const network = plain(ipaddr.IPv6.parse(text));
    return { network, bits: network instanceof ipaddr.IPv4 ? 32 : 128 };
  }
  if (!text.includes('/') || !(ipaddr.IPv4.isValidCIDRFourPartDecimal(text) || text.includes(':')))
    return null;
  if (!ipaddr.isValidCIDR(text)) return null;
  const [network, bits] = ipaddr.parseCIDR(text);
  return { network, bits };
}
