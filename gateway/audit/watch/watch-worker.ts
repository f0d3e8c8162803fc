import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import type { Engine } from '../../store/database.js';
import { type KnownHead, type Verification, verifyLog } from '../verify/verify.js';

/** What the thread that verifies beside the exchange is started with. */
export interface WatchWorkerData {
  readonly engine: Engine;
  readonly location: string;
  /** Folder of the sealed segments. */
  readonly archive: string | null;
  /** The first key of the log: those that follow must have been handed over to. */
  readonly verifierKey: string;
  readonly against: readonly KnownHead[];
  /** Of one processor, above 0 and up to 1. */
  readonly share: number;
}

/** Rests after each chunk for so long that work takes no more than its share of the time. */
function restFor(share: number): () => Promise<void> {
  let since = performance.now();
  return async () => {
    await sleep((performance.now() - since) * (1 / share - 1));
    since = performance.now();
  };
}

/** How a run ended. An error of the database's driver does not cross between threads as one. */
export type WatchEnd = { readonly found: Verification } | { readonly unread: string };

async function run(data: WatchWorkerData): Promise<WatchEnd> {
  const { engine, location, archive, verifierKey, against, share } = data;
  const options = { verifierKeys: [verifierKey], archive, against, threads: 0, pause: restFor(share) };
  try {
    return { found: await verifyLog({ engine, location }, options) };
  } catch (error) {
    return { unread: error instanceof Error ? error.message : String(error) };
  }
}

if (parentPort !== null) parentPort.postMessage(await run(workerData as WatchWorkerData));
