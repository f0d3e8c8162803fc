import { randomUUID } from 'node:crypto';
import type { Knex } from 'knex';
import type { Clock } from '../../base/clock.js';
import type { Logger } from '../../base/log.js';
import { Looks } from '../../base/looks.js';
import type { Database } from '../../store/database.js';
import { findLegalBasis } from '../../store/legal-bases.js';
import {
  addSegment,
  destroyedNames,
  dueFiles,
  type LogSegmentFileRow,
  markFile,
  sealedEnd,
} from '../../store/log-segments.js';
import { endTurn, renewTurn, takeTurn } from '../../store/turns.js';
import { rangeSpans, spanHash } from '../proofs.js';
import { publishedKeys } from '../published-keys.js';
import type { Recorder } from '../record.js';
import { latestCheckpoint } from '../search.js';
import { COUNTS_WITHOUT } from '../search/series.js';
import { storedTree } from '../stored-tree.js';
import { TILE_WIDTH } from '../tree.js';
import { destroyAct, sealAct } from './acts.js';
import { tellOfTrouble } from './alarm.js';
import { RECORD_CLASSES } from './classes.js';
import { assertArchive, setAside } from './folder.js';
import { removeSealedRows } from './leaving.js';
import { monthsBefore, type Periods, sealBefore } from './retention.js';
import { destroyFile } from './seal.js';
import { SealThread } from './seal-thread.js';
import { proofEntry, segmentFileOf, type SealedSegment } from './segment.js';

const NAME = 'log-archive';
/** A node that died leaves its turn to another after this. */
const LEASE_MS = 60_000;
const RETRY_MS = 600_000;

export interface ArchivingOptions {
  readonly database: Database;
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** Name of the log. */
  readonly origin: string;
  /** Where sealed segments are kept; null: nothing is sealed. */
  readonly folder: string | null;
  readonly periods: Periods;
  /** age public keys. */
  readonly encryptTo: readonly string[];
  /** Sinks of the feed that must have taken what leaves. */
  readonly sinks: readonly string[];
  /** The agency that runs the platform: whose inbox is told. */
  readonly agency: string;
  readonly everyMs: number;
  /** How often to look whether it is due. */
  readonly lookMs: number;
}

/** Moves what is old enough from the table into sealed files, and destroys files whose time is over. */
export interface Archiving {
  /** Whether this node's last attempt failed. */
  readonly failing: boolean;
  close(): Promise<void>;
}

/** Nothing leaves that somebody still has to look at. */
async function mayGoUpTo(knex: Knex, size: number, sinks: readonly string[]): Promise<number> {
  // A number of records, and nobody who follows.
  const followers = knex('progress').whereNot({ name: COUNTS_WITHOUT });
  const jobs = (await followers.min({ at: 'value' }).first()) as { at: number | null } | undefined;
  const cursors = (await knex('feed_cursors')
    .whereIn('sink', [...sinks])
    .min({ at: 'resume_seq' })
    .first()) as { at: number | null } | undefined;
  const passed = [jobs?.at, cursors?.at].map((at) => (at === null || at === undefined ? size : at + 1));
  return Math.min(size, ...passed);
}

class Rounds implements Archiving {
  readonly #options: ArchivingOptions;
  readonly #node = randomUUID();
  readonly #looks = new Looks();
  failing = false;

  constructor(options: ArchivingOptions) {
    this.#options = options;
    const { folder, lookMs, log } = options;
    if (folder === null) return;
    const fault = (error: unknown): void => log.warn({ err: error }, 'the archive cannot be looked after');
    this.#looks.every(lookMs, () => this.#round(folder), fault);
  }

  close(): Promise<void> {
    return this.#looks.close();
  }

  get #turn() {
    return { name: NAME, node: this.#node, now: this.#options.clock.now(), leaseMs: LEASE_MS };
  }

