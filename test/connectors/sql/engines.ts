import { randomBytes } from 'node:crypto';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import mysql from 'mysql2/promise';
import pg from 'pg';
import type { Egress } from '../../../connectors/egress.js';
import type { SqlEngine } from '../../../connectors/sql/statement.js';
import { openEgress } from '../context.js';

export interface SqlTestDatabase {
  readonly settings: Record<string, unknown>;
  readonly credentials: Record<string, string>;
  readonly egress: Egress;
  /** Runs a statement as the owner of the data. */
  run(sql: string): Promise<void>;
  /** The one value of a query as the owner of the data. */
  value(sql: string): Promise<unknown>;
  drop(): Promise<void>;
}

export interface SqlTestEngine {
  readonly engine: SqlEngine;
  create(): Promise<SqlTestDatabase>;
}

const sqlite: SqlTestEngine = {
  engine: 'sqlite',
  create() {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lgsp-sql-')));
    const file = join(folder, 'data.db');
    const database = new Database(file);
    return Promise.resolve({
      settings: { engine: 'sqlite', connection: { file } },
      credentials: {},
      egress: openEgress({ folders: [folder] }),
      run: (sql) => Promise.resolve(void database.exec(sql)),
      value: (sql) => Promise.resolve(database.prepare(sql).pluck().get()),
      drop() {
        database.close();
        rmSync(folder, { recursive: true, force: true });
        return Promise.resolve();
      },
    });
  },
};

interface ServerParts {
  readonly url: URL;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

function server(engine: 'postgres' | 'mysql', { url, database, user, password }: ServerParts) {
  return {
    settings: {
      engine,
      connection: {
        host: url.hostname,
        ...(url.port === '' ? {} : { port: Number(url.port) }),
        database,
        user,
        password: '{credential.matKhau}',
      },
    },
    credentials: { matKhau: password },
    egress: openEgress({ addresses: [url.hostname] }),
  };
}

function postgres(text: string): SqlTestEngine {
  return {
    engine: 'postgres',
    async create() {
      const name = `lgsp_sql_${randomBytes(6).toString('hex')}`;
      const url = new URL(text);
      const admin = new pg.Client({ connectionString: text });
      await admin.connect();
      await admin.query(`CREATE DATABASE ${name}`);
      const own = new URL(text);
      own.pathname = `/${name}`;
      const inside = new pg.Client({ connectionString: own.href });
      await inside.connect();
      return {
        ...server('postgres', { url, database: name, user: url.username, password: url.password || 'x' }),
        run: async (sql) => {
          await inside.query(sql);
        },
        value: async (sql) => (await inside.query<unknown[]>({ text: sql, rowMode: 'array' })).rows[0]?.[0],
        async drop() {
          await inside.end();
          await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
          await admin.end();
        },
      };
    },
  };
}

function mariadb(text: string): SqlTestEngine {
  return {
    engine: 'mysql',
    async create() {
      const name = `lgsp_sql_${randomBytes(6).toString('hex')}`;
      const url = new URL(text);
      const admin = await mysql.createConnection({ uri: text, multipleStatements: true });
      // The password-less root of a test server would not prove that the credential is used.
      await admin.query(
        `CREATE DATABASE ${name} CHARACTER SET utf8mb4; CREATE USER '${name}'@'%' IDENTIFIED BY 'mk-${name}'; GRANT ALL ON ${name}.* TO '${name}'@'%'; USE ${name}`,
      );
      return {
        ...server('mysql', { url, database: name, user: name, password: `mk-${name}` }),
        run: async (sql) => {
          await admin.query(sql);
        },
        value: async (sql) => {
          const [rows] = await admin.query({ sql, rowsAsArray: true });
          return (rows as unknown[][])[0]?.[0];
        },
        async drop() {
          await admin.query(`DROP USER '${name}'@'%'; DROP DATABASE ${name}`);
          await admin.end();
        },
      };
    },
  };
}

const postgresUrl = process.env['LGSP_TEST_POSTGRES_URL'];
const mysqlUrl = process.env['LGSP_TEST_MYSQL_URL'];

/** The engines this run can reach: SQLite always, the others when their URL is set. */
export const sqlEngines: readonly SqlTestEngine[] = [
  sqlite,
  ...(postgresUrl === undefined ? [] : [postgres(postgresUrl)]),
  ...(mysqlUrl === undefined ? [] : [mariadb(mysqlUrl)]),
];
