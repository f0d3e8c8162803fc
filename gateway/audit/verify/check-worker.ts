import { parentPort, workerData } from 'node:worker_threads';
import type { Engine } from '../../store/database.js';
import { parseVerifierKey } from '../checkpoint.js';
import { type ChunkRange, checkRange } from './check-range.js';
import { openLogReader } from './read-log.js';

/** What a thread that checks is started with. */
export interface CheckWorkerData {
  readonly engine: Engine;
  readonly location: string;
  readonly archive: string | null;
  readonly verifierKeys: readonly string[];
}

if (parentPort !== null) {
  const port = parentPort;
  const { engine, location, archive, verifierKeys } = workerData as CheckWorkerData;
  const keys = verifierKeys.map(parseVerifierKey);
  const reader = await openLogReader(engine, location, archive);
  port.on('message', (range: ChunkRange | 'close') => {
    if (range === 'close') {
      port.close();
      void reader.close();
      return;
    }
    void (async () => {
      const checked = await checkRange(reader, range, keys);
      port.postMessage(checked, [checked.hashes.buffer as ArrayBuffer]);
    })();
  });
}
