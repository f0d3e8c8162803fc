import type { KeyObject } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { Problem } from '../base/problem.js';
import { type Engine, SQLITE_PRAGMAS } from '../store/database.js';
import { leafOf } from './leaf.js';
import { checkName } from './checkpoint.js';
import { type FromWorker, monotonicMs, type RefusedMessage, type WrittenMessage } from './log-messages.js';
import { Doubts } from './doubts.js';
import { type KeyedRecorder, type LogKey, privateLogKey } from './log-key.js';
import { LogThread } from './log-thread.js';
import { systemAct } from './system-act.js';
import type { AuditRecord, Recorded } from './record.js';

export interface RecorderOptions {
  readonly engine: Engine;
  /** The SQLite file or the PostgreSQL URL; already migrated. */
  readonly location: string;
  /** Names the log for ever in its checkpoints: no spaces, no plus sign. */
  readonly origin: string;
  /** The first key of the log. */
  readonly logKey: LogKey;
  /** Those after it, oldest first: each signs once the one before handed over to it. */
  readonly laterLogKeys?: readonly LogKey[];
  /** The most records that wait for the disk. */
  readonly queue: number;
  /** How long a write waits, milliseconds. */
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly clock: Clock;
  /** SQLite only: pragmas for the log's connection, after the usual ones, e.g. `busy_timeout = 500`. */
  readonly pragmas?: readonly string[];
}

interface Entry {
  readonly id: string;
  readonly leaf: string;
  readonly resolve: (recorded: Recorded) => void;
  readonly reject: (problem: Problem) => void;
}

interface Batch {
  readonly number: number;
  readonly entries: Entry[];
  readonly timer: NodeJS.Timeout;
  /** By `monotonicMs`: past it no commit of it may begin. */
  readonly deadline: number;
  /** Its callers were told that it could not be written. */
  refused: boolean;
}

// Commits touch the same pages of the indexes again and again; a longer journal copies them home less often.
const LOG_PRAGMAS = [...SQLITE_PRAGMAS, 'wal_autocheckpoint = 4000'];

const unavailable = (cause: unknown): Problem =>
  new Problem('record_unavailable', { rule: { kind: 'record', state: 'unwritable' }, cause });

/** The half of the log that lives on the main thread: canonical form, batching, waiting, refusing. */
class LogRecorder implements KeyedRecorder {
  readonly #options: RecorderOptions;
  readonly #thread: LogThread;
  readonly #batches = new Map<number, Batch>();
  readonly #doubts: Doubts;
  /** Being filled; not known to the thread yet. */
  #filling: Batch | undefined;
  #next = 0;
  #waiting = 0;
  #closing = false;
  #drained: (() => void) | undefined;
  #started: { resolve: () => void; reject: (fault: Error) => void } | undefined;

