import mysql, { type Connection as MysqlConnection, type FieldPacket } from 'mysql2';
import { type Driver, remainingMs, type ServerAddress } from './driver.js';
import { type BoundValue, jsonValue, type Query, type Rows } from './source.js';

interface Connection extends MysqlConnection {
  __knex__disposed?: unknown;
  lgspSet?: boolean;
  lgspMaria?: boolean;
}

function settings(address: ServerAddress): Record<string, unknown> {
  return {
    host: address.address,
    port: address.port,
    database: address.database,
    user: address.user,
    password: address.password,
    connectTimeout: 10_000,
    charset: 'utf8mb4',
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: false,
    rowsAsArray: true,
    multipleStatements: false,
    flags: ['-LOCAL_FILES'],
    ...(address.tls === null
      ? {}
      : { ssl: { ca: address.tls.ca, servername: address.host, verifyIdentity: true } }),
  };
}

interface Result {
  readonly rows: readonly (readonly unknown[])[];
  readonly fields: readonly FieldPacket[];
  readonly changed: number;
}

function asResult(rows: unknown, fields: readonly FieldPacket[] | undefined): Result {
  if (Array.isArray(rows)) return { rows: rows as unknown[][], fields: fields ?? [], changed: 0 };
  const changed = (rows as { affectedRows?: number } | undefined)?.affectedRows ?? 0;
  return { rows: [], fields: [], changed };
}

type Bindable = string | number | boolean | null;

function say(connection: Connection, sql: string): Promise<Result> {
  return new Promise((resolve, reject) => {
    connection.query(sql, (error, rows, fields) =>
      error === null ? resolve(asResult(rows, fields)) : reject(error),
    );
  });
}

/** Bound by the server itself (a prepared statement), never put into the text. */
function execute(connection: Connection, sql: string, values: readonly Bindable[]): Promise<Result> {
  return new Promise((resolve, reject) => {
    connection.execute(sql, [...values], (error, rows, fields) =>
      error === null ? resolve(asResult(rows, fields)) : reject(error),
    );
  });
}

/** The driver sends numbers as doubles, which LIMIT refuses: whole numbers go as text, which it takes. */
function plain(value: BoundValue): Bindable {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value)))
    return String(value);
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return value;
}

/** Quotations are read as our tokenizer reads them, and times are those of Vietnam. */
const SESSION = `SET SESSION sql_mode = 'STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', time_zone = '+07:00', transaction_read_only = 1`;
const MARIA_SESSION = SESSION.replace('transaction_read_only', 'tx_read_only');

async function prepare(connection: Connection): Promise<void> {
  if (connection.lgspSet === true) return;
  const { rows } = await say(connection, 'SELECT VERSION()');
  connection.lgspMaria = /mariadb/i.test(String(rows[0]?.[0]));
  await say(connection, connection.lgspMaria ? MARIA_SESSION : SESSION);
  connection.lgspSet = true;
}

const TIMESTAMP = 7;
const DATETIME = 12;

/** ISO 8601; a TIMESTAMP is a moment and gets the session's offset, a DATETIME has none. */
function iso(value: unknown, type: number | undefined): unknown {
  if (typeof value !== 'string' || (type !== TIMESTAMP && type !== DATETIME)) return jsonValue(value);
  return value.replace(' ', 'T') + (type === TIMESTAMP ? '+07:00' : '');
}

function asRows(result: Result): Rows {
  const kinds = result.fields.map((field) => field.columnType ?? field.type);
  return {
    columns: result.fields.map((field) => field.name),
    rows: result.rows.map((row) => row.map((value, index) => iso(value, kinds[index]))),
    changed: result.changed,
  };
}

async function run(connection: Connection, query: Query, progress: { committing: boolean }): Promise<Rows> {
  await prepare(connection);
  const ms = remainingMs(query);
  const limit = query.statement.writes ? 'DEFAULT' : String(query.limit + 1);
  const time =
    connection.lgspMaria === true ? `max_statement_time = ${ms / 1000}` : `max_execution_time = ${ms}`;
  await say(connection, `SET SESSION sql_select_limit = ${limit}, ${time}`);
  await say(connection, `START TRANSACTION READ ${query.statement.writes ? 'WRITE' : 'ONLY'}`);
  const result = await execute(connection, query.statement.text, query.values.map(plain));
  progress.committing = query.statement.writes;
  await say(connection, 'COMMIT');
  return asRows(result);
}

async function cancel(connection: Connection, address: ServerAddress): Promise<void> {
  const other = mysql.createConnection(settings(address)) as Connection;
  other.on('error', () => undefined);
  try {
    await say(other, `KILL QUERY ${connection.threadId}`);
  } finally {
    other.destroy();
  }
}

const TIMEOUTS: ReadonlySet<string> = new Set([
  'ER_QUERY_INTERRUPTED',
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
]);

export const mysqlDriver: Driver<Connection> = {
  client: 'mysql2',
  settings,
  run,
  cancel,
  async ping(connection) {
    await say(connection, 'SELECT 1');
  },
  async rollback(connection) {
    await say(connection, 'ROLLBACK');
  },
  destroy(connection) {
    connection.destroy();
  },
  isTimeout: (code) => TIMEOUTS.has(code),
};
