import { parentPort } from 'node:worker_threads';
import { checkDocument } from './check-document.js';
import type { CheckAsk } from './check-thread.js';

// The other end of `check-thread.ts`: a document in, its report out. What is thrown ends the thread.
parentPort?.on('message', ({ text, marks }: CheckAsk) => {
  void checkDocument(text, marks).then((report) => parentPort?.postMessage(report));
});
