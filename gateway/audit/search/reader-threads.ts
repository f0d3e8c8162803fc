import type { Worker } from 'node:worker_threads';
import { startThread } from '../../base/thread.js';

export interface Question {
  readonly sql: string;
  readonly bindings: readonly unknown[];
}

export interface Asked {
  readonly id: number;
  readonly questions: readonly Question[];
}

export type Answered =
  | { readonly id: number; readonly answers: unknown[][] }
  | { readonly id: number; readonly message: string };

/** Starts a thread that answers `Asked` by `Answered`. */
export type StartReader = (location: string) => Worker;

export const startReader: StartReader = (location) =>
  startThread(import.meta.url, './reader-worker', { workerData: { location }, env: {} });

/** Nobody hears an answer any more: the thread was lost, not the question refused. */
class ThreadLost extends Error {}

/** A thread, and the one question it has; starting it anew costs some tens of milliseconds, so it is kept. */
class ReaderThread {
  readonly worker: Worker;
  #next = 0;
  #fault: unknown;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.unref();
    // Whoever asks hears of it at the exit that follows; between two questions nobody does.
    worker.on('error', (fault) => (this.#fault = fault));
  }

  async ask(questions: readonly Question[], timeoutMs: number, late: () => Error): Promise<unknown[][]> {
    const { worker } = this;
    const id = this.#next++;
    let [timer, hear, gone]: [NodeJS.Timeout?, ((answered: Answered) => void)?, ((code: number) => void)?] =
      [];
    try {
      return await new Promise<unknown[][]>((resolve, reject) => {
        timer = setTimeout(() => reject(late()), timeoutMs);
        hear = (answered) => {
          if ('answers' in answered) resolve(answered.answers);
          else reject(new Error(`the record could not be read: ${answered.message}`));
        };
        gone = (code) =>
          reject(new ThreadLost(`a thread that reads the record ended (${code})`, { cause: this.#fault }));
        worker.on('message', hear);
        worker.once('exit', gone);
        worker.postMessage({ id, questions } satisfies Asked);
      });
    } finally {
      clearTimeout(timer);
      if (hear !== undefined) worker.off('message', hear);
      if (gone !== undefined) worker.off('exit', gone);
    }
  }
}

/** Threads that read a SQLite file. How many there are is decided by how many ask at once. */
export class ReaderThreads {
  readonly #location: string;
  readonly #timeoutMs: number;
  readonly #startReader: StartReader;
  #closed = false;
  readonly #idle: ReaderThread[] = [];
  readonly #all = new Set<ReaderThread>();

  constructor(location: string, timeoutMs: number, start = startReader) {
    this.#location = location;
    this.#timeoutMs = timeoutMs;
    this.#startReader = start;
  }

  /** A question only reads: where its thread is lost, another is asked, once. */
  async read(questions: readonly Question[], late: () => Error): Promise<unknown[][]> {
    try {
      return await this.#readOnce(questions, late);
    } catch (error) {
      if (!(error instanceof ThreadLost) || this.#closed) throw error;
      return await this.#readOnce(questions, late);
    }
  }

  async #readOnce(questions: readonly Question[], late: () => Error): Promise<unknown[][]> {
    if (this.#closed) throw new Error('the record is not read any more: the gateway stops');
    const thread = this.#idle.pop() ?? this.#start();
    let tooLate = false;
    try {
      const answers = await thread.ask(questions, this.#timeoutMs, () => {
        tooLate = true;
        return late();
      });
      this.#idle.push(thread);
      return answers;
    } catch (error) {
      this.#drop(thread, tooLate);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#all].map(({ worker }) => worker.terminate()));
  }

  #start(): ReaderThread {
    const thread = new ReaderThread(this.#startReader(this.#location));
    this.#all.add(thread);
    thread.worker.once('exit', () => {
      this.#all.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return thread;
  }

  /** A question inside of the engine cannot be interrupted: its thread ends at the next row, and nobody waits for it. */
  #drop(thread: ReaderThread, late: boolean): void {
    if (late) void thread.worker.terminate();
    else if (this.#all.has(thread)) this.#idle.push(thread);
  }
}
