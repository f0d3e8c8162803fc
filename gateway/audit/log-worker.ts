import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { noteSigner } from './checkpoint.js';
import { type FromWorker, type LogWorkerData, monotonicMs, type ToWorker } from './log-messages.js';
import { GroupCommit } from './group-commit.js';
import type { LogStore } from './log-store.js';

/** Loads the one engine that is used. */
async function openStore(data: LogWorkerData): Promise<LogStore> {
  const signer = noteSigner(data.origin, data.key);
  if (data.engine === 'sqlite') {
    const { SqliteLog } = await import('./sqlite-log.js');
    return new SqliteLog(data.location, signer, data.pragmas);
  }
  const { PostgresLog } = await import('./postgres-log.js');
  return new PostgresLog(data.location, signer, data.timeoutMs);
}

/** The thread that owns the log: takes what has arrived, commits it as one group, and takes again. */
async function serve(port: MessagePort): Promise<void> {
  const say = (message: FromWorker): void => port.postMessage(message);
  const group = await start(say);
  if (group === null) return;
  let busy = false;
  let closing = false;
  const accept = (message: ToWorker): void => {
    if (message.type === 'close') closing = true;
    else group.add(message);
  };
  const work = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    do {
      // What came in while a commit held this thread joins the next one.
      for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port))
        accept(next.message as ToWorker);
      await group.commit();
    } while (group.waiting > 0);
    busy = false;
    if (closing) {
      port.close();
      await group.close();
    }
  };
  port.on('message', (message: ToWorker) => {
    accept(message);
    void work();
  });
}

async function start(say: (message: FromWorker) => void): Promise<GroupCommit | null> {
  let store: LogStore | undefined;
  try {
    store = await openStore(workerData as LogWorkerData);
    say({ type: 'ready', size: await store.open() });
    return new GroupCommit(store, say, monotonicMs);
  } catch (fault) {
    say({ type: 'unfit', message: fault instanceof Error ? fault.message : 'unknown fault' });
    await store?.close();
    return null;
  }
}

if (parentPort !== null) await serve(parentPort);
