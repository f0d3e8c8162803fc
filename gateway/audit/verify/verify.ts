import { availableParallelism } from 'node:os';
import type { Database } from '../../store/database.js';
import type { LogSegment } from '../../store/log-segments.js';
import { parseVerifierKey, type VerifierKey } from '../checkpoint.js';
import { HASH_BYTES, LogTree, TILE_BYTES, TILE_WIDTH, type Tile } from '../tree.js';
import { type Checker, CheckThreads } from './check-threads.js';
import { type ChunkRange, checkRange } from './check-range.js';
import {
  type CheckedChunk,
  type CheckedCheckpoint,
  type CheckedTile,
  type ComparedTile,
  type FaultKind,
  firstDifference,
  type LogFault,
} from './chunk.js';
import { segmentNotVouchedFor } from '../archive/acts.js';
import type { AuditRecord } from '../record.js';
import { KeysInForce } from './keys-in-force.js';
import { type KnownHead, KnownHeads } from './known-heads.js';
import type { LogReader } from './log-reader.js';
import { openLogReader } from './read-log.js';

export type { FaultKind, LogFault } from './chunk.js';
export type { KnownHead } from './known-heads.js';

export interface Verification {
  readonly ok: boolean;
  /** Leaves that were proved. */
  readonly size: number;
  /** Root over these leaves, base64. */
  readonly root: string;
  /** Of these, records of which only the hash is here: their file is encrypted, or was destroyed when its time was over. */
  readonly hashesOnly: number;
  readonly fault?: LogFault;
}

export interface VerifyOptions {
  /** C2SP vkeys (`name+hash+key`): the first key of the log. Later ones count only once they were handed over to. */
  readonly verifierKeys: readonly string[];
  /** Folder of the sealed segments; none: the log must lie in the database as a whole. */
  readonly archive?: string | null;
  /** Heads that were kept elsewhere before this began: the log must contain each. */
  readonly against?: readonly KnownHead[];
  /** Threads that read and check; one a processor unless told, none for a log that is short. */
  readonly threads?: number;
  /** Called after each chunk with the number of leaves done and to do. */
  readonly onProgress?: (done: number, size: number) => void;
  /** Waited for after each chunk: a verification beside the exchange takes its time. */
  readonly pause?: () => Promise<void>;
}

/** Leaves a chunk: whole tiles, so that each tile stands in one chunk. */
const CHUNK = 32 * TILE_WIDTH;
/** A log shorter than this is proved before a thread has started. */
const WORTH_A_THREAD = 8 * CHUNK;

class Found extends Error {
  readonly fault: LogFault;

  constructor(what: FaultKind, index: number, detail: string) {
    super(detail);
    this.fault = { index, what, detail };
  }
}

/** Grows the tree over checked chunks and holds it against what was stored and signed. */
class Verifier {
  readonly #reader: LogReader;
  readonly #keys: KeysInForce;
  readonly #known: KnownHeads;
  readonly #segmentActs: AuditRecord[] = [];
  readonly tree = new LogTree();
  hashesOnly = 0;
  /** Leaves that a checkpoint has proved, and the root over them. */
  proved = 0;
  provedRoot = this.tree.root();
  /** A stored tile that differs from the leaves; which of the two is wrong, the next checkpoint tells. */
  #suspect: { readonly index: number; readonly detail: string } | undefined;

  /** @param trusted the first keys of the log: later ones count once they were handed over to */
  constructor(reader: LogReader, trusted: readonly VerifierKey[], against: readonly KnownHead[] = []) {
    this.#reader = reader;
    this.#keys = new KeysInForce(trusted);
    this.#known = new KnownHeads(against);
  }

