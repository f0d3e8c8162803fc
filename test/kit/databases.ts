import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import knexModule from 'knex';
import { type Database, migrate, openDatabase } from '../../gateway/store/database.js';

export interface TestDatabase {
  readonly database: Database;
  readonly dataDir: string;
  /** Opens a second, independent connection to the same database, as another node would. */
  again(): Database;
  drop(): Promise<void>;
}

export interface TestEngine {
  readonly name: 'SQLite' | 'PostgreSQL';
  create(options?: { migrated?: boolean }): Promise<TestDatabase>;
}

// A variable that is empty is not set.
const postgresUrl = process.env['LGSP_TEST_POSTGRES_URL'] || undefined;

/** SQLite, for what does not depend on the engine. */
export const embedded: TestEngine = {
  name: 'SQLite',
  async create({ migrated = true } = {}) {
    const dataDir = mkdtempSync(join(tmpdir(), 'lgsp-test-'));
    const database = openDatabase({ dataDir });
    if (migrated) await migrate(database);
    const others: Database[] = [];
    return {
      database,
      dataDir,
      again() {
        const other = openDatabase({ dataDir });
        others.push(other);
        return other;
      },
      async drop() {
        for (const other of others) await other.close();
        await database.close();
        rmSync(dataDir, { recursive: true, force: true });
      },
    };
  },
};

/** Each test database is a PostgreSQL schema of its own, so that suites never meet. */
function postgres(url: string): TestEngine {
  return {
    name: 'PostgreSQL',
    async create({ migrated = true } = {}) {
      const schema = `lgsp_test_${randomBytes(6).toString('hex')}`;
      const admin = knexModule.knex({ client: 'pg', connection: url });
      await admin.raw('CREATE SCHEMA ??', [schema]);
      const dataDir = mkdtempSync(join(tmpdir(), 'lgsp-test-'));
      // `options` in the URL reaches every connection, those of worker threads and child processes too.
      const scoped = new URL(url);
      scoped.searchParams.set('options', `-c search_path=${schema}`);
      const open = () => openDatabase({ dataDir, databaseUrl: scoped.href });
      const database = open();
      if (migrated) await migrate(database);
      const others: Database[] = [];
      return {
        database,
        dataDir,
        again() {
          const other = open();
          others.push(other);
          return other;
        },
        async drop() {
          for (const other of others) await other.close();
          await database.close();
          await admin.raw('DROP SCHEMA ?? CASCADE', [schema]);
          await admin.destroy();
          rmSync(dataDir, { recursive: true, force: true });
        },
      };
    },
  };
}

/**
 * The engines of this run: SQLite, and PostgreSQL when `LGSP_TEST_POSTGRES_URL` is set. With `LGSP_TEST_SQLITE=off` too,
 * PostgreSQL alone: for a run that follows one on SQLite.
 */
export const engines: readonly TestEngine[] =
  postgresUrl === undefined
    ? [embedded]
    : process.env['LGSP_TEST_SQLITE'] === 'off'
      ? [postgres(postgresUrl)]
      : [embedded, postgres(postgresUrl)];
