import type { FromWorker, ToWorker, WriteMessage } from './log-messages.js';
import { LogError } from './log-error.js';
import { type Found, type LogStore, type Row, rowOf } from './log-store.js';
import type { AuditRecord } from './record.js';

type WorkMessage = Exclude<ToWorker, { type: 'close' | 'keys' }>;

interface Batch {
  readonly message: WriteMessage;
  readonly rows: readonly Row[];
}

/** The most records in one transaction: keeps a flood from making one commit outlast everybody's patience. */
const GROUP_LIMIT = 4096;

function rowsOf(leaves: string): Row[] {
  const records = JSON.parse(leaves) as AuditRecord[];
  // Canonical JSON holds no line end outside of an escape, so the array's text can be cut where the leaves meet.
  const texts = leaves.slice(1, -1).split(',\n');
  return records.map((record, i) => rowOf(texts[i] as string, record));
}

/** Joins what waits into one transaction, and tells each batch how it went. */
export class GroupCommit {
  readonly #store: LogStore;
  readonly #say: (message: FromWorker) => void;
  readonly #now: () => number;
  #inbox: WorkMessage[] = [];

  /** @param now the clock of the deadlines */
  constructor(store: LogStore, say: (message: FromWorker) => void, now: () => number) {
    this.#store = store;
    this.#say = say;
    this.#now = now;
  }

  get waiting(): number {
    return this.#inbox.length;
  }

  add(message: WorkMessage): void {
    this.#inbox.push(message);
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  /** Takes what waits, up to the limit of one transaction, and commits it. Never throws. */
  async commit(): Promise<void> {
    const batches = this.#take();
    if (batches.length > 0) await this.#append(batches, true);
    if (this.#inbox[0]?.type === 'settle') await this.#settle(this.#inbox.shift());
  }

  #take(): Batch[] {
    const batches: Batch[] = [];
    let records = 0;
    let taken = 0;
    for (const message of this.#inbox) {
      if (message.type !== 'write' || records >= GROUP_LIMIT) break;
      taken++;
      if (this.#expired(message)) continue;
      const rows = rowsOf(message.leaves);
      records += rows.length;
      batches.push({ message, rows });
    }
    this.#inbox = this.#inbox.slice(taken);
    return batches;
  }

  async #append(batches: readonly Batch[], again: boolean): Promise<void> {
    const rows =
      batches.length === 1 && batches[0] ? batches[0].rows : batches.flatMap((batch) => batch.rows);
    const deadline = Math.min(...batches.map((batch) => batch.message.deadline));
    const at = batches.at(-1)?.message.at ?? 0;
    try {
      const { first, treeSize } = await this.#store.append(rows, at, () => this.#now() < deadline);
      this.#tellWritten(batches, first, treeSize);
    } catch (fault) {
      await this.#recover(batches, asLogError(fault), again);
    }
  }

  async #recover(batches: readonly Batch[], fault: LogError, again: boolean): Promise<void> {
    if (fault.failure === 'late' || (fault.failure === 'lost' && again)) {
      const intime = batches.filter((batch) => !this.#expired(batch.message));
      if (intime.length > 0) await this.#append(intime, fault.failure === 'late' && again);
      return;
    }
    if (fault.failure === 'row' || fault.failure === 'unknown') {
      const doubt = fault.failure === 'unknown';
      for (const batch of batches) await this.#appendOneByOne(batch, doubt);
      return;
    }
    for (const batch of batches) this.#refuse(batch.message, fault.message, false);
  }

  #tellWritten(batches: readonly Batch[], start: number, treeSize: number): void {
    let first = start;
    for (const { message, rows } of batches) {
      this.#say({ type: 'written', batch: message.batch, first, treeSize });
      first += rows.length;
    }
  }

  /**
   * The slow way, when one row of a group was not accepted or the fate of the group is unknown: what is in the
   * log already counts as written, if it is the same, and nobody suffers for another's fault.
   */
  async #appendOneByOne(batch: Batch, doubt: boolean): Promise<void> {
    const { batch: number, at, deadline } = batch.message;
    const indexes: (number | null)[] = [];
    let treeSize = 0;
    try {
      const found = await this.#store.find(batch.rows.map((row) => row.columns.id));
      for (const row of batch.rows) {
        const index = await this.#appendOne(row, found, at, () => this.#now() < deadline);
        indexes.push(index);
        treeSize = Math.max(treeSize, (index ?? -1) + 1);
      }
      this.#say({ type: 'written', batch: number, first: 0, treeSize, indexes });
    } catch (fault) {
      const { message, failure } = asLogError(fault);
      this.#refuse(batch.message, message, doubt || failure === 'unknown' || indexes.length > 0);
    }
  }

  async #appendOne(
    row: Row,
    found: Map<string, Found>,
    at: number,
    mayCommit: () => boolean,
  ): Promise<number | null> {
    const { id } = row.columns;
    const known = found.get(id);
    if (known !== undefined) return known.leaf === row.leaf ? known.index : null;
    try {
      const { first } = await this.#store.append([row], at, mayCommit);
      found.set(id, { index: first, leaf: row.leaf });
      return first;
    } catch (fault) {
      if (asLogError(fault).failure !== 'row') throw fault;
      // Written by somebody else in between, or truly unfit.
      const late = (await this.#store.find([id])).get(id);
      return late?.leaf === row.leaf ? late.index : null;
    }
  }

  async #settle(message: WorkMessage | undefined): Promise<void> {
    if (message?.type !== 'settle') return;
    try {
      const found = await this.#store.find(message.ids);
      this.#say({ type: 'settled', ids: message.ids, found: [...found.keys()] });
    } catch {
      this.#say({ type: 'unsettled' });
    }
  }

  #expired(message: WriteMessage): boolean {
    if (this.#now() < message.deadline) return false;
    this.#refuse(message, 'the time for this record was up', false);
    return true;
  }

  #refuse(message: WriteMessage, reason: string, unknown: boolean): void {
    this.#say({ type: 'refused', batch: message.batch, message: reason, unknown });
  }
}

function asLogError(fault: unknown): LogError {
  if (fault instanceof LogError) return fault;
  return new LogError('failed', fault instanceof Error ? fault.message : 'unknown fault', fault);
}
