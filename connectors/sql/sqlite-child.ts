import { type Stats, statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { fold } from '../../gateway/base/fold.js';
import { jsonValue } from './source.js';
import type { ChildAnswer, ChildQuery } from './sqlite.js';

/*
 * A process of its own, not a thread: SQLite works through a heavy statement in one native call that no thread can
 * be stopped in, while a process can be killed at the deadline.
 */

const [file = '', mode = 'read'] = process.argv.slice(2);
const readonly = mode !== 'write';

let database: Database.Database | null = null;
let opened: Stats | null = null;
let checkedAt = 0;
/** As many as the service has operations. */
const prepared = new Map<string, Database.Statement>();

/** `khong_dau(text)` of the statements: NULL stays NULL, numbers are text, bytes have no letters. */
function folded(value: string | number | bigint | Uint8Array | null): string | null {
  if (value === null || value instanceof Uint8Array) return null;
  return fold(String(value));
}

function open(): Database.Database {
  const made = new Database(file, { readonly, fileMustExist: true, timeout: 2000 });
  if (readonly) made.pragma('query_only = ON');
  made.function('khong_dau', { deterministic: true }, folded);
  return made;
}

/** A data set is often replaced by renaming a new file over the old one; the old one stays open behind it. */
function current(): Database.Database {
  const now = Date.now();
  if (database !== null && now - checkedAt < 1000) return database;
  checkedAt = now;
  const stats = statSync(file);
  if (database !== null && opened?.ino === stats.ino && opened.dev === stats.dev) return database;
  const fresh = open();
  database?.close();
  prepared.clear();
  database = fresh;
  opened = stats;
  return fresh;
}

function statementOf(sql: string): Database.Statement {
  const database = current();
  const known = prepared.get(sql);
  if (known !== undefined) return known;
  const made = database.prepare(sql);
  if (readonly && !made.readonly)
    throw Object.assign(new Error('the statement would write'), { code: 'write' });
  if (made.reader) made.raw(true).safeIntegers(true);
  prepared.set(sql, made);
  return made;
}

function size(row: readonly unknown[]): number {
  let bytes = 2;
  for (const value of row) bytes += typeof value === 'string' ? value.length + 3 : 8;
  return bytes;
}

function read(statement: Database.Statement, query: ChildQuery): ChildAnswer {
  const rows: unknown[][] = [];
  let bytes = 0;
  for (const row of statement.iterate(query.values) as Iterable<unknown[]>) {
    const values = row.map(jsonValue);
    bytes += size(values);
    if (bytes > query.maxBytes) return { id: query.id, fault: 'too-large' };
    rows.push(values);
    if (rows.length > query.limit) break;
  }
  return { id: query.id, columns: statement.columns().map((column) => column.name), rows, changed: 0 };
}

function run(query: ChildQuery): ChildAnswer {
  if (query.sql === null) {
    current();
    return { id: query.id, columns: [], rows: [], changed: 0 };
  }
  const statement = statementOf(query.sql);
  if (statement.reader) return read(statement, query);
  return { id: query.id, columns: [], rows: [], changed: statement.run(query.values).changes };
}

function answer(query: ChildQuery): ChildAnswer {
  try {
    return run(query);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return { id: query.id, fault: typeof code === 'string' ? code : 'failed' };
  }
}

/**
 * A gateway that was killed can stop nobody, and we hear nothing while a statement runs: this thread sees that the
 * parent has gone.
 */
const ORPHAN_WATCH = `
const { workerData: parent } = require('node:worker_threads');
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 1000);
`;
new Worker(ORPHAN_WATCH, { eval: true, execArgv: [], workerData: process.ppid }).unref();

process.on('message', (query: ChildQuery) => process.send?.(answer(query)));
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
