import { parentPort, workerData } from 'node:worker_threads';
import type { Engine } from '../../store/database.js';
import type { LogReader } from '../verify/log-reader.js';
import { openLogReader } from '../verify/read-log.js';
import { type EndAsk, endOfOld, sealSegment } from './seal.js';
import type { SealedSegment } from './segment.js';
import type { Seal } from './write-segment.js';

/** What the thread is to do: find out how far the log is old enough, or seal a segment. */
export type SealWork =
  | { readonly what: 'end'; readonly ask: EndAsk }
  | { readonly what: 'seal'; readonly seal: Seal };

export interface SealWorkerData {
  readonly engine: Engine;
  readonly location: string;
}

/** An error does not cross between threads as what it was. */
export type SealDone =
  | { readonly end: number }
  | { readonly sealed: SealedSegment }
  | { readonly failed: string };

async function done(reader: LogReader, work: SealWork): Promise<SealDone> {
  try {
    return work.what === 'end'
      ? { end: await endOfOld(reader, work.ask) }
      : { sealed: await sealSegment(reader, work.seal) };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}

if (parentPort !== null) {
  const port = parentPort;
  const { engine, location } = workerData as SealWorkerData;
  const reader = await openLogReader(engine, location, null);
  port.on('message', (work: SealWork) => {
    void done(reader, work).then((answer) => port.postMessage(answer));
  });
}
