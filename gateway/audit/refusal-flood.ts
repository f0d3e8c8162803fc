import type { AuditRecord, Recorder } from './record.js';
import { systemAct } from './system-act.js';
import { addressBlock } from '../base/address-block.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { uuidv7 } from '../base/ids.js';
import type { Logger } from '../base/log.js';

const MINUTE_MS = 60_000;
/** How often it is looked whether a minute is over. */
const LOOK_MS = 1000;
/** Stands for every address past those that are counted apart. */
const OTHERS = 'others';
/** Codes are ours and few, and so are the reasons of each; a bound all the same. */
const MOST_CODES = 32;
const MOST_REASONS = 32;

/** A refusal of somebody whom no token vouched for. */
export interface Refused {
  readonly address: string;
  readonly plane: AuditRecord['plane'];
  readonly code: string;
  /** Why, as the record of one refusal would say; a word of ours, never the caller's. */
  readonly reason?: string | undefined;
}

interface CodeTally {
  count: number;
  readonly reasons: Map<string, number>;
}

interface Tally {
  readonly minute: number;
  readonly address: string;
  /** How many have a record of their own. */
  own: number;
  /** How many are only counted. */
  counted: number;
  readonly codes: Map<string, CodeTally>;
  readonly planes: Set<string>;
  first: number;
  last: number;
}

export interface RefusalFloodParts {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly config: Pick<Config, 'record'>;
  readonly log: Logger;
}

/**
 * Unauthenticated refusals cost whoever sends them nothing, and must not fill the disk: past so many in a minute they
 * are counted here, and one record for each address and minute says how many there were
 * (docs/decisions/2026-11-26-refusals-counted.md).
 */
export class RefusalFlood {
  readonly #parts: RefusalFloodParts;
  readonly #timer: NodeJS.Timeout;
  readonly #tallies = new Map<string, Tally>();
  /** Whole minutes whose record could not be written yet. */
  #owed: Tally[] = [];
  #minute = -1;
  #inAll = 0;
  #writing: Promise<void> | null = null;

  constructor(parts: RefusalFloodParts) {
    this.#parts = parts;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** @returns true when this refusal is one too many: it was counted, and gets no record of its own */
  counts({ address, plane, code, reason }: Refused): boolean {
    const now = this.#parts.clock.now();
    this.#turn(now);
    const tally = this.#tallyOf(addressBlock(address));
    const { perAddress, inAll } = this.#parts.config.record.refusals;
    if (tally.own < perAddress && this.#inAll < inAll) {
      tally.own += 1;
      this.#inAll += 1;
      return false;
    }
    if (tally.counted === 0) tally.first = now;
    tally.counted += 1;
    tally.last = now;
    tally.planes.add(plane);
    const reasons = new Map<string, number>(reason === undefined ? [] : [[reason, 1]]);
    addCode(tally, code, { count: 1, reasons });
    return true;
  }

  /** Writes down what was counted until now. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    this.#turn(Number.POSITIVE_INFINITY);
    await this.#write();
  }

  #look(): void {
    this.#turn(this.#parts.clock.now());
    if (this.#owed.length === 0) return;
    this.#writing ??= this.#write().finally(() => {
      this.#writing = null;
    });
  }

  /** What was counted in a minute that is over is owed from then on. */
  #turn(now: number): void {
    const minute = Math.floor(now / MINUTE_MS);
    if (minute === this.#minute) return;
    for (const tally of this.#tallies.values()) if (tally.counted > 0) this.#owe(tally);
    this.#tallies.clear();
    this.#minute = minute;
    this.#inAll = 0;
  }

  /** While nothing can be written, minutes are added up, so that they stay as few as the addresses. */
  #owe(tally: Tally): void {
    if (this.#owed.length < 2 * this.#parts.config.record.refusals.addresses) {
      this.#owed.push(tally);
      return;
    }
    const known = this.#owed.find(({ address }) => address === tally.address) ?? this.#owed[0];
    if (known !== undefined) merge(known, tally);
  }

  #tallyOf(block: string): Tally {
    const known = this.#tallies.get(block);
    if (known !== undefined) return known;
    const { addresses } = this.#parts.config.record.refusals;
    if (block !== OTHERS && this.#tallies.size >= addresses) return this.#tallyOf(OTHERS);
    const made = newTally(this.#minute, block);
    this.#tallies.set(block, made);
    return made;
  }

  async #write(): Promise<void> {
    const owed = this.#owed;
    this.#owed = [];
    const written = await Promise.allSettled(
      owed.map((tally) => this.#parts.recorder.write(recordOf(tally, this.#parts.clock))),
    );
    const left = owed.filter((_, i) => written[i]?.status === 'rejected');
    if (left.length === 0) return;
    this.#owed = [...left, ...this.#owed];
    this.#parts.log.warn({ records: left.length }, 'counted refusals could not be written; tried again');
  }
}

function newTally(minute: number, address: string): Tally {
  return { minute, address, own: 0, counted: 0, codes: new Map(), planes: new Set(), first: 0, last: 0 };
}

function merge(into: Tally, from: Tally): void {
  into.counted += from.counted;
  into.first = Math.min(into.first, from.first);
  into.last = Math.max(into.last, from.last);
  for (const plane of from.planes) into.planes.add(plane);
  for (const [code, more] of from.codes) addCode(into, code, more);
}

function addCode({ codes }: Tally, code: string, more: CodeTally): void {
  const known = codes.get(code) ?? { count: 0, reasons: new Map<string, number>() };
  if (codes.size >= MOST_CODES && !codes.has(code)) return;
  codes.set(code, known);
  known.count += more.count;
  for (const [reason, count] of more.reasons)
    if (known.reasons.size < MOST_REASONS || known.reasons.has(reason))
      known.reasons.set(reason, (known.reasons.get(reason) ?? 0) + count);
}

/** What was counted, by code and, where there are any, by reason within a code. */
function countedBy(codes: Tally['codes']) {
  const of = [...codes];
  const reasons = of.filter(([, tally]) => tally.reasons.size > 0);
  return {
    codes: Object.fromEntries(of.map(([code, { count }]) => [code, count])),
    ...(reasons.length === 0
      ? {}
      : {
          reasons: Object.fromEntries(
            reasons.map(([code, tally]) => [code, Object.fromEntries(tally.reasons)]),
          ),
        }),
  };
}

function recordOf(tally: Tally, clock: Clock): AuditRecord {
  const { address, counted, codes, planes, first, last } = tally;
  const act = {
    released: new Date(last).toISOString(),
    operation: 'count-refusals',
    ...(address === OTHERS ? {} : { address }),
    outcome: 'refused',
    target: {
      noun: 'refusals',
      key: address,
      after: { count: counted, ...countedBy(codes), planes: [...planes].sort() },
    },
  } as const;
  return systemAct(first, act, uuidv7(clock.now()));
}
