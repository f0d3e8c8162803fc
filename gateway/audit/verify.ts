import type { Database } from '../store/database.js';
import { openCheckpoint, parseVerifierKey, type VerifierKey } from './checkpoint.js';
import { COLUMN_NAMES, type Columns, columnsOf } from './columns.js';
import type { AuditRecord } from './record.js';
import { HASH_BYTES, LogTree, leafHash, TILE_WIDTH, type Tile } from './tree.js';

/**
 * What is wrong:
 * - `missing`: the record at this index is gone, or others stand out of order
 * - `changed`: this record is not the one whose digest the log holds
 * - `columns`: the record is intact, but what searches see of it was changed
 * - `history`: records were changed, inserted or exchanged together with their digests; a signed checkpoint says so
 * - `tile`: the records are proved, but a stored tile of the tree was changed or removed
 * - `checkpoint`: a checkpoint is not signed by the log's key, or is not what its row says
 * - `uncovered`: from this record on, no checkpoint vouches
 */
export type FaultKind = 'missing' | 'changed' | 'columns' | 'history' | 'tile' | 'checkpoint' | 'uncovered';

export interface LogFault {
  /** Index of the first record that is concerned. */
  readonly index: number;
  readonly what: FaultKind;
  /** For a person who reads the result of `lgsp audit verify`. */
  readonly detail: string;
}

export interface Verification {
  readonly ok: boolean;
  /** Leaves that were proved. */
  readonly size: number;
  /** Root over these leaves, base64. */
  readonly root: string;
  readonly fault?: LogFault;
}

export interface VerifyOptions {
  /** C2SP vkeys (`name+hash+key`) that may sign the log: the present one and all before it. */
  readonly verifierKeys: readonly string[];
  /** Called after each chunk with the number of leaves done and to do. */
  readonly onProgress?: (done: number, size: number) => void;
}

const CHUNK = 1000;

type StoredRow = Columns & { seq: number; leaf: string; leaf_hash: Buffer };
interface StoredCheckpoint {
  tree_size: number;
  root_hash: Buffer;
  note: string;
}

class Found extends Error {
  readonly fault: LogFault;

  constructor(what: FaultKind, index: number, detail: string) {
    super(detail);
    this.fault = { index, what, detail };
  }
}

/** The checkpoints in order, read ahead in chunks. */
class CheckpointReader {
  readonly #database: Database;
  readonly #size: number;
  #ahead: StoredCheckpoint[] = [];
  #read = 0;

  constructor(database: Database, size: number) {
    this.#database = database;
    this.#size = size;
  }

  /** The next one that is not larger than `size`, if there is one. */
  async next(size: number): Promise<StoredCheckpoint | undefined> {
    if (this.#ahead.length === 0 && this.#read < this.#size) {
      this.#ahead = await this.#database
        .knex<StoredCheckpoint>('log_checkpoints')
        .where('tree_size', '>', this.#read)
        .where('tree_size', '<=', this.#size)
        .orderBy('tree_size')
        .limit(CHUNK)
        .select('tree_size', 'root_hash', 'note');
      this.#read = this.#ahead.at(-1)?.tree_size ?? this.#size;
    }
    const first = this.#ahead[0];
    return first !== undefined && first.tree_size <= size ? this.#ahead.shift() : undefined;
  }
}

class Verifier {
  readonly #database: Database;
  readonly #keys: readonly VerifierKey[];
  readonly #checkpoints: CheckpointReader;
  readonly tree = new LogTree();
  /** Leaves that a checkpoint has proved, and the root over them. */
  proved = 0;
  provedRoot = this.tree.root();
  /** A stored tile that differs from the leaves; which of the two is wrong, the next checkpoint tells. */
  #suspect: { readonly index: number; readonly detail: string } | undefined;

  constructor(database: Database, keys: readonly VerifierKey[], size: number) {
    this.#database = database;
    this.#keys = keys;
    this.#checkpoints = new CheckpointReader(database, size);
  }

  async add(row: StoredRow): Promise<void> {
    const index = this.tree.size;
    if (row.seq !== index) throw new Found('missing', index, `record ${index} is missing`);
    checkRow(row);
    this.tree.append(row.leaf_hash);
    for (const tile of this.tree.takeTiles()) await this.#checkTile(tile);
    for (;;) {
      const checkpoint = await this.#checkpoints.next(this.tree.size);
      if (checkpoint === undefined) return;
      await this.#checkCheckpoint(checkpoint);
    }
  }

  async #checkTile(tile: Tile): Promise<void> {
    const stored = await this.#storedTile(tile.level, tile.index);
    if (stored?.hashes.equals(tile.hashes) === true && stored.root.equals(tile.root)) return;
    const span = TILE_WIDTH ** tile.level;
    const differs = stored?.hashes.equals(tile.hashes) === false;
    const at = differs ? firstDifference(stored.hashes, tile.hashes) : 0;
    this.#suspect ??= {
      index: (tile.index * TILE_WIDTH + at) * span,
      detail: `the tile of level ${tile.level} at ${tile.index} ${stored === undefined ? 'is missing' : 'does not match'}`,
    };
  }