  async #round(folder: string): Promise<void> {
    const { database, clock, everyMs } = this.#options;
    const { knex } = database;
    if (!(await takeTurn(knex, this.#turn))) return;
    const renewing = setInterval(() => {
      void renewTurn(knex, this.#turn).catch(() => undefined);
    }, LEASE_MS / 3).unref();
    let next = everyMs;
    try {
      await this.#run(folder, clock.now());
      this.failing = false;
    } catch (error) {
      const stopped = this.#looks.signal.aborted;
      next = stopped ? 0 : Math.min(everyMs, RETRY_MS);
      if (!stopped) await this.#failed(error);
    } finally {
      clearInterval(renewing);
      await endTurn(knex, { name: NAME, node: this.#node }, clock.now() + next);
    }
  }

  async #failed(error: unknown): Promise<void> {
    const { database, log, clock, agency } = this.#options;
    this.failing = true;
    log.error({ err: error }, 'the log could not be archived; it is tried again');
    const reason = error instanceof Error ? error.message : 'unknown fault';
    await tellOfTrouble(database.knex, agency, reason, clock.now());
  }

  async #run(folder: string, now: number): Promise<void> {
    const { knex } = this.#options.database;
    await assertArchive(folder, knex);
    await this.#seal(folder, now);
    await this.#letLeave(now);
    await this.#destroy(folder, now);
  }

  async #seal(folder: string, now: number): Promise<void> {
    if (!(await this.#isDue(now))) return;
    const thread = new SealThread(this.#options.database, this.#looks.signal);
    try {
      while (await this.#sealNext(thread, folder, now));
    } finally {
      await thread.close();
    }
  }

  /** The next record to be sealed tells: no thread is started where there is nothing to do. */
  async #isDue(now: number): Promise<boolean> {
    const { database, periods } = this.#options;
    const { knex } = database;
    const next = await knex<{ seq: number; received_at: number }>('records')
      .where('seq', '>=', await sealedEnd(knex))
      .orderBy('seq')
      .first('received_at');
    return next !== undefined && (next.received_at < sealBefore(periods, now) || next.received_at > now);
  }

  /** @returns whether there was something to seal */
  async #sealNext(thread: SealThread, folder: string, now: number): Promise<boolean> {
    const { database, periods, sinks, log } = this.#options;
    const head = await latestCheckpoint(database);
    const from = await sealedEnd(database.knex);
    const upTo = await mayGoUpTo(database.knex, head?.size ?? 0, sinks);
    if (head === null || upTo - from < TILE_WIDTH) return false;
    const to = await thread.findEnd({ from, upTo, before: sealBefore(periods, now), now });
    if (to <= from) return false;
    await setAside(folder, from, now);
    const sealed = await thread.seal(await this.#sealOf(folder, [from, to], head, now));
    await this.#enter(sealed, now);
    log.info({ from, to, file: segmentFileOf(sealed.segment) }, 'a segment of the log was sealed');
    return true;
  }

  async #sealOf(
    folder: string,
    [from, to]: readonly [number, number],
    head: { readonly size: number; readonly note: string },
    at: number,
  ) {
    const { database, origin, encryptTo } = this.#options;
    const read = storedTree(database);
    const proof = [];
    for (const span of rangeSpans([from, to], head.size))
      proof.push(proofEntry({ from: span[0], to: span[1], hash: await spanHash(read, span) }));
    const handOvers = (await publishedKeys(database))?.handOvers ?? [];
    return { folder, origin, from, to, checkpoint: head.note, proof, handOvers, encryptTo, at };
  }

  /** The act comes first: a segment that the log does not know of would be no proof. */
  async #enter(sealed: SealedSegment, at: number): Promise<void> {
    const { database, recorder } = this.#options;
    const { segment, sha256 } = sealed;
    // A node that was held up for longer than its lease must not speak for the one that went on.
    if (!(await renewTurn(database.knex, this.#turn))) throw new Error('another node has taken the turn');
    await recorder.write(sealAct(sealed, at));
    const files = segment.files.map((file) => ({
      ...{ from_seq: segment.from, class: file.class, name: file.name, records: file.records },
      ...{ bytes: file.bytes, sha256: file.sha256, encrypted: file.encryption !== null },
      ...{ rows_removed_at: null, destroyed_at: null },
    }));
    await database.knex.transaction((trx) =>
      addSegment(trx, {
        ...{ from_seq: segment.from, to_seq: segment.to, name: segmentFileOf(segment), sha256, files },
        ...{ first_at: Date.parse(segment.firstReceived), last_at: Date.parse(segment.lastReceived) },
        sealed_at: at,
      }),
    );
  }

  async #letLeave(now: number): Promise<void> {
    const { database, periods, log } = this.#options;
    const { knex } = database;
    for (const wanted of RECORD_CLASSES)
      for (const file of await dueFiles(
        knex,
        wanted,
        'rows_removed_at',
        monthsBefore(now, periods[wanted].months),
      ))
        await markFile(knex, file, { rows_removed_at: now });
    const removed = await removeSealedRows(database, this.#looks.signal);
    if (removed > 0) log.info({ records: removed }, 'records left the table for sealed segments');
  }

  async #destroy(folder: string, now: number): Promise<void> {
    const { database, periods } = this.#options;
    const { knex } = database;
    for (const name of await destroyedNames(knex)) await destroyFile(folder, name);
    for (const wanted of RECORD_CLASSES) {
      const period = periods[wanted];
      if (period.fileMonths === 0) continue;
      const due = await dueFiles(knex, wanted, 'destroyed_at', monthsBefore(now, period.fileMonths));
      for (const file of due.filter((one) => one.rows_removed_at !== null))
        await this.#destroyOne(folder, file, period, now);
    }
  }

  async #destroyOne(
    folder: string,
    file: LogSegmentFileRow,
    period: Periods[keyof Periods],
    now: number,
  ): Promise<void> {
    const { database, recorder, log } = this.#options;
    const { knex } = database;
    if ((await findLegalBasis(knex, period.legalBasis)) === undefined)
      throw new Error(
        `${file.name} is due to be destroyed, and ${period.legalBasis} is no legal basis of the registry`,
      );
    await recorder.write(destroyAct(file, period, now));
    await markFile(knex, file, { destroyed_at: now });
    await destroyFile(folder, file.name);
    log.info({ file: file.name, legalBasis: period.legalBasis }, 'a file of records was destroyed');
  }
}

/** Starts to seal, at once and then each time the interval is over, on one node at a time. */
export function startArchiving(options: ArchivingOptions): Archiving {
  return new Rounds(options);
}
