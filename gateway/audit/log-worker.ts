import { type MessagePort, parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { type FromWorker, type LogWorkerData, monotonicMs, type ToWorker } from './log-messages.js';
import { GroupCommit } from './group-commit.js';
import { LogSigners } from './log-signers.js';
import type { LogStore } from './log-store.js';

/** Loads the one engine that is used. */
async function openStore(data: LogWorkerData, signers: LogSigners): Promise<LogStore> {
  if (data.engine === 'sqlite') {
    const { SqliteLog } = await import('./sqlite-log.js');
    return new SqliteLog(data.location, signers, data.pragmas);
  }
  const { PostgresLog } = await import('./postgres-log.js');
  return new PostgresLog(data.location, signers, data.timeoutMs);
}

/** The thread that owns the log: takes what has arrived, commits it as one group, and takes again. */
async function serve(port: MessagePort): Promise<void> {
  const say = (message: FromWorker): void => port.postMessage(message);
  const data = workerData as LogWorkerData;
  const signers = new LogSigners(data.origin, data.keys);
  const group = await start(say, data, signers);
  if (group === null) return;
  let busy = false;
  let closing = false;
  const accept = (message: ToWorker): void => {
    if (message.type === 'close') closing = true;
    else if (message.type === 'keys') signers.learn(message.keys);
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

async function start(
  say: (message: FromWorker) => void,
  data: LogWorkerData,
  signers: LogSigners,
): Promise<GroupCommit | null> {
  let store: LogStore | undefined;
  try {
    store = await openStore(data, signers);
    say({ type: 'ready', size: await store.open() });
    return new GroupCommit(store, say, monotonicMs);
  } catch (fault) {
    say({ type: 'unfit', message: fault instanceof Error ? fault.message : 'unknown fault' });
    await store?.close();
    return null;
  }
}

if (parentPort !== null) await serve(parentPort);
