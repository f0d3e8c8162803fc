import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { isSqliteBusy } from '../base/sqlite-busy.js';
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
  'busy_timeout = 5000',
  'journal_mode = WAL',
  'synchronous = FULL',
  'foreign_keys = ON',
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

const MIGRATING = 1279742289;
const MIGRATION_WAIT_MS = 600_000;
const MIGRATION_RETRY_MS = 50;

/** PostgreSQL, one lock a schema: gone with the transaction, also when its process dies. */
async function lockPostgres(trx: Knex.Transaction): Promise<void> {
  // Another node may be at a step over a large log: that is waited for longer than any statement of our own.
  await trx.raw(`SET LOCAL statement_timeout = '${MIGRATION_WAIT_MS}ms'`);
  await trx.raw(
    `SELECT pg_advisory_xact_lock((?::bigint << 32) | oid::bigint) FROM pg_namespace WHERE nspname = current_schema()`,
    [MIGRATING],
  );
  await trx.raw('SET LOCAL statement_timeout TO DEFAULT');
}

/** SQLite takes its one write lock at the first statement that could write; there is no table yet to write to. */
async function lockSqlite(trx: Knex.Transaction): Promise<void> {
  await trx.raw('PRAGMA user_version = 0');
}

/**
 * Changes the tables alone among all nodes and programs: knex makes its own tables, that of its lock among them, before it
 * locks anything. All of it is one transaction: whoever dies on the way leaves nothing, and no lock.
 */
async function alone<T>(
  { knex, engine }: Database,
  work: (migrator: Knex.Migrator) => Promise<T>,
): Promise<T> {
  const lock = engine === 'postgres' ? lockPostgres : lockSqlite;
  const until = Date.now() + MIGRATION_WAIT_MS;
  for (;;) {
    try {
      return await knex.transaction(async (trx) => {
        await lock(trx);
        return await work(trx.migrate);
      });
    } catch (error) {
      if (!isSqliteBusy(error) || Date.now() > until) throw error;
      await sleep(MIGRATION_RETRY_MS);
    }
  }
}

/** Brings the tables up to date; of nodes that start together one does it, and the others wait for it. */
export async function migrate(database: Database): Promise<string[]> {
  return await alone(database, async (migrator) => {
    const [, names] = (await migrator.latest()) as [number, string[]];
    return names;
  });
}

/** Takes back the last batch of steps. */
export async function rollback(database: Database, all = false): Promise<string[]> {
  return await alone(database, async (migrator) => {
    const [, names] = (await migrator.rollback(undefined, all)) as [number, string[]];
    return names;
  });
}
