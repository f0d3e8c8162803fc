import type { ResourceLimits, Worker } from 'node:worker_threads';
import { startThread } from '../../base/thread.js';
import type { CheckedChunk } from './chunk.js';
import type { ChunkRange } from './check-range.js';
import type { CheckWorkerData } from './check-worker.js';

/** Checks chunks, and gives them back in order. */
export interface Checker {
  checked(ranges: Iterable<ChunkRange>): AsyncIterable<CheckedChunk>;
  close(): Promise<void>;
}

/** Chunks that a thread has before it: enough not to wait, few enough to bound memory. */
const AHEAD = 2;
/** Nothing of a chunk is kept: a larger young generation would only be touched, and so count as memory. */
const LIMITS: ResourceLimits = { maxYoungGenerationSizeMb: 8 };

class CheckThread {
  readonly #worker: Worker;
  #waiting: { resolve(checked: CheckedChunk): void; reject(fault: unknown): void }[] = [];
  #gone: Error | undefined;

  constructor(data: CheckWorkerData) {
    this.#worker = startThread(import.meta.url, './check-worker', {
      workerData: data,
      resourceLimits: LIMITS,
    });
    this.#worker.on('message', (checked: CheckedChunk) => this.#waiting.shift()?.resolve(checked));
    this.#worker.on('error', (fault) => this.#end(fault instanceof Error ? fault : new Error(String(fault))));
    this.#worker.on('exit', () => this.#end(new Error('a thread that verifies ended')));
  }

  check(range: ChunkRange): Promise<CheckedChunk> {
    const checked = new Promise<CheckedChunk>((resolve, reject) => {
      if (this.#gone !== undefined) reject(this.#gone);
      else this.#waiting.push({ resolve, reject });
    });
    // A chunk behind the first fault is never asked for.
    checked.catch(() => undefined);
    this.#worker.postMessage(range);
    return checked;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #end(fault: Error): void {
    this.#gone ??= fault;
    for (const one of this.#waiting.splice(0)) one.reject(this.#gone);
  }
}

/** Reads and checks on several threads; what comes of it is in the order of the log. */
export class CheckThreads implements Checker {
  readonly #threads: readonly CheckThread[];

  constructor(data: CheckWorkerData, count: number) {
    this.#threads = Array.from({ length: count }, () => new CheckThread(data));
  }

  async *checked(ranges: Iterable<ChunkRange>): AsyncIterable<CheckedChunk> {
    const ahead: Promise<CheckedChunk>[] = [];
    let turn = 0;
    for (const range of ranges) {
      const thread = this.#threads[turn++ % this.#threads.length] as CheckThread;
      ahead.push(thread.check(range));
      if (ahead.length >= AHEAD * this.#threads.length) yield (await ahead.shift()) as CheckedChunk;
    }
    for (const checked of ahead) yield await checked;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
