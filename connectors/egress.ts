import type { LookupFunction } from 'node:net';

/** Where sources may be: the only way out of the gateway. Implemented in `createEgress`. */
export interface Egress {
  /** Throws `EgressDenied` when no rule could ever allow this host and port (literal addresses are decided here). */
  assertHost(host: string, port: number): void;
  /** A `lookup` for sockets that resolves the name and yields only allowed addresses: no second resolution, so no rebinding. */
  lookup(port: number): LookupFunction;
  /** Resolves a name to one allowed address, for drivers that take no `lookup`. */
  resolve(host: string, port: number): Promise<string>;
  /** The absolute path when it lies in an allowed folder (symbolic links followed); throws `EgressDenied` otherwise. */
  assertFile(path: string): string;
}
