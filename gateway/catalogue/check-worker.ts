import { parentPort, workerData } from 'node:worker_threads';
import { checkDocument } from './check-document.js';
import type { Marks } from './check-marks.js';

// The other end of `check-thread.ts`: one document in, one report out.
const { text, marks } = workerData as { readonly text: string; readonly marks: Marks };
parentPort?.postMessage(await checkDocument(text, marks));
