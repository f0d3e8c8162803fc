import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { migrationSource } from '../../migrations/index.js';

const { knex: createKnex } = knexModule;

// Times and counters are bigint columns that stay far below 2^53; text would only invite mistakes.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

export type Engine = 'sqlite' | 'postgres';

/** Where the gateway keeps what it knows. */
export interface Database {
  readonly knex: Knex;
  readonly engine: Engine;
  /** The SQLite file or the PostgreSQL URL, for parts that open a connection of their own. */
  readonly location: string;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly dataDir: string;
  readonly databaseUrl?: string | undefined;
}

interface SqliteConnection {
  pragma(text: string): unknown;
}

/** Every commit reaches the disk before it is answered (`synchronous=FULL`); a lock held elsewhere is waited for. */
export const SQLITE_PRAGMAS = [
  'journal_mode = WAL',
  'synchronous = FULL',
  'foreign_keys = ON',
  'busy_timeout = 5000',
] as const;

function openSqlite(file: string): Knex {
  return createKnex({
    client: 'better-sqlite3',
    connection: { filename: file },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate(
        connection: SqliteConnection,
        done: (error: Error | null, connection: SqliteConnection) => void,
      ) {
        for (const pragma of SQLITE_PRAGMAS) connection.pragma(pragma);
        done(null, connection);
      },
    },
    migrations: { migrationSource },
  });
}

function openPostgres(url: string): Knex {
  return createKnex({
    client: 'pg',
    connection: { connectionString: url, application_name: 'lgsp-gateway', statement_timeout: 30_000 },
    pool: { min: 0, max: 10 },
    acquireConnectionTimeout: 10_000,
    migrations: { migrationSource },
  });
}

/**
 * Opens the database that the settings name: `postgres://…`, or else a SQLite file in the data folder.
 * It does not migrate; see `migrate`.
 */
export function openDatabase(options: DatabaseOptions): Database {
  const url = options.databaseUrl;
  if (url !== undefined && /^postgres(ql)?:\/\//.test(url)) {
    const knex = openPostgres(url);
    return { knex, engine: 'postgres', location: url, close: () => knex.destroy() };
  }
  if (url !== undefined && !url.startsWith('sqlite:'))
    throw new Error('databaseUrl must begin with postgres:// or sqlite:');
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const file = url === undefined ? join(options.dataDir, 'lgsp.sqlite') : url.slice('sqlite:'.length);
  const knex = openSqlite(file);
  return { knex, engine: 'sqlite', location: file, close: () => knex.destroy() };
}

/** Brings the tables up to date; nodes that start together take turns (knex holds the lock). */
export async function migrate(database: Database): Promise<string[]> {
  const [, names] = (await database.knex.migrate.latest()) as [number, string[]];
  return names;
}

/** Takes back the last batch of steps. */
export async function rollback(database: Database, all = false): Promise<string[]> {
  const [, names] = (await database.knex.migrate.rollback(undefined, all)) as [number, string[]];
  return names;
}
