import pg from 'pg';
import { type Driver, remainingMs, type ServerAddress } from './driver.js';
import { bigText, jsonValue, type Query, type Rows } from './source.js';

interface Connection extends pg.Client {
  __knex__disposed?: unknown;
  processID?: number | null;
}

const { builtins } = pg.types;

/** 1 = `timestamp`: the space becomes the T of ISO 8601; what has no offset gets none. */
const isoTimestamp = (text: string): string => text.replace(' ', 'T');

/** `2025-08-01 01:30:00+00` → `2025-08-01T01:30:00+00:00`. */
const isoTimestampTz = (text: string): string => isoTimestamp(text).replace(/([+-]\d{2})$/, '$1:00');

const PARSERS: Readonly<Record<number, (text: string) => unknown>> = {
  [builtins.INT8]: bigText,
  [builtins.DATE]: String,
  [builtins.TIMESTAMP]: isoTimestamp,
  [builtins.TIMESTAMPTZ]: isoTimestampTz,
};

type Parser = (text: string) => unknown;

const registered = pg.types.getTypeParser as (oid: number, format: string) => Parser;

/** Parsers of this connection only: those of the whole process belong to the gateway's own store. */
const types = {
  getTypeParser(oid: number, format: 'text' | 'binary' = 'text'): Parser {
    const own = format === 'binary' ? undefined : PARSERS[oid];
    return own ?? registered(oid, format);
  },
};

/** Quotations are read as our tokenizer reads them; a transaction that says nothing reads only. */
const OPTIONS = '-c default_transaction_read_only=on -c standard_conforming_strings=on';

function settings(address: ServerAddress): Record<string, unknown> {
  return {
    host: address.address,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password,
    application_name: 'lgsp-gateway',
    connectionTimeoutMillis: 10_000,
    options: OPTIONS,
    types,
    ...(address.tls === null ? {} : { ssl: { servername: address.host, ca: address.tls.ca } }),
  };
}

interface ArrayResult {
  readonly fields: readonly { readonly name: string }[];
  readonly rows: readonly (readonly unknown[])[];
  readonly rowCount: number | null;
}

function asRows(result: ArrayResult): Rows {
  return {
    columns: result.fields.map((field) => field.name),
    rows: result.rows.map((row) => row.map(jsonValue)),
    changed: result.rowCount ?? 0,
  };
}

async function ask(
  connection: Connection,
  text: string,
  values: readonly unknown[] = [],
): Promise<ArrayResult> {
  return connection.query<unknown[]>({ text, values: [...values], rowMode: 'array' });
}

/** A cursor stops the server after the rows that are wanted, whatever the statement would give. */
async function read(connection: Connection, query: Query): Promise<Rows> {
  await ask(connection, `DECLARE lgsp_rows NO SCROLL CURSOR FOR ${query.statement.text}`, query.values);
  const rows = asRows(await ask(connection, `FETCH ${query.limit + 1} FROM lgsp_rows`));
  await connection.query('COMMIT');
  return rows;
}

async function write(connection: Connection, query: Query, progress: { committing: boolean }): Promise<Rows> {
  const rows = asRows(await ask(connection, query.statement.text, query.values));
  progress.committing = true;
  await connection.query('COMMIT');
  return rows;
}

async function run(connection: Connection, query: Query, progress: { committing: boolean }): Promise<Rows> {
  const mode = query.statement.writes ? 'READ WRITE' : 'READ ONLY';
  await connection.query(
    `BEGIN TRANSACTION ${mode}; SET LOCAL statement_timeout = ${remainingMs(query)}; SET LOCAL cursor_tuple_fraction = 1`,
  );
  return query.statement.writes ? write(connection, query, progress) : read(connection, query);
}

async function cancel(connection: Connection, address: ServerAddress): Promise<void> {
  const other = new pg.Client({ ...settings(address), statement_timeout: 2000 });
  try {
    await other.connect();
    await other.query('SELECT pg_cancel_backend($1)', [connection.processID]);
  } finally {
    await other.end();
  }
}

export const postgresDriver: Driver<Connection> = {
  client: 'pg',
  settings,
  run,
  cancel,
  async ping(connection) {
    await connection.query('SELECT 1');
  },
  async rollback(connection) {
    await connection.query('ROLLBACK');
  },
  destroy(connection) {
    void connection.end().catch(() => undefined);
  },
  isTimeout: (code) => code === '57014',
};
