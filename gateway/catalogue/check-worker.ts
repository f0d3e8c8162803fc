import { parentPort, workerData } from 'node:worker_threads';
import { checkDocument } from './check-document.js';

// The other end of `check-thread.ts`: one document in, one report out.
const { text } = workerData as { readonly text: string };
parentPort?.postMessage(await checkDocument(text));