  async add(chunk: CheckedChunk): Promise<void> {
    let next = 0;
    for (let at = 0; at < chunk.hashes.length; ) {
      at += this.#grow(chunk, at, chunk.checkpoints[next]?.size);
      if (this.tree.size % TILE_WIDTH === 0) await this.#checkTiles(chunk.tiles);
      for (let one = chunk.checkpoints[next]; one !== undefined && one.size <= this.tree.size; ) {
        await this.#checkCheckpoint(one);
        one = chunk.checkpoints[++next];
      }
      if (this.#known.nextSize === this.tree.size) this.#holdAgainst();
    }
    this.hashesOnly += chunk.hashesOnly;
    this.#segmentActs.push(...chunk.segmentActs);
    if (chunk.fault !== undefined) throw new Found(chunk.fault.what, chunk.fault.index, chunk.fault.detail);
  }

  /** Adds the tile at `at` where nothing is to be looked at within it, else the leaf. @returns bytes of hashes */
  #grow({ hashes, tiles, handOvers }: CheckedChunk, at: number, nextCheckpoint: number | undefined): number {
    const { size } = this.tree;
    const end = size + TILE_WIDTH;
    const tile = size % TILE_WIDTH === 0 ? tiles.get(size / TILE_WIDTH) : undefined;
    const reaches = (next: number | undefined): boolean => next === undefined || next >= end;
    if (
      tile !== undefined &&
      reaches(nextCheckpoint) &&
      reaches(this.#known.nextSize) &&
      ![...handOvers.keys()].some((index) => index >= size && index < end)
    ) {
      this.tree.appendTile(hashes.subarray(at, at + TILE_BYTES), Buffer.from(tile.own));
      return TILE_BYTES;
    }
    this.#followHandOver(handOvers);
    this.tree.append(Buffer.from(hashes.buffer, hashes.byteOffset + at, HASH_BYTES));
    return HASH_BYTES;
  }

  #followHandOver(handOvers: CheckedChunk['handOvers']): void {
    const index = this.tree.size;
    const record = handOvers.get(index);
    if (record === undefined || this.#keys.handOver(record)) return;
    const detail = `record ${index} hands the log over, and the key before did not sign that`;
    throw new Found('handover', index, detail);
  }

  #holdAgainst(): void {
    const wrong = this.#known.pass(this.tree.root());
    if (wrong === undefined) return;
    // Whoever has the key signs what he likes: only what somebody kept proves anything here.
    const { size: since, root } = this.#known.held ?? { size: 0, root: new LogTree().root() };
    [this.proved, this.provedRoot] = [since, root];
    const detail = `records ${since} to ${wrong.size - 1} are not those of ${wrong.from}`;
    throw new Found('history', since, detail);
  }

  /** The log must not end before a head that somebody kept. */
  assertReached(): void {
    const { longest } = this.#known;
    if (longest === undefined || longest.size <= this.tree.size) return;
    const detail = `the log ends after ${this.tree.size} records; ${longest.from} covers ${longest.size}`;
    throw new Found('cut', this.tree.size, detail);
  }

  /** Subjects must not be named of records that are not there. */
  async findStray(): Promise<void> {
    const stray = await this.#reader.straySubject(this.tree.size);
    if (stray === null) return;
    const detail = `subjects are named of record ${stray}, which is not there`;
    throw new Found('columns', Math.max(stray, 0), detail);
  }

  /** What became of the records that left is itself in the log. @param segments those that there were when it began */
  checkSegments(segments: readonly LogSegment[]): void {
    const wrong = segmentNotVouchedFor(segments, this.#segmentActs);
    if (wrong !== undefined) throw new Found('archive', wrong.index, wrong.detail);
  }

  async #checkTiles(ofLeaves: ReadonlyMap<number, CheckedTile>): Promise<void> {
    for (const tile of this.tree.takeTiles()) {
      const stored = tile.level === 0 ? ofLeaves.get(tile.index) : await this.#checkedTile(tile);
      this.#checkTile(tile, stored);
    }
  }

