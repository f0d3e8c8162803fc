import type { Worker } from 'node:worker_threads';
import type { FromWorker, LogWorkerData, ToWorker } from './log-messages.js';
import { startThread } from '../base/thread.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** What the recorder hears from the thread. */
export interface ThreadEvents {
  message(message: FromWorker): void;
  /** The thread is gone, and with it whatever it had not answered. */
  lost(reason: string): void;
}

/** Keeps one worker thread alive: starts it, and starts another, after a growing pause, when it dies. */
export class LogThread {
  #data: LogWorkerData;
  readonly #events: ThreadEvents;
  #worker: Worker | undefined;
  #pause: NodeJS.Timeout | undefined;
  #failures = 0;
  #ready = false;
  #closed = false;

  constructor(data: LogWorkerData, events: ThreadEvents) {
    this.#data = data;
    this.#events = events;
    this.#start();
  }

  get ready(): boolean {
    return this.#ready;
  }

  post(message: ToWorker): void {
    this.#worker?.postMessage(message);
  }

  /** Tells the thread, and every one that follows it, which keys may sign the log. */
  learnKeys(keys: LogWorkerData['keys']): void {
    this.#data = { ...this.#data, keys };
    this.post({ type: 'keys', keys });
  }

  /** Lets the thread finish what it has, but not for ever. */
  async close(graceMs: number): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#pause);
    const worker = this.#worker;
    if (worker === undefined) return;
    const gone = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    const patience = setTimeout(() => void worker.terminate(), graceMs);
    worker.postMessage({ type: 'close' } satisfies ToWorker);
    await gone;
    clearTimeout(patience);
  }

  #start(): void {
    const worker = startThread(import.meta.url, './log-worker', { workerData: this.#data });
    this.#worker = worker;
    let reason = 'the log thread ended';
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'ready') {
        this.#ready = true;
        this.#failures = 0;
      }
      if (message.type === 'unfit') reason = message.message;
      this.#events.message(message);
    });
    worker.on(
      'error',
      (fault) => (reason = fault instanceof Error ? fault.message : 'the log thread failed'),
    );
    worker.once('exit', () => {
      this.#ready = false;
      this.#worker = undefined;
      this.#events.lost(reason);
      if (!this.#closed) this.#startLater();
    });
  }

  #startLater(): void {
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS);
    this.#pause = setTimeout(() => this.#start(), pauseMs);
  }
}
