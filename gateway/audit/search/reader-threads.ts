import { Worker } from 'node:worker_threads';
import { sourceLoader } from '../../base/source-loader.js';

export interface Question {
  readonly sql: string;
  readonly bindings: readonly unknown[];
}

export interface Asked {
  readonly id: number;
  readonly questions: readonly Question[];
}

export type Answered =
  | { readonly id: number; readonly answers: unknown[][] }
  | { readonly id: number; readonly message: string };

function startWorker(location: string): Worker {
  const options = { workerData: { location }, env: {} };
  if (!import.meta.url.endsWith('.ts'))
    return new Worker(new URL('./reader-worker.js', import.meta.url), options);
  // Run from the sources: see `log-thread.ts`.
  const [loader, module] = [
    sourceLoader('tsx/esm/api'),
    new URL('./reader-worker.ts', import.meta.url).href,
  ].map((url) => JSON.stringify(url));
  const boot = `import(${loader}).then((tsx) => tsx.tsImport(${module}, ${module}))`;
  return new Worker(boot, { ...options, eval: true });
}

/** A thread, and the one question it has; starting it anew costs some tens of milliseconds, so it is kept. */
class ReaderThread {
  readonly worker: Worker;
  #next = 0;

  constructor(location: string) {
    this.worker = startWorker(location);
    this.worker.unref();
    // Whoever asks hears of it; between two questions nobody does.
    this.worker.on('error', () => undefined);
  }

  async ask(questions: readonly Question[], timeoutMs: number, late: () => Error): Promise<unknown[][]> {
    const { worker } = this;
    const id = this.#next++;
    let [timer, hear, gone]: [NodeJS.Timeout?, ((answered: Answered) => void)?, (() => void)?] = [];
    try {
      return await new Promise<unknown[][]>((resolve, reject) => {
        timer = setTimeout(() => reject(late()), timeoutMs);
        hear = (answered) => {
          if ('answers' in answered) resolve(answered.answers);
          else reject(new Error(`the record could not be read: ${answered.message}`));
        };
        gone = () => reject(new Error('a thread that reads the record ended'));
        worker.on('message', hear);
        worker.once('exit', gone);
        worker.postMessage({ id, questions } satisfies Asked);
      });
    } finally {
      clearTimeout(timer);
      if (hear !== undefined) worker.off('message', hear);
      if (gone !== undefined) worker.off('exit', gone);
    }
  }
}

/** Threads that read a SQLite file. How many there are is decided by how many ask at once. */
export class ReaderThreads {
  readonly #location: string;
  readonly #timeoutMs: number;
  readonly #idle: ReaderThread[] = [];
  readonly #all = new Set<ReaderThread>();

  constructor(location: string, timeoutMs: number) {
    this.#location = location;
    this.#timeoutMs = timeoutMs;
  }

  async read(questions: readonly Question[], late: () => Error): Promise<unknown[][]> {
    const thread = this.#idle.pop() ?? this.#start();
    let tooLate = false;
    try {
      const answers = await thread.ask(questions, this.#timeoutMs, () => {
        tooLate = true;
        return late();
      });
      this.#idle.push(thread);
      return answers;
    } catch (error) {
      this.#drop(thread, tooLate);
      throw error;
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map(({ worker }) => worker.terminate()));
  }

  #start(): ReaderThread {
    const thread = new ReaderThread(this.#location);
    this.#all.add(thread);
    thread.worker.once('exit', () => {
      this.#all.delete(thread);
      const at = this.#idle.indexOf(thread);
      if (at >= 0) this.#idle.splice(at, 1);
    });
    return thread;
  }

  /** A question inside of the engine cannot be interrupted: its thread ends at the next row, and nobody waits for it. */
  #drop(thread: ReaderThread, late: boolean): void {
    if (late) void thread.worker.terminate();
    else if (this.#all.has(thread)) this.#idle.push(thread);
  }
}
