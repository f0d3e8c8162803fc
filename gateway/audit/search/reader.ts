import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import type { Database } from '../../store/database.js';
import { ReaderThreads } from './reader-threads.js';
import type { Builder } from './terms.js';

/** Reads the log for those who ask it questions, apart from those who write to it. */
export interface RecordReader extends Builder {
  /**
   * The answers to questions that see one and the same moment.
   *
   * @param queries built with `knex` of this reader, never run by it
   * @throws Problem `overloaded` when they take too long, or too many wait
   */
  read(queries: readonly Knex.QueryBuilder[]): Promise<unknown[][]>;
  close(): Promise<void>;
}

export interface ReaderLimits {
  /** How long one question may take, milliseconds. */
  readonly timeoutMs: number;
  /** Questions answered at a time. */
  readonly threads: number;
  /** Questions that wait for their turn. */
  readonly queue: number;
}

export const READER_LIMITS: ReaderLimits = { timeoutMs: 5000, threads: 2, queue: 32 };

/** A question that was cut short: the way out is to ask for less. */
export function tookTooLong(timeoutMs: number): Problem {
  const seconds = timeoutMs / 1000;
  return new Problem('overloaded', {
    detail: {
      vi: `Tra cứu quá ${seconds} giây nên bị dừng; hãy thu hẹp khoảng thời gian hoặc thêm điều kiện lọc.`,
      en: `The search took longer than ${seconds} seconds and was stopped; narrow its time or add a filter.`,
    },
    rule: { kind: 'limit', id: 'record.searchMs', state: 'exceeded' },
  });
}

function tooMany(): Problem {
  return new Problem('overloaded', {
    detail: {
      vi: 'Đang có quá nhiều lượt tra cứu nhật ký; hãy thử lại sau ít giây.',
      en: 'Too many searches of the record are waiting; try again in a few seconds.',
    },
    rule: { kind: 'limit', id: 'record.searches', state: 'exceeded' },
    headers: { 'Retry-After': '2' },
  });
}

/** Lets so many through at a time, and so many wait. */
class Turns {
  readonly #limits: ReaderLimits;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(limits: ReaderLimits) {
    this.#limits = limits;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#limits.threads) this.#running += 1;
    else if (this.#waiting.length >= this.#limits.queue) throw tooMany();
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}

const native = (query: Knex.QueryBuilder): { sql: string; bindings: readonly unknown[] } => {
  const { sql, bindings } = query.toSQL().toNative();
  return { sql, bindings };
};

/**
 * What a search reads is little, and found by an index; that PostgreSQL expects more of it must not make it start processes
 * (50 ms) or compile the statement (300 ms) first.
 */
const QUICK = 'SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off';

/** PostgreSQL bounds a statement itself: 57014 is `query_canceled`. */
async function readPostgres(
  { knex }: Database,
  queries: readonly Knex.QueryBuilder[],
  timeoutMs: number,
): Promise<unknown[][]> {
  try {
    return await knex.transaction(
      async (trx) => {
        await trx.raw(`SET LOCAL statement_timeout = ${Math.trunc(timeoutMs)}; ${QUICK}`);
        const answers: unknown[][] = [];
        for (const query of queries) answers.push((await query.transacting(trx)) as unknown[]);
        return answers;
      },
      { isolationLevel: 'repeatable read', readOnly: true },
    );
  } catch (error) {
    if ((error as { code?: unknown }).code === '57014') throw tookTooLong(timeoutMs);
    throw error;
  }
}

/**
 * Opens the reading half of the log: on SQLite in threads with connections of their own that can only read, so that what
 * a search costs is not paid by calls under way; on PostgreSQL with a bound on every statement.
 */
export function openRecordReader(database: Database, limits: ReaderLimits = READER_LIMITS): RecordReader {
  const { knex, engine, location } = database;
  const turns = new Turns(limits);
  const threads = engine === 'sqlite' ? new ReaderThreads(location, limits.timeoutMs) : null;
  const read = (queries: readonly Knex.QueryBuilder[]): Promise<unknown[][]> =>
    threads === null
      ? readPostgres(database, queries, limits.timeoutMs)
      : threads.read(queries.map(native), () => tookTooLong(limits.timeoutMs));
  return {
    knex,
    engine,
    read: (queries) => turns.take(() => read(queries)),
    close: async () => await threads?.close(),
  };
}

/** Reads on the connection that everything else uses: for the command line, and where nobody waits. */
export function readInPlace({ knex, engine }: Database): RecordReader {
  const each = async (trx: Knex, queries: readonly Knex.QueryBuilder[]): Promise<unknown[][]> => {
    const answers: unknown[][] = [];
    for (const query of queries)
      answers.push((await query.transacting(trx as Knex.Transaction)) as unknown[]);
    return answers;
  };
  return {
    knex,
    engine,
    read: async (queries) => {
      const only = queries[0];
      if (queries.length === 1 && only !== undefined) return [(await only) as unknown[]];
      const options = engine === 'postgres' ? { isolationLevel: 'repeatable read' as const } : {};
      return await knex.transaction((trx) => each(trx, queries), options);
    },
    close: () => Promise.resolve(),
  };
}

/** A reader, whichever of the two was given. */
export function readerOf(source: Database | RecordReader): RecordReader {
  return 'read' in source ? source : readInPlace(source);
}
