import { isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { AddressSet } from '../base/address-set.js';

/** IPv4 callers on a dual-stack socket appear as `::ffff:a.b.c.d`. */
function plain(address: string | undefined): string {
  return address === undefined ? 'unknown' : address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** Who is at the other end of the connection, whatever it says. */
export function peerAddress(request: IncomingMessage): string {
  return plain(request.socket.remoteAddress);
}

/**
 * The caller's address: the nearest hop that is not a proxy we trust. A forged `X-Forwarded-For` only reaches as
 * far as the first hop we do not trust.
 */
export function clientAddress(request: IncomingMessage, trusted: AddressSet): string {
  let address = peerAddress(request);
  if (!trusted.has(address)) return address;
  const forwarded = request.headers['x-forwarded-for'];
  const hops = (Array.isArray(forwarded) ? forwarded.join(',') : (forwarded ?? '')).split(',');
  for (let hop = hops.pop(); hop !== undefined && trusted.has(address); hop = hops.pop()) {
    const candidate = plain(hop.trim());
    if (isIP(candidate) === 0) break;
    address = candidate;
  }
  return address;
}
