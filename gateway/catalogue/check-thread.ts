import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { startThread } from '../base/thread.js';
import type { DocumentReport } from './check-document.js';
import { type Marks, NO_MARKS } from './check-marks.js';
import { fault } from './faults.js';

export interface CheckLimits {
  /** Milliseconds that one document may take. */
  readonly timeMs: number;
  readonly memoryMb: number;
}

export const DEFAULT_LIMITS: CheckLimits = { timeMs: 30_000, memoryMb: 768 };

const MAX_THREADS = 2;
let running = 0;
const waiting: (() => void)[] = [];

async function turn(): Promise<void> {
  if (running >= MAX_THREADS) await new Promise<void>((resolve) => waiting.push(resolve));
  else running += 1;
}

/** Hands the place on, or gives it back. */
function leave(): void {
  const next = waiting.shift();
  if (next === undefined) running -= 1;
  else next();
}

/** What a thread is given. */
export interface CheckAsk {
  readonly text: string;
  readonly marks: Marks;
}

/** To load what checks, and to compile the schema of OpenAPI, takes a second: a thread that has done so is kept. */
interface CheckThread {
  readonly worker: Worker;
  readonly memoryMb: number;
  checked: number;
  rest?: NodeJS.Timeout;
}

/** Kept for so long without a document, and for so many: what they leave behind must not add up. */
const REST_MS = 30_000;
const MOST_DOCUMENTS = 100;
const resting: CheckThread[] = [];

function forget(thread: CheckThread): void {
  const at = resting.indexOf(thread);
  if (at >= 0) resting.splice(at, 1);
}

function startCheckThread(memoryMb: number): CheckThread {
  const worker = startThread(import.meta.url, './check-worker', {
    // The document is data of a stranger: nothing of this process's environment goes with it.
    env: {},
    // No more stack than the main thread has: what compiles here must compile there too.
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, stackSizeMb: 1 },
  });
  const thread = { worker, memoryMb, checked: 0 };
  // Whoever waits for it hears of it too; one that ends while it rests is nobody's trouble.
  worker.on('error', () => undefined);
  worker.on('exit', () => forget(thread));
  return thread;
}

/** A thread that rests, or else a new one. */
function takeThread(memoryMb: number): CheckThread {
  const thread = resting.find((one) => one.memoryMb === memoryMb);
  if (thread === undefined) return startCheckThread(memoryMb);
  forget(thread);
  clearTimeout(thread.rest);
  thread.worker.ref();
  return thread;
}

async function layToRest(thread: CheckThread): Promise<void> {
  const { worker } = thread;
  thread.checked += 1;
  if (thread.checked >= MOST_DOCUMENTS) {
    await worker.terminate();
    return;
  }
  // Neither keeps the process from ending.
  worker.unref();
  thread.rest = setTimeout(() => {
    forget(thread);
    void worker.terminate();
  }, REST_MS).unref();
  resting.push(thread);
}

function refused(keyword: string, vi: string, en: string): DocumentReport {
  return { faults: [fault('', keyword, vi, en)], warnings: [], operations: [], version: null, astray: [] };
}

/** Whether a thread ended because of the document, and not because something of ours is broken. */
function isExhausted(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' || error instanceof RangeError;
}

/** The report, or what of the thread the document was too much for. */
type Ending = DocumentReport | 'time' | 'exhausted';

async function endingOf({ worker }: CheckThread, ask: CheckAsk, timeMs: number): Promise<Ending> {
  const listening = new AbortController();
  const { signal } = listening;
  const timer = setTimeout(() => listening.abort(), timeMs);
  try {
    const ended = Promise.race([
      once(worker, 'message', { signal }) as Promise<[DocumentReport]>,
      once(worker, 'exit', { signal }).then(([code]) => {
        throw new Error(`the check of a document ended with ${String(code)}`);
      }),
    ]);
    worker.postMessage(ask);
    const [report] = await ended;
    return report;
  } catch (error) {
    if (signal.aborted) return 'time';
    if (isExhausted(error)) return 'exhausted';
    throw new Error('the check of a document broke down', { cause: error });
  } finally {
    clearTimeout(timer);
    listening.abort();
  }
}

async function checkOn(thread: CheckThread, ask: CheckAsk, timeMs: number): Promise<Ending> {
  let ending: Ending | undefined;
  try {
    ending = await endingOf(thread, ask, timeMs);
    return ending;
  } finally {
    if (typeof ending === 'object') await layToRest(thread);
    else await thread.worker.terminate();
  }
}

/**
 * Checks a document in a thread beside, so that whatever it costs is not paid by calls under way.
 *
 * @throws Error when the check itself broke down; a document that is too much for it is a fault
 */
export async function checkInThread(
  text: string,
  { timeMs, memoryMb }: CheckLimits = DEFAULT_LIMITS,
  marks: Marks = NO_MARKS,
): Promise<DocumentReport> {
  await turn();
  try {
    const ending = await checkOn(takeThread(memoryMb), { text, marks }, timeMs);
    if (typeof ending === 'object') return ending;
    const seconds = timeMs / 1000;
    return ending === 'time'
      ? refused('time', `kiểm tra quá ${seconds} giây`, `checking takes longer than ${seconds} seconds`)
      : refused('complexity', 'tài liệu quá phức tạp để kiểm tra', 'the document is too intricate to check');
  } finally {
    leave();
  }
}
