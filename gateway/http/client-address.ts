import { BlockList, isIP } from 'node:net';
import type { IncomingMessage } from 'node:http';

/** A set of addresses and CIDR ranges. */
export class AddressSet {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** @throws Error when an entry is neither an address nor a range */
  constructor(entries: readonly string[]) {
    this.#empty = entries.length === 0;
    for (const entry of entries) {
      const [address = '', bits] = entry.split('/');
      const family = isIP(address);
      if (family === 0) throw new Error(`not an address or CIDR range: ${entry}`);
      const kind = family === 6 ? 'ipv6' : 'ipv4';
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