  private constructor(options: RecorderOptions, keys: readonly KeyObject[]) {
    this.#options = options;
    const { engine, location, origin, timeoutMs, pragmas = [] } = options;
    this.#thread = new LogThread(
      { engine, location, origin, keys, timeoutMs, pragmas: [...LOG_PRAGMAS, ...pragmas] },
      { message: (message) => this.#hear(message), lost: (reason) => this.#lost(reason) },
    );
    this.#doubts = new Doubts(
      (ids) => this.#thread.post({ type: 'settle', ids }),
      (id) => this.#withhold(id),
    );
  }

  static async start(options: RecorderOptions): Promise<LogRecorder> {
    checkName(options.origin);
    const recorder = new LogRecorder(
      options,
      [options.logKey, ...(options.laterLogKeys ?? [])].map(privateLogKey),
    );
    try {
      await new Promise<void>((resolve, reject) => (recorder.#started = { resolve, reject }));
    } catch (fault) {
      await recorder.#thread.close(0);
      throw fault;
    } finally {
      recorder.#started = undefined;
    }
    return recorder;
  }

  get waiting(): number {
    return this.#waiting;
  }

  write(record: AuditRecord): Promise<Recorded> {
    if (this.#closing) return Promise.reject(unavailable('the log is closed'));
    if (!this.#thread.ready) return Promise.reject(unavailable('the log thread is not running'));
    if (this.#waiting >= this.#options.queue) return Promise.reject(new Problem('overloaded'));
    let leaf: string;
    try {
      leaf = leafOf(record);
    } catch (cause) {
      return Promise.reject(unavailable(cause));
    }
    this.#waiting++;
    return new Promise((resolve, reject) => {
      this.#filling ??= this.#newBatch();
      this.#filling.entries.push({ id: record.id, leaf, resolve, reject });
    });
  }

  learnKeys(keys: readonly LogKey[]): void {
    this.#thread.learnKeys(keys.map(privateLogKey));
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { timeoutMs } = this.#options;
    if (this.#waiting > 0) {
      const patience = setTimeout(() => this.#drained?.(), 2 * timeoutMs);
      await new Promise<void>((resolve) => (this.#drained = resolve));
      clearTimeout(patience);
    }
    await this.#thread.close(timeoutMs);
  }

  #newBatch(): Batch {
    const { timeoutMs } = this.#options;
    const batch: Batch = {
      number: this.#next++,
      entries: [],
      refused: false,
      timer: setTimeout(() => this.#expire(batch), timeoutMs),
      deadline: monotonicMs() + timeoutMs,
    };
    // All that is written in this turn of the loop crosses to the thread in one message; while the thread has one,
    // what comes gathers for the next, so that the busier the log is, the more records share a commit.
    if (this.#batches.size === 0) setImmediate(() => this.#flush());
    return batch;
  }

  #flush(): void {
    const batch = this.#filling;
    if (batch === undefined) return;
    this.#filling = undefined;
    const { number, entries, deadline } = batch;
    this.#batches.set(number, batch);
    if (!this.#thread.ready) {
      this.#finish(number, (one) => this.#refuse(one, 'the log thread is not running'));
      return;
    }
    this.#thread.post({
      type: 'write',
      batch: number,
      leaves: `[${entries.map((entry) => entry.leaf).join(',\n')}]`,
      at: this.#options.clock.now(),
      deadline,
    });
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        this.#started?.resolve();
        this.#doubts.ask();
        break;
      case 'written':
        this.#finish(message.batch, (batch) => this.#written(batch, message));
        this.#doubts.ask();
        break;
      case 'refused':
        this.#finish(message.batch, (batch) => this.#refused(batch, message));
        break;
      case 'settled':
        this.#doubts.answered(message.ids, message.found);
        break;
      case 'unsettled':
        this.#doubts.unanswered();
        break;
      case 'unfit':
        this.#options.log.error({ reason: message.message }, 'the log cannot be opened');
    }
  }

  #finish(number: number, then: (batch: Batch) => void): void {
    const batch = this.#batches.get(number);
    if (batch === undefined) return;
    this.#batches.delete(number);
    clearTimeout(batch.timer);
    this.#waiting -= batch.entries.length;
    then(batch);
    this.#flush();
    if (this.#waiting === 0) this.#drained?.();
  }

  #written(batch: Batch, { first, treeSize, indexes }: WrittenMessage): void {
    batch.entries.forEach(({ id, resolve, reject }, i) => {
      const index = indexes === undefined ? first + i : (indexes[i] ?? null);
      if (batch.refused) {
        if (index !== null) this.#withhold(id);
      } else if (index === null) reject(unavailable('another record has this id, or a value does not fit'));
      else resolve({ id, index, treeSize });
    });
  }

  #refused(batch: Batch, { message, unknown }: RefusedMessage): void {
    if (unknown) this.#doubts.add(batch.entries.map((entry) => entry.id));
    this.#options.log.error(
      { reason: message, records: batch.entries.length },
      'records could not be written',
    );
    this.#refuse(batch, message);
  }

  #refuse(batch: Batch, reason: string): void {
    if (batch.refused) return;
    batch.refused = true;
    const problem = unavailable(reason);
    for (const entry of batch.entries) entry.reject(problem);
  }

  /**
   * The time is up. The thread, if it has the batch, will not begin a commit past the deadline, but one may be
   * under way; a batch that it never got is gone.
   */
  #expire(batch: Batch): void {
    this.#options.log.error({ records: batch.entries.length }, 'records could not be written in time');
    this.#refuse(batch, 'the record was not durable in time');
    if (batch !== this.#filling) return;
    this.#filling = undefined;
    this.#waiting -= batch.entries.length;
    if (this.#waiting === 0) this.#drained?.();
  }

  #lost(reason: string): void {
    this.#started?.reject(new Error(`the log cannot be opened: ${reason}`));
    this.#doubts.unanswered();
    if (this.#batches.size > 0) this.#options.log.error({ reason }, 'the log thread ended');
    for (const number of [...this.#batches.keys()]) {
      this.#finish(number, (batch) => {
        this.#doubts.add(batch.entries.map((entry) => entry.id));
        this.#refuse(batch, reason);
      });
    }
  }

  /**
   * A record turned out to be durable after its caller had been told that it could not be written. It claims an
   * answer that was never released, and cannot be taken back: so another record says so.
   */
  #withhold(id: string): void {
    const refused = { outcome: 'failed', stage: 'record', code: 'record_unavailable' } as const;
    const target = { noun: 'record', key: id, after: { released: false } };
    const act = systemAct(this.#options.clock.now(), { operation: 'withhold-answer', ...refused, target });
    this.write(act).catch(() => {
      this.#options.log.error({ record: id }, 'an answer was withheld, but the log does not say so');
    });
  }
}

/**
 * Opens the log, in a thread of its own, and keeps it open.
 *
 * A write is answered once its record is durable. It is refused (`record_unavailable`) when the commit failed or
 * took longer than `timeoutMs`; a commit that has not begun by then never will. One that is under way at that
 * moment, or whose answer was lost with the connection, may still succeed: the caller stays refused, nothing is
 * released, and an act `withhold-answer` naming the record is added as soon as its fate is known.
 *
 * @throws Error when the database cannot be opened, or its log contradicts its last checkpoint
 * @example
 * const recorder = await startRecorder({ engine, location, origin: 'lgsp.example/log', logKey, … });
 * const { index } = await recorder.write(record);
 */
export function startRecorder(options: RecorderOptions): Promise<KeyedRecorder> {
  return LogRecorder.start(options);
}
