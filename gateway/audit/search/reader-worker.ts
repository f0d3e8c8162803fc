import { parentPort, workerData } from 'node:worker_threads';
import BetterSqlite3 from 'better-sqlite3';
import type { Answered, Asked, Question } from './reader-threads.js';

const KEPT_STATEMENTS = 200;

/** The other end of `reader-threads.ts`: a connection that can only read. */
function open(location: string): (questions: readonly Question[]) => unknown[][] {
  const db = new BetterSqlite3(location, { readonly: true, fileMustExist: true });
  db.pragma('query_only = ON');
  db.pragma('busy_timeout = 2000');
  // 32 MB of pages: the 2 MB that SQLite takes by itself do not hold the index pages of one question.
  db.pragma('cache_size = -32768');
  const known = new Map<string, BetterSqlite3.Statement>();
  const prepare = (sql: string): BetterSqlite3.Statement => {
    const found = known.get(sql) ?? db.prepare(sql);
    if (known.size >= KEPT_STATEMENTS) known.clear();
    known.set(sql, found);
    return found;
  };
  const all = (questions: readonly Question[]): unknown[][] =>
    questions.map(({ sql, bindings }) => prepare(sql).all(...bindings));
  // One transaction sees one moment.
  return db.transaction(all);
}

if (parentPort !== null) {
  const port = parentPort;
  const { location } = workerData as { readonly location: string };
  let answer: ReturnType<typeof open> | undefined;
  port.on('message', ({ id, questions }: Asked) => {
    try {
      answer ??= open(location);
      port.postMessage({ id, answers: answer(questions) } satisfies Answered);
    } catch (error) {
      const message = error instanceof Error ? error.message : 'unknown fault';
      port.postMessage({ id, message } satisfies Answered);
    }
  });
}
