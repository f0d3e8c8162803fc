import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Whom an address stands for when its calls are counted: an IPv4 address for itself, an IPv6 address for its /64,
 * of which one line holds all.
 *
 * @example addressBlock('2001:db8:0:1:aa::1') // '2001:db8:0:1::/64'
 */
export function addressBlock(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return address;
  const parsed = ipaddr.IPv6.parse(plain);
  if (parsed.isIPv4MappedAddress()) return parsed.toIPv4Address().toString();
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${plain}/64`).toString()}/64`;
}
