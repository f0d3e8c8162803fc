import { randomUUID } from 'node:crypto';
import { latestCheckpoint } from '../audit/search.js';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { Looks } from '../base/looks.js';
import type { Database } from '../store/database.js';
import {
  endTurn,
  enterWitness,
  keepEvidence,
  listWitnesses,
  takeTurn,
  type WitnessRow,
} from '../store/witnesses.js';
import { tellOfOutage, tellOfRecovery } from './alarm.js';
import type { Evidence, Witness } from './witness.js';

/** Well past the longest attempt: two requests of ten seconds. */
const LEASE_MS = 60_000;
const FIRST_RETRY_MS = 5000;

export interface WitnessingOptions {
  readonly witnesses: readonly Witness[];
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two heads that one witness is shown. */
  readonly everyMs: number;
  /** An outage longer than this is told. */
  readonly alarmAfterMs: number;
  /** The agency that runs the platform: whose inbox is told. */
  readonly agency: string;
  /** How often to look whether something is due. */
  readonly lookMs: number;
}

/** Shows the heads of the log to its witnesses, beside the exchange and never in its way. */
export interface Witnessing {
  /** In the whole installation, as of the last look. */
  readonly failing: number;
  /** Milliseconds since the witness that lags most took a head; 0 without witnesses. */
  readonly lagMs: number;
  close(): Promise<void>;
}

class Rounds implements Witnessing {
  readonly #options: WitnessingOptions;
  readonly #node = randomUUID();
  readonly #looks = new Looks();
  readonly #startedAt: number;
  failing = 0;
  lagMs = 0;

  constructor(options: WitnessingOptions) {
    this.#options = options;
    this.#startedAt = options.clock.now();
    const { lookMs, log } = options;
    const fault = (error: unknown): void => log.warn({ err: error }, 'the witnesses cannot be looked after');
    this.#looks.every(lookMs, () => this.#round(), fault);
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  async #round(): Promise<void> {
    const { database, witnesses, clock } = this.#options;
    for (const { name, kind } of witnesses) await enterWitness(database.knex, name, kind);
    // Side by side: one that hangs keeps nobody else waiting.
    if ((await latestCheckpoint(database)) !== null)
      await Promise.all(witnesses.map((witness) => this.#tend(witness)));
    const rows = (await listWitnesses(database.knex)).filter((row) =>
      witnesses.some(({ name }) => name === row.name),
    );
    this.failing = rows.filter((row) => row.failing_since !== null).length;
    this.lagMs = Math.max(0, ...rows.map((row) => clock.now() - (row.at ?? this.#startedAt)));
  }

  async #tend(witness: Witness): Promise<void> {
    const { database, clock, log, everyMs } = this.#options;
    const turn = { node: this.#node, now: clock.now(), leaseMs: LEASE_MS };
    const row = await takeTurn(database.knex, witness.name, turn);
    if (row === undefined) return;
    try {
      await this.#took(row, ...(await this.#shown(witness, row.size)));
    } catch (error) {
      if (this.#looks.signal.aborted) {
        await endTurn(database.knex, witness.name, this.#node, {});
        return;
      }
      const said = error instanceof Error ? error.message : 'unknown fault';
      log.warn({ witness: witness.name, reason: said }, 'a witness did not take the checkpoint');
      await this.#failed(row, said, Math.min(everyMs, FIRST_RETRY_MS * 2 ** this.#failures(row)));
    }
  }

  /** The head is read once the turn is ours: one read before could be older than what another node showed meanwhile. */
  async #shown(witness: Witness, seen: number): Promise<[size: number, Evidence | null]> {
    const head = await latestCheckpoint(this.#options.database);
    if (head === null) throw new Error('the log has no checkpoint any more');
    if (head.size === seen) return [seen, null];
    return [head.size, await witness.show(head, seen, this.#looks.signal)];
  }

  /** How often it has failed by now, told by the time that went by with doubling pauses. */
  #failures({ failing_since }: WitnessRow): number {
    if (failing_since === null) return 0;
    const past = this.#options.clock.now() - failing_since;
    return Math.min(20, Math.max(0, Math.floor(Math.log2(past / FIRST_RETRY_MS + 1))));
  }

  async #took(row: WitnessRow, size: number, evidence: Evidence | null): Promise<void> {
    const { database, clock, everyMs, agency } = this.#options;
    const now = clock.now();
    await database.knex.transaction(async (trx) => {
      const change = { failing_since: null, last_error: null, alarmed: false, next_at: now + everyMs };
      const noted = await endTurn(trx, row.name, this.#node, { ...change, size, at: now });
      if (!noted) return;
      if (evidence !== null) await keepEvidence(trx, { name: row.name, size, at: now, ...evidence });
      if (row.alarmed) await tellOfRecovery(trx, agency, row, now);
    });
  }

  async #failed(row: WitnessRow, error: string, pauseMs: number): Promise<void> {
    const { database, clock, alarmAfterMs, agency } = this.#options;
    const now = clock.now();
    const since = row.failing_since ?? now;
    const alarmed = row.alarmed || now - since >= alarmAfterMs;
    await database.knex.transaction(async (trx) => {
      const change = {
        failing_since: since,
        last_error: error.slice(0, 500),
        alarmed,
        next_at: now + pauseMs,
      };
      if (!(await endTurn(trx, row.name, this.#node, change))) return;
      if (alarmed && !row.alarmed) await tellOfOutage(trx, agency, row, since, error, now);
    });
  }
}

/**
 * Starts to show heads. With several nodes each witness is looked after by one of them at a time; what a witness took is
 * kept as evidence. A witness that is down stops nothing: it is tried again, shown as failing and, after a while, told.
 */
export function startWitnessing(options: WitnessingOptions): Witnessing {
  return new Rounds(options);
}
