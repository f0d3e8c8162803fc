import type { Query, Rows } from './source.js';

/** Where a server is, vetted and pinned. */
export interface ServerAddress {
  readonly host: string;
  /** An allowed address of `host`: what is dialled. */
  readonly address: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: { readonly ca: string | undefined } | null;
}

/** A driver's own connection; knex marks those that must not be used again. */
export interface DriverConnection {
  __knex__disposed?: unknown;
}

/** What differs between PostgreSQL and MySQL. */
export interface Driver<C extends DriverConnection = DriverConnection> {
  /** knex's name of the dialect. */
  readonly client: 'pg' | 'mysql2';
  /** Connection settings of the driver. */
  settings(address: ServerAddress): Record<string, unknown>;
  /** Runs one statement in a transaction of its own, read-only unless it writes. */
  run(connection: C, query: Query, progress: { committing: boolean }): Promise<Rows>;
  ping(connection: C): Promise<void>;
  rollback(connection: C): Promise<void>;
  /** Ends the statement that the connection is busy with, from outside. */
  cancel(connection: C, address: ServerAddress): Promise<void>;
  destroy(connection: C): void;
  isTimeout(code: string): boolean;
}

/** Milliseconds that a server may still work for. */
export function remainingMs(query: Query): number {
  return Math.max(1, Math.min(120_000, Math.ceil(query.deadline - Date.now())));
}
