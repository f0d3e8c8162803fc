import { lookup as systemLookup } from 'node:dns/promises';
import { realpathSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { isAbsolute, relative, resolve as resolvePath, sep } from 'node:path';
import {
  type Address,
  type AddressRule,
  covers,
  isForbidden,
  isLoopback,
  isPublic,
  literalOf,
  parseNetwork,
} from './addresses.js';
import type { Egress } from './egress.js';

/** The configuration does not let a connector go there. The message may name addresses: operational log only. */
export class EgressDenied extends Error {
  override readonly name = 'EgressDenied';
  readonly code = 'EGRESS_DENIED';
}

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface EgressOptions {
  /** `host`, `host:port`, `CIDR`, `CIDR:port`, `[v6]:port`, `[v6 CIDR]:port`. Nothing listed allows nothing. */
  readonly addresses: readonly string[];
  readonly folders: readonly string[];
  /** Name → addresses; the system's resolver unless given. */
  readonly resolver?: ((host: string) => Promise<readonly ResolvedAddress[]>) | undefined;
}

interface NameRule {
  readonly name: string;
  readonly port: number | null;
}

interface Rules {
  readonly names: readonly NameRule[];
  readonly networks: readonly AddressRule[];
}

function portOf(text: string | undefined, entry: string): number | null {
  if (text === undefined) return null;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535)
    throw new TypeError(`egress entry ${entry}: not a port`);
  return port;
}

/** Lower case, IDNA and without the root's dot; null when a URL could not have this host. */
function hostName(host: string): string | null {
  if (host === '' || /[\s/\\?#@%]/.test(host) || (host.includes(':') && !host.startsWith('['))) return null;
  if (!URL.canParse(`http://${host}/`)) return null;
  const url = new URL(`http://${host}/`);
  if (url.port !== '') return null;
  const name = url.hostname.replace(/\.$/, '');
  return name === '' ? null : name;
}

function parseEntry(entry: string): NameRule | AddressRule {
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(entry);
  const whole = bracketed === null ? parseNetwork(entry) : null;
  if (whole !== null) return { ...whole, port: null };
  const [, host = '', portText] = bracketed ?? /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const port = portOf(portText, entry);
  const network = parseNetwork(host);
  if (network !== null) return { ...network, port };
  const name = bracketed === null ? hostName(host) : null;
  if (name === null || literalOf(name) !== null || !/^[a-z0-9._-]+$/.test(name))
    throw new TypeError(`egress entry ${entry}: expected host, host:port, CIDR, CIDR:port or [v6]:port`);
  return { name, port };
}

function parseRules(addresses: readonly string[]): Rules {
  const names: NameRule[] = [];
  const networks: AddressRule[] = [];
  for (const entry of addresses) {
    const rule = parseEntry(entry.trim());
    if ('name' in rule) names.push(rule);
    else networks.push(rule);
  }
  return { names, networks };
}

const portFits = (rule: { port: number | null }, port: number): boolean =>
  rule.port === null || rule.port === port;

/** Nothing but the resolver itself may have decided that this name is the machine we run on. */
const isLocalName = (name: string): boolean => name === 'localhost' || name.endsWith('.localhost');

class AllowList implements Egress {
  readonly #rules: Rules;
  readonly #folders: readonly string[];
  readonly #resolver: (host: string) => Promise<readonly ResolvedAddress[]>;

  constructor(options: EgressOptions) {
    this.#rules = parseRules(options.addresses);
    this.#folders = options.folders.map((folder) => resolvePath(folder));
    this.#resolver = options.resolver ?? ((host) => systemLookup(host, { all: true }));
  }

  assertHost(host: string, port: number): void {
    this.#vetted(host, port);
  }

  lookup(port: number): LookupFunction {
    return (hostname, options, callback) => {
      this.#addresses(hostname, port, options.family === 4 || options.family === 6 ? options.family : 0).then(
        (found) => {
          if (options.all === true) callback(null, [...found]);
          else callback(null, found[0]?.address ?? '', found[0]?.family ?? 0);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error('lookup failed'), '', 0),
      );
    };
  }

  async resolve(host: string, port: number): Promise<string> {
    const [first] = await this.#addresses(host, port, 0);
    return first?.address ?? '';
  }

  assertFile(path: string): string {
    const real = realPath(path);
    for (const folder of this.#folders) {
      const inner = real === null ? '' : relative(realPath(folder) ?? '\0', real);
      if (
        real !== null &&
        inner !== '' &&
        inner !== '..' &&
        !inner.startsWith(`..${sep}`) &&
        !isAbsolute(inner)
      )
        return real;
    }
    throw new EgressDenied('the file is not in an allowed folder, or is not there');
  }

  /** The normalised name, or the literal address once it is allowed. */
  #vetted(host: string, port: number): string | Address {
    const name = hostName(host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
    if (name === null) throw new EgressDenied(`not a host: ${host.slice(0, 200)}`);
    const literal = literalOf(name);
    if (literal !== null) {
      if (isForbidden(literal) || !this.#covered(literal, port))
        throw new EgressDenied(`address not allowed: ${literal.toString()}:${port}`);
      return literal;
    }
    if (!this.#listed(name, port) && !this.#rules.networks.some((rule) => portFits(rule, port)))
      throw new EgressDenied(`host not allowed: ${name}:${port}`);
    return name;
  }

  async #addresses(host: string, port: number, family: number): Promise<readonly ResolvedAddress[]> {
    const vetted = this.#vetted(host, port);
    if (typeof vetted !== 'string')
      return [{ address: vetted.toString(), family: vetted.kind() === 'ipv4' ? 4 : 6 }];
    const found = await this.#resolver(vetted);
    const allowed = found.filter(
      (entry) => (family === 0 || entry.family === family) && this.#mayDial(vetted, entry.address, port),
    );
    if (allowed.length === 0) throw new EgressDenied(`no allowed address for ${vetted}:${port}`);
    return allowed;
  }

  #mayDial(name: string, text: string, port: number): boolean {
    const address = literalOf(text);
    if (address === null || isForbidden(address)) return false;
    if (this.#covered(address, port)) return true;
    if (!this.#listed(name, port)) return false;
    // A listed name vouches for public addresses only: whoever runs its DNS must not choose among our own machines.
    return isPublic(address) || (isLocalName(name) && isLoopback(address));
  }

  #listed(name: string, port: number): boolean {
    return this.#rules.names.some((rule) => rule.name === name && portFits(rule, port));
  }

  #covered(address: Address, port: number): boolean {
    return this.#rules.networks.some((rule) => covers(rule, address, port));
  }
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/**
 * The way out that the configuration allows; everything else is denied.
 *
 * - A **literal address** is allowed when a CIDR or literal entry covers it.
 * - A **name** is allowed when an entry names it and it resolves to a public address, or when what it resolves to is
 *   covered by a CIDR or literal entry. So a listed name that suddenly resolves into a private network is denied
 *   unless that network is listed too. `localhost` (and `*.localhost`) listed by name stands for loopback.
 * - Link-local, cloud metadata, unspecified, multicast and broadcast addresses are denied whatever is listed,
 *   in IPv4-mapped, IPv4-compatible, NAT64, 6to4 and ISATAP form too.
 *
 * @throws TypeError when an entry cannot be read: a rule that is not understood must not silently allow nothing
 */
export function createEgress(options: EgressOptions): Egress {
  return new AllowList(options);
}
