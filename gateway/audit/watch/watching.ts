import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { Looks } from '../../base/looks.js';
import type { Database } from '../../store/database.js';
import {
  endWatchTurn,
  findLogWatch,
  type LogWatchRow,
  renewWatchTurn,
  takeWatchTurn,
} from '../../store/log-watch.js';
import type { KnownHead, Verification } from '../verify/verify.js';
import { faultKey, tellOfFault, tellOfRepair } from './alarm.js';
import { keptHeads } from './kept-heads.js';
import { verifyInThread } from './watch-thread.js';

/** A node that died leaves its turn to another after this. */
const LEASE_MS = 60_000;
/** A log that could not be read is tried again, and one that does not hold looked at again, sooner than it is due. */
const RETRY_MS = 60_000;
const AGAIN_MS = 3_600_000;

export interface LogWatchOptions {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** vkey of the first key of the log. */
  readonly verifierKey: string;
  /** Folder of the sealed segments; null: none. */
  readonly archive: string | null;
  /** Between the end of one verification and the next; 0: never. */
  readonly everyMs: number;
  /** Of one processor, above 0 and up to 1. */
  readonly share: number;
  /** The agency that runs the platform: whose inbox is told. */
  readonly agency: string;
  /** How often to look whether it is due. */
  readonly lookMs: number;
}

/** Verifies the log again and again, beside the exchange and never in its way. */
export interface LogWatch {
  /** Of the whole installation, as of the last look: 1 holds, 0 does not, NaN before the first verification. */
  readonly holds: number;
  /** Records that the last verification proved. */
  readonly records: number;
  /** Milliseconds since it ended; since this node started, before the first. */
  readonly ageMs: number;
  close(): Promise<void>;
}

class Rounds implements LogWatch {
  readonly #options: LogWatchOptions;
  readonly #node = randomUUID();
  readonly #looks = new Looks();
  readonly #startedAt: number;
  #shown: LogWatchRow | undefined;
  /** What this node has proved itself: whoever changes the table does not reach it. */
  #proved: KnownHead = { size: 0, root: null, from: 'the head that this node verified' };

  constructor(options: LogWatchOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    const { everyMs, lookMs, log } = options;
    if (everyMs === 0) return;
    const fault = (error: unknown): void => log.warn({ err: error }, 'the log cannot be looked after');
    this.#looks.every(lookMs, () => this.#round(), fault);
  }

  get holds(): number {
    const ok = this.#shown?.ok ?? null;
    return ok === null ? Number.NaN : Number(ok);
  }

  get records(): number {
    return this.#shown?.size ?? 0;
  }

  get ageMs(): number {
    return Math.max(0, this.#options.clock.now() - (this.#shown?.finished_at ?? this.#startedAt));
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  async #round(): Promise<void> {
    const { knex } = this.#options.database;
    this.#shown = await findLogWatch(knex);
    const now = this.#options.clock.now();
    const turn = { node: this.#node, startedAt: this.#startedAt, now, leaseMs: LEASE_MS };
    const row = await takeWatchTurn(knex, turn);
    if (row === undefined) return;
    await this.#run(row, now);
    this.#shown = await findLogWatch(knex);
  }

  async #run(row: LogWatchRow, startedAt: number): Promise<void> {
    const { database, clock } = this.#options;
    const renew = (): void =>
      void renewWatchTurn(database.knex, this.#node, clock.now() + LEASE_MS).catch(() => undefined);
    const renewing = setInterval(renew, LEASE_MS / 3).unref();
    try {
      await this.#noted(row, startedAt, await this.#verified(row));
    } catch (error) {
      await this.#unread(error);
    } finally {
      clearInterval(renewing);
    }
  }

  /** Heads are read before the log is: it can only have grown since. */
  async #verified(row: LogWatchRow): Promise<Verification> {
    const { database, verifierKey, archive, share } = this.#options;
    const { engine, location } = database;
    const against = [this.#proved, ...(await keptHeads(database.knex, row))];
    const data = { engine, location, archive, verifierKey, against, share };
    return await verifyInThread(data, this.#looks.signal);
  }

  async #noted(row: LogWatchRow, startedAt: number, found: Verification): Promise<void> {
    const { database, clock, log, agency } = this.#options;
    const now = clock.now();
    const { fault } = found;
    const noted = await database.knex.transaction(async (trx) => {
      if (!(await endWatchTurn(trx, this.#node, this.#outcome(found, startedAt, now)))) return false;
      if (fault !== undefined && faultKey(fault) !== row.told)
        await tellOfFault(trx, agency, { ...found, fault }, now);
      if (fault === undefined && row.told !== null) await tellOfRepair(trx, agency, row.told, found, now);
      return true;
    });
    if (found.ok) this.#proved = { ...this.#proved, size: found.size, root: found.root };
    if (noted && fault !== undefined) log.error({ fault, size: found.size }, 'the log does not hold');
    else if (noted) log.info({ size: found.size, root: found.root }, 'the log holds');
  }

  #outcome(found: Verification, startedAt: number, now: number): Partial<LogWatchRow> {
    const { ok, size, root, fault } = found;
    const { everyMs } = this.#options;
    return {
      started_at: startedAt,
      finished_at: now,
      size,
      root,
      ok,
      fault: fault === undefined ? null : JSON.stringify(fault),
      told: fault === undefined ? null : faultKey(fault),
      error: null,
      retry_at: 0,
      next_at: now + (ok ? everyMs : Math.min(everyMs, AGAIN_MS)),
      ...(ok ? { held_size: size, held_root: root } : {}),
    };
  }

  /** Says nothing about the log: it is tried again. A node that stops leaves its turn to the next. */
  async #unread(error: unknown): Promise<void> {
    const { database, clock, log, everyMs } = this.#options;
    if (this.#looks.signal.aborted) {
      await endWatchTurn(database.knex, this.#node, {});
      return;
    }
    const said = error instanceof Error ? error.message : 'unknown fault';
    log.warn({ reason: said }, 'the log could not be read; its verification is tried again');
    const retry_at = clock.now() + Math.min(everyMs, RETRY_MS);
    await endWatchTurn(database.knex, this.#node, { error: said.slice(0, 500), retry_at });
  }
}

/**
 * Starts to verify the log from its beginning, at once and then each time the interval is over, by one node at a time,
 * and raises an alarm when it does not hold: a line in the log of the process, a notice, an act in the record.
 */
export function startLogWatch(options: LogWatchOptions): LogWatch {
  return new Rounds(options);
}
