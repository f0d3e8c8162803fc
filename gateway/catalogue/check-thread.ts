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

function startWorker(text: string, marks: Marks, memoryMb: number): Worker {
  return startThread(import.meta.url, './check-worker', {
    workerData: { text, marks },
    // The document is data of a stranger: nothing of this process's environment goes with it.
    env: {},
    // No more stack than the main thread has: what compiles here must compile there too.
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, stackSizeMb: 1 },
  });
}

function refused(keyword: string, vi: string, en: string): DocumentReport {
  return { faults: [fault('', keyword, vi, en)], warnings: [], operations: [], version: null, astray: [] };
}

/** Whether a thread ended because of the document, and not because something of ours is broken. */
function isExhausted(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return code === 'ERR_WORKER_OUT_OF_MEMORY' || error instanceof RangeError;
}

async function reportOf(worker: Worker, limits: CheckLimits): Promise<DocumentReport> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<DocumentReport>((resolve, reject) => {
      timer = setTimeout(() => {
        const seconds = limits.timeMs / 1000;
        const en = `checking takes longer than ${seconds} seconds`;
        resolve(refused('time', `kiểm tra quá ${seconds} giây`, en));
      }, limits.timeMs);
      worker.once('message', resolve);
      worker.once('error', (error: unknown) => {
        const vi = 'tài liệu quá phức tạp để kiểm tra';
        if (isExhausted(error)) resolve(refused('complexity', vi, 'the document is too intricate to check'));
        else reject(new Error('the check of a document broke down', { cause: error }));
      });
      worker.once('exit', (code) => reject(new Error(`the check of a document ended with ${code}`)));
    });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Checks a document in a thread of its own, so that whatever it costs is not paid by calls under way.
 *
 * @throws Error when the check itself broke down; a document that is too much for it is a fault
 */
export async function checkInThread(
  text: string,
  limits: CheckLimits = DEFAULT_LIMITS,
  marks: Marks = NO_MARKS,
): Promise<DocumentReport> {
  await turn();
  try {
    const worker = startWorker(text, marks, limits.memoryMb);
    try {
      return await reportOf(worker, limits);
    } finally {
      await worker.terminate();
    }
  } finally {
    leave();
  }
}
