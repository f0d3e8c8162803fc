import { startThread } from '../../base/thread.js';
import type { Verification } from '../verify/verify.js';
import type { WatchEnd, WatchWorkerData } from './watch-worker.js';

/**
 * Verifies the log in a thread of its own, which ends with it or at once when told.
 *
 * @throws Error when the log cannot be read: nothing is said about it then
 */
export async function verifyInThread(data: WatchWorkerData, signal: AbortSignal): Promise<Verification> {
  signal.throwIfAborted();
  const worker = startThread(import.meta.url, './watch-worker', { workerData: data });
  const stop = (): void => void worker.terminate();
  signal.addEventListener('abort', stop);
  try {
    const end = await new Promise<WatchEnd>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the thread that verifies ended')));
    });
    if ('unread' in end) throw new Error(end.unread);
    return end.found;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
