import { randomUUID } from 'node:crypto';
import type { Egress } from '../../connectors/egress.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Sink } from '../base/config-feed.js';
import type { Logger } from '../base/log.js';
import type { Database } from '../store/database.js';
import {
  addCursor,
  leaseCursor,
  moveCursor,
  newestSeq,
  recordsAfter,
  releaseCursor,
} from '../store/feed-cursors.js';
import type { OpenSink, Place } from './entry.js';
import { openFile } from './file-sink.js';
import { openSyslog } from './syslog-sink.js';

/** Past the longest send: two nodes must not feed one sink because one of them is slow. */
const LEASE_BEYOND_MS = 15_000;
const LONGEST_PAUSE_MS = 60_000;
const JITTER = 0.2;
/** The cursor is a commit of its own, and must not stand in the way of the log's. */
const MOVE_MS = 500;
const RENEW_MS = 5000;
const GRACE_MS = 2000;

export interface FeedParts {
  readonly database: Database;
  readonly egress: Egress;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: Pick<Config, 'feed' | 'refreshMs' | 'platform'>;
}

/** Another node has the sink now. */
class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** The name of an error, or the few words of our own. */
export function reasonOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  return (typeof code === 'string' ? code : `${name ?? ''} ${message ?? ''}`).slice(0, 200);
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error('the sink failed'));

/** Doubles from the first pause up to a minute, each longer or shorter by a fifth. @param random in [0, 1) */
export function pauseAfter(failures: number, firstMs: number, random: number): number {
  const plain = Math.min(firstMs * 2 ** Math.min(failures - 1, 20), LONGEST_PAUSE_MS);
  return Math.round(plain * (1 - JITTER + 2 * JITTER * random));
}

/** Feeds one sink, for as long as the node runs and holds the lease; never in the way of a call. */
export class SinkFeed {
  readonly #parts: FeedParts;
  readonly #sink: Sink;
  readonly #node = randomUUID();
  readonly #leaseMs: number;
  readonly #running: Promise<void>;
  #wake: (() => void) | null = null;
  /** One wait at a time: a promise that lives as long as the connection would gather them all. */
  #end: ((error: Error) => void) | null = null;
  #ended: Error | null = null;
  #closed = false;
  #failures = 0;
  #moved: Place & { at: number } = { seq: -1, resume: -1, at: 0 };

  constructor(parts: FeedParts, sink: Sink) {
    this.#parts = parts;
    this.#sink = sink;
    this.#leaseMs = parts.config.feed.sendTimeoutMs + LEASE_BEYOND_MS;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake?.();
    const grace = setTimeout(() => this.#endWith(new Error('the node stops')), GRACE_MS);
    await this.#running;
    clearTimeout(grace);
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      try {
        const place = await this.#lease();
        if (place === undefined) await this.#pause(this.#parts.config.feed.retryMs);
        else await this.#feed(place);
      } catch (error) {
        await this.#failed(error);
      }
    }
  }

  #ask() {
    return {
      sink: this.#sink.name,
      node: this.#node,
      now: this.#parts.clock.now(),
      leaseMs: this.#leaseMs,
    };
  }

  async #lease(): Promise<Place | undefined> {
    const { knex } = this.#parts.database;
    const begin = this.#sink.from === 'now' ? await newestSeq(knex) : -1;
    await addCursor(knex, this.#sink.name, begin, this.#parts.clock.now());
    const row = await leaseCursor(knex, this.#ask());
    return row === undefined ? undefined : { seq: row.seq, resume: row.resume_seq };
  }

  #open(from: Place): Promise<OpenSink> {
    const { egress, clock, config } = this.#parts;
    if (this.#sink.kind === 'file') return openFile(this.#sink, clock, from);
    return openSyslog(this.#sink, { egress, from, sendTimeoutMs: config.feed.sendTimeoutMs });
  }

  async #feed(from: Place): Promise<void> {
    const open = await this.#open(from);
    this.#moved = { ...from, at: 0 };
    this.#ended = null;
    open.lost.catch((error: unknown) => this.#endWith(asError(error)));
    let ended: Error | null = null;
    try {
      await this.#pass(open, from.resume);
    } catch (error) {
      ended = asError(error);
    }
    await open.close();
    if (ended instanceof LeaseLost) return;
    await this.#move(open.place, true);
    if (ended !== null) throw ended;
    await releaseCursor(this.#parts.database.knex, this.#sink.name, this.#node, null);
  }

  async #pass(open: OpenSink, from: number): Promise<void> {
    const { database, config } = this.#parts;
    let at = from;
    while (!this.#closed) {
      const entries = await recordsAfter(database.knex, at, config.feed.batch);
      const last = entries.at(-1);
      if (last === undefined) await this.#unlessEnded(this.#pause(config.refreshMs));
      else {
        await this.#unlessEnded(open.send(entries));
        at = last.seq;
      }
      await this.#move(open.place, false);
    }
  }

  /** Writes down how far it has come, not with every batch. */
  async #move(place: Place, atOnce: boolean): Promise<void> {
    const now = performance.now();
    const changed = place.seq !== this.#moved.seq || place.resume !== this.#moved.resume;
    if (changed) this.#failures = 0;
    if (!atOnce && now - this.#moved.at < (changed ? MOVE_MS : RENEW_MS)) return;
    this.#moved = { ...place, at: now };
    if (!(await moveCursor(this.#parts.database.knex, this.#ask(), place))) throw new LeaseLost();
  }

  /** Gives the sink up for now: another node may reach what this one does not. */
  async #failed(error: unknown): Promise<void> {
    if (error instanceof LeaseLost || this.#closed) return;
    this.#failures += 1;
    const { log, database, config } = this.#parts;
    const sink = this.#sink.name;
    if (this.#failures === 1) log.warn({ err: error, sink }, 'a sink of the feed fails; it is tried again');
    await releaseCursor(database.knex, sink, this.#node, reasonOf(error)).catch(() => undefined);
    await this.#pause(pauseAfter(this.#failures, config.feed.retryMs, Math.random()));
  }

  async #pause(ms: number): Promise<void> {
    if (this.#closed) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Waits for this, or for the loss of the connection or the stop of the node, whichever is first. */
  async #unlessEnded(work: Promise<unknown>): Promise<void> {
    await new Promise<unknown>((resolve, reject) => {
      this.#end = reject;
      if (this.#ended !== null) reject(this.#ended);
      work.then(resolve, reject);
    }).finally(() => {
      this.#end = null;
    });
  }

  #endWith(error: Error): void {
    this.#ended = error;
    this.#end?.(error);
  }
}