  async #storedTile(level: number, index: number): Promise<{ hashes: Buffer; root: Buffer } | undefined> {
    return await this.#database
      .knex<{ level: number; tile_index: number; hashes: Buffer; root: Buffer }>('log_tiles')
      .where({ level, tile_index: index })
      .first('hashes', 'root');
  }

  async #checkCheckpoint(stored: StoredCheckpoint): Promise<void> {
    const signed = openCheckpoint(stored.note, this.#keys);
    const size = stored.tree_size;
    if (signed === null)
      throw new Found('checkpoint', this.proved, `the checkpoint at ${size} is not signed by a known key`);
    if (signed.size !== size || !signed.root.equals(stored.root_hash))
      throw new Found('checkpoint', this.proved, `the checkpoint at ${size} is not what was signed`);
    if (size !== this.tree.size)
      throw new Found('checkpoint', this.proved, `the checkpoint at ${size} stands out of order`);
    if (!signed.root.equals(this.tree.root())) throw await this.#rewritten(size);
    this.proved = size;
    this.provedRoot = signed.root;
    if (this.#suspect !== undefined) throw new Found('tile', this.#suspect.index, this.#suspect.detail);
  }

  /** The signed root contradicts the leaves since the last one that held: a tile may say which leaf it is. */
  async #rewritten(size: number): Promise<Found> {
    const detail = `records ${this.proved} to ${size - 1} are not those that were signed`;
    if (this.#suspect !== undefined)
      return new Found('history', Math.max(this.#suspect.index, this.proved), detail);
    const pending = this.tree.pendingLeaves;
    const stored = await this.#storedTile(0, Math.floor(size / TILE_WIDTH));
    const start = size - pending.length / HASH_BYTES;
    const at = stored === undefined ? Number.NaN : firstDifference(stored.hashes, pending);
    const exact = at * HASH_BYTES < pending.length ? start + at : this.proved;
    return new Found('history', Math.max(exact, this.proved), detail);
  }
}

/** Which hash is the first to differ; the count of hashes compared, when none does. */
function firstDifference(a: Buffer, b: Buffer): number {
  const count = Math.floor(Math.min(a.length, b.length) / HASH_BYTES);
  for (let i = 0; i < count; i++) {
    const part = (of: Buffer): Buffer => of.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
    if (!part(a).equals(part(b))) return i;
  }
  return count;
}

function checkRow(row: StoredRow): void {
  if (!leafHash(row.leaf).equals(row.leaf_hash))
    throw new Found('changed', row.seq, `record ${row.seq} is not the one whose digest the log holds`);
  const columns = readColumns(row);
  const wrong = COLUMN_NAMES.find((name) => columns?.[name] !== row[name]);
  if (wrong !== undefined)
    throw new Found('columns', row.seq, `column ${wrong} of record ${row.seq} is not what the record says`);
}

function readColumns(row: StoredRow): Columns | null {
  try {
    return columnsOf(JSON.parse(row.leaf) as AuditRecord);
  } catch {
    return null;
  }
}

/** How many records there are, and up to where a checkpoint vouches: of one moment, while others append. */
async function extent({ knex }: Database): Promise<{ leaves: number; covered: number }> {
  const row = await knex
    .select<{ leaves: number | string; covered: number | string }[]>(
      knex.raw('(SELECT coalesce(max(seq) + 1, 0) FROM records) AS leaves'),
      knex.raw('(SELECT coalesce(max(tree_size), 0) FROM log_checkpoints) AS covered'),
    )
    .first();
  return { leaves: Number(row?.leaves ?? 0), covered: Number(row?.covered ?? 0) };
}

async function readChunk({ knex }: Database, from: number, to: number): Promise<StoredRow[]> {
  return await knex<StoredRow>('records')
    .where('seq', '>=', from)
    .where('seq', '<', to)
    .orderBy('seq')
    .limit(CHUNK)
    .select<StoredRow[]>('seq', 'leaf', 'leaf_hash', ...COLUMN_NAMES);
}

/**
 * Recomputes the whole log as a stream, in memory that does not grow with it, and names the first record that
 * was changed, removed, inserted or moved. Records that are added meanwhile are left for the next time.
 *
 * That the log was cut off at its end together with its checkpoints cannot be seen from inside: hold `size` and
 * `root` against a checkpoint that was handed out.
 *
 * @throws RangeError when a verifier key is malformed
 * @example const { ok, fault } = await verifyLog(database, { verifierKeys: ['lgsp.example/log+…+…'] })
 */
export async function verifyLog(database: Database, options: VerifyOptions): Promise<Verification> {
  const keys = options.verifierKeys.map(parseVerifierKey);
  const { leaves, covered } = await extent(database);
  const verifier = new Verifier(database, keys, Math.max(leaves, covered));
  try {
    await checkAll(database, verifier, Math.max(leaves, covered), options);
    if (covered < leaves)
      throw new Found('uncovered', covered, `no checkpoint vouches for record ${covered} and those after it`);
    return { ok: true, ...provedBy(verifier) };
  } catch (found) {
    if (!(found instanceof Found)) throw found;
    return { ok: false, ...provedBy(verifier), fault: found.fault };
  }
}

function provedBy({ proved, provedRoot }: Verifier): { size: number; root: string } {
  return { size: proved, root: provedRoot.toString('base64') };
}

async function checkAll(
  database: Database,
  verifier: Verifier,
  size: number,
  { onProgress }: VerifyOptions,
): Promise<void> {
  const { tree } = verifier;
  while (tree.size < size) {
    const rows = await readChunk(database, tree.size, size);
    if (rows.length === 0) throw new Found('missing', tree.size, `record ${tree.size} is missing`);
    for (const row of rows) await verifier.add(row);
    onProgress?.(tree.size, size);
  }
}
