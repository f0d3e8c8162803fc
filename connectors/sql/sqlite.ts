import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SourceError, type EndSignal } from '../connector.js';
import type { BoundValue, Query, Rows, SqlSource } from './source.js';
import { sourceLoader } from '../../gateway/base/source-loader.js';

export interface ChildQuery {
  readonly id: number;
  /** null only opens the file. */
  readonly sql: string | null;
  readonly values: readonly unknown[];
  readonly limit: number;
  readonly maxBytes: number;
}

export type ChildAnswer = { readonly id: number; readonly fault: string } | ({ readonly id: number } & Rows);

interface Job {
  readonly query: Omit<ChildQuery, 'id'>;
  readonly writes: boolean;
  readonly signal: EndSignal;
  readonly resolve: (rows: Rows) => void;
  readonly reject: (error: SourceError) => void;
  readonly onAbort: () => void;
}

interface Worker {
  readonly child: ChildProcess;
  readonly id: number;
  job: Job | null;
}

const QUEUE_PER_WORKER = 256;
const IDLE_MS = 60_000;

const FAULTS: Readonly<Record<string, ['failed' | 'unreachable' | 'busy', string]>> = {
  'too-large': ['failed', 'the rows are too many bytes'],
  write: ['failed', 'the statement would write'],
  SQLITE_CANTOPEN: ['unreachable', 'the file cannot be opened'],
  SQLITE_NOTADB: ['unreachable', 'the file is no database'],
  ENOENT: ['unreachable', 'the file is not there'],
  SQLITE_BUSY: ['busy', 'the file is locked'],
};

/** SQLite has no booleans and no lists; a list is JSON text, which `json_each` reads. */
function plain(value: BoundValue): unknown {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

/** Runs from `.ts` by tsx as well as from built `.js`. The child sees nothing of our environment: keys are there. */
function start(file: string, write: boolean): ChildProcess {
  const source = import.meta.url.endsWith('.ts');
  const path = fileURLToPath(new URL(`./sqlite-child.${source ? 'ts' : 'js'}`, import.meta.url));
  const child = fork(path, [file, write ? 'write' : 'read'], {
    execArgv: source ? ['--import', sourceLoader('tsx')] : [],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  child.unref();
  child.channel?.unref();
  return child;
}

/** SQLite statements in processes of their own: a heavy one costs its caller the deadline, and nobody else anything. */
export class SqliteSource implements SqlSource {
  readonly #path: () => string;
  readonly #write: boolean;
  readonly #size: number;
  readonly #workers = new Set<Worker>();
  readonly #queue: Job[] = [];
  #next = 0;
  #idle: NodeJS.Timeout | null = null;
  #closed = false;

  /** `path` is asked at every start: where the file leads may have changed. */
  constructor(path: () => string, options: { readonly write: boolean; readonly workers: number }) {
    this.#path = path;
    this.#write = options.write;
    this.#size = options.workers;
  }

  query(query: Query, signal: EndSignal): Promise<Rows> {
    const { statement, values, limit, maxBytes } = query;
    return this.#enqueue(
      { sql: statement.text, values: values.map(plain), limit, maxBytes },
      statement.writes,
      signal,
    );
  }

  async ping(signal: EndSignal): Promise<void> {
    await this.#enqueue({ sql: null, values: [], limit: 0, maxBytes: 0 }, false, signal);
  }

  close(): Promise<void> {
    this.#closed = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    for (const job of this.#queue.splice(0)) this.#fail(job, 'unreachable', 'the connector is closed');
    for (const worker of [...this.#workers]) this.#stop(worker, 'unreachable', 'the connector is closed');
    return Promise.resolve();
  }

  #enqueue(query: Job['query'], writes: boolean, signal: EndSignal): Promise<Rows> {
    return new Promise((resolve, reject) => {
      const job: Job = { query, writes, signal, resolve, reject, onAbort: () => this.#abort(job) };
      if (this.#closed) this.#fail(job, 'unreachable', 'the connector is closed');
      else if (signal.aborted) this.#abort(job);
      else if (this.#queue.length >= QUEUE_PER_WORKER * this.#size)
        reject(new SourceError('busy', 'too many statements wait', { retryAfter: 1 }));
      else this.#wait(job);
    });
  }

  #wait(job: Job): void {
    job.signal.addEventListener('abort', job.onAbort, { once: true });
    this.#queue.push(job);
    this.#dispatch();
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#free();
      if (worker === null) return;
      const job = this.#queue.shift();
      if (job === undefined) return;
      worker.job = job;
      worker.child.ref();
      worker.child.send({ id: worker.id, ...job.query }, (error) => {
        if (error !== null) this.#stop(worker, 'failed', 'the SQLite process does not listen');
      });
    }
    this.#rest();
  }

  #free(): Worker | null {
    for (const worker of this.#workers) if (worker.job === null) return worker;
    return this.#workers.size < this.#size ? this.#hire() : null;
  }

  #hire(): Worker | null {
    try {
      const worker: Worker = { child: start(this.#path(), this.#write), id: (this.#next += 1), job: null };
      worker.child.on('message', (message: ChildAnswer) => this.#answered(worker, message));
      worker.child.on('exit', () => this.#stop(worker, 'failed', 'the SQLite process ended'));
      worker.child.on('error', () => this.#stop(worker, 'unreachable', 'the SQLite process did not start'));
      this.#workers.add(worker);
      return worker;
    } catch {
      for (const job of this.#queue.splice(0))
        this.#fail(job, 'unreachable', 'the file is not allowed or not there');
      return null;
    }
  }

  #answered(worker: Worker, message: ChildAnswer): void {
    const { job } = worker;
    if (job === null) return;
    worker.job = null;
    worker.child.unref();
    job.signal.removeEventListener('abort', job.onAbort);
    if ('fault' in message) {
      const [fault, text] = FAULTS[message.fault] ?? ['failed', `the statement failed: ${message.fault}`];
      job.reject(new SourceError(fault, text));
    } else job.resolve(message);
    this.#dispatch();
  }

  /** A statement under way cannot be called back, so its process goes; the next statement starts another. */
  #abort(job: Job): void {
    const fault = job.signal.reason === 'caller' ? 'aborted' : 'timeout';
    const waiting = this.#queue.indexOf(job);
    if (waiting !== -1) this.#queue.splice(waiting, 1);
    for (const worker of this.#workers)
      if (worker.job === job) this.#stop(worker, fault, 'the call has ended');
    this.#fail(job, fault, 'the call has ended');
  }

  #stop(worker: Worker, fault: 'failed' | 'unreachable' | 'timeout' | 'aborted', text: string): void {
    if (!this.#workers.delete(worker)) return;
    const { job } = worker;
    worker.job = null;
    worker.child.removeAllListeners('message');
    worker.child.kill('SIGKILL');
    if (job !== null) this.#fail(job, fault, text, job.writes);
    if (!this.#closed) this.#dispatch();
  }

  #fail(
    job: Job,
    fault: 'failed' | 'unreachable' | 'timeout' | 'aborted',
    text: string,
    acted = false,
  ): void {
    job.signal.removeEventListener('abort', job.onAbort);
    job.reject(new SourceError(fault, text, { mayHaveActed: acted }));
  }

  /** Sources that nobody asks give their processes back. */
  #rest(): void {
    if (this.#idle !== null) this.#idle.refresh();
    else this.#idle = setTimeout(() => this.#stopIdle(), IDLE_MS).unref();
  }

  #stopIdle(): void {
    for (const worker of [...this.#workers]) if (worker.job === null) this.#stop(worker, 'failed', 'idle');
    this.#idle = null;
  }
}