  async #checkedTile({ level, index, hashes }: Tile): Promise<ComparedTile | undefined> {
    const stored = await this.#reader.tile(level, index);
    if (stored === undefined) return undefined;
    const differs = stored.hashes.equals(hashes) ? null : firstDifference(stored.hashes, hashes);
    return { root: stored.root, differs };
  }

  #checkTile(tile: Tile, stored: ComparedTile | undefined): void {
    const root = stored?.root ?? null;
    if (root !== null && stored?.differs === null && tile.root.equals(root)) return;
    const span = TILE_WIDTH ** tile.level;
    this.#suspect ??= {
      index: (tile.index * TILE_WIDTH + (stored?.differs ?? 0)) * span,
      detail: `the tile of level ${tile.level} at ${tile.index} ${root === null ? 'is missing' : 'does not match'}`,
    };
  }

  async #checkCheckpoint({ size, root, signedBy, fault }: CheckedCheckpoint): Promise<void> {
    if (fault !== undefined) throw new Found('checkpoint', this.proved, fault);
    if (!this.#keys.signed(signedBy))
      throw new Found(
        'checkpoint',
        this.proved,
        `the checkpoint at ${size} is not signed by the key in force`,
      );
    if (size !== this.tree.size)
      throw new Found('checkpoint', this.proved, `the checkpoint at ${size} stands out of order`);
    const own = this.tree.root();
    if (!own.equals(root)) throw await this.#rewritten(size);
    this.proved = size;
    this.provedRoot = own;
    if (this.#suspect !== undefined) throw new Found('tile', this.#suspect.index, this.#suspect.detail);
  }

  /** The signed root contradicts the leaves since the last one that held: a tile may say which leaf it is. */
  async #rewritten(size: number): Promise<Found> {
    const detail = `records ${this.proved} to ${size - 1} are not those that were signed`;
    if (this.#suspect !== undefined)
      return new Found('history', Math.max(this.#suspect.index, this.proved), detail);
    const pending = this.tree.pendingLeaves;
    const stored = await this.#reader.tile(0, Math.floor(size / TILE_WIDTH));
    const start = size - pending.length / HASH_BYTES;
    const at = stored === undefined ? Number.NaN : firstDifference(stored.hashes, pending);
    const exact = at * HASH_BYTES < pending.length ? start + at : this.proved;
    return new Found('history', Math.max(exact, this.proved), detail);
  }
}

function* chunks(size: number): Iterable<ChunkRange> {
  for (let from = 0; from < size; from += CHUNK) yield { from, to: Math.min(from + CHUNK, size) };
}

/** Reads and checks here, one chunk after the other. */
function checkHere(reader: LogReader, keys: readonly VerifierKey[]): Checker {
  return {
    async *checked(ranges) {
      for (const range of ranges) yield await checkRange(reader, range, keys);
    },
    close: () => Promise.resolve(),
  };
}

/**
 * Recomputes the whole log as a stream, in memory that does not grow with it, and names the first record that
 * was changed, removed, inserted or moved. Records that are added meanwhile are left for the next time.
 *
 * That the log was cut off at its end together with its checkpoints cannot be seen from inside: `against` holds it
 * against heads that were kept.
 *
 * @throws RangeError when a verifier key is malformed
 * @example const { ok, fault } = await verifyLog(database, { verifierKeys: ['lgsp.example/log+…+…'] })
 */
export async function verifyLog(
  database: Pick<Database, 'engine' | 'location'>,
  options: VerifyOptions,
): Promise<Verification> {
  const keys = options.verifierKeys.map(parseVerifierKey);
  const { engine, location } = database;
  const archive = options.archive ?? null;
  const reader = await openLogReader(engine, location, archive);
  try {
    // Before the extent: what is sealed while this runs is written down past it.
    const segments = await reader.segments(0, Number.MAX_SAFE_INTEGER);
    const { leaves, covered } = await reader.extent();
    const size = Math.max(leaves, covered);
    const verifierKeys = [...new Set([...options.verifierKeys, ...(await reader.namedKeys())])];
    const threads = options.threads ?? (size < WORTH_A_THREAD ? 0 : availableParallelism());
    const checker =
      threads === 0
        ? checkHere(reader, verifierKeys.map(parseVerifierKey))
        : new CheckThreads({ engine, location, archive, verifierKeys }, threads);
    try {
      const verifier = new Verifier(reader, keys, options.against);
      return await verified(verifier, checker, { size, covered, segments }, options);
    } finally {
      await checker.close();
    }
  } finally {
    await reader.close();
  }
}

async function verified(
  verifier: Verifier,
  checker: Checker,
  { size, covered, segments }: { size: number; covered: number; segments: readonly LogSegment[] },
  { onProgress, pause }: VerifyOptions,
): Promise<Verification> {
  try {
    for await (const chunk of checker.checked(chunks(size))) {
      await verifier.add(chunk);
      onProgress?.(verifier.tree.size, size);
      await pause?.();
    }
    if (covered < verifier.tree.size)
      throw new Found('uncovered', covered, `no checkpoint vouches for record ${covered} and those after it`);
    verifier.assertReached();
    await verifier.findStray();
    verifier.checkSegments(segments);
    return { ok: true, ...provedBy(verifier) };
  } catch (found) {
    if (!(found instanceof Found)) throw found;
    return { ok: false, ...provedBy(verifier), fault: found.fault };
  }
}

function provedBy({ proved, provedRoot, hashesOnly }: Verifier): Omit<Verification, 'ok' | 'fault'> {
  return { size: proved, root: provedRoot.toString('base64'), hashesOnly };
}
