import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../base/thread.js';
import type { Database } from '../../store/database.js';
import type { EndAsk } from './seal.js';
import type { SealDone, SealWork, SealWorkerData } from './seal-worker.js';
import type { SealedSegment } from './segment.js';
import type { Seal } from './write-segment.js';

/** Compressing a hundred megabytes is no work for the thread that answers calls. One thing is done at a time. */
export class SealThread {
  readonly #worker: Worker;
  readonly #signal: AbortSignal;
  readonly #stop = (): void => void this.#worker.terminate();

  /** @param signal ends it at once, in the middle of what it does */
  constructor({ engine, location }: Pick<Database, 'engine' | 'location'>, signal: AbortSignal) {
    signal.throwIfAborted();
    const workerData: SealWorkerData = { engine, location };
    this.#worker = startThread(import.meta.url, './seal-worker', { workerData });
    // Its end is told to whoever waits for an answer.
    this.#worker.on('error', () => undefined);
    this.#signal = signal;
    signal.addEventListener('abort', this.#stop);
  }

  /** Up to where a segment can go; `ask.from` when there is nothing to seal. */
  async findEnd(ask: EndAsk): Promise<number> {
    const done = await this.#ask({ what: 'end', ask });
    return 'end' in done ? done.end : ask.from;
  }

  /** @throws Error when nothing was sealed, with the reason */
  async seal(seal: Seal): Promise<SealedSegment> {
    const done = await this.#ask({ what: 'seal', seal });
    if ('sealed' in done) return done.sealed;
    throw new Error('the thread that seals answered something else');
  }

  async #ask(work: SealWork): Promise<SealDone> {
    this.#signal.throwIfAborted();
    const asked = new AbortController();
    const told = { signal: asked.signal };
    this.#worker.postMessage(work);
    try {
      const [done] = (await Promise.race([
        once(this.#worker, 'message', told),
        once(this.#worker, 'exit', told).then(() => {
          throw new Error('the thread that seals ended');
        }),
      ])) as [SealDone];
      if ('failed' in done) throw new Error(done.failed);
      return done;
    } finally {
      asked.abort();
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#stop);
    await this.#worker.terminate();
  }
}
