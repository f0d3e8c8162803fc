import { openCheckpoint, type VerifierKey } from '../checkpoint.js';
import { columnsOf } from '../columns.js';
import { LogActs } from './log-acts.js';
import { HASH_BYTES, leafHash, TILE_BYTES, TILE_WIDTH, writeTileRoot } from '../tree.js';
import type { AuditRecord } from '../record.js';
import { columnThatDiffers, joinColumns } from './joined-columns.js';
import { bySeq, type StoredSubject, subjectsAgree } from './subjects.js';

/**
 * What is wrong:
 * - `missing`: the record at this index is gone, or others stand out of order
 * - `changed`: this record is not the one whose digest the log holds
 * - `columns`: the record is intact, but what searches see of it (columns, subjects) was changed
 * - `history`: records were changed, inserted or exchanged together with their digests; a signed checkpoint says so
 * - `tile`: the records are proved, but a stored tile of the tree was changed or removed
 * - `checkpoint`: a checkpoint is not signed by the log's key, or is not what its row says
 * - `handover`: a record hands the log over to another key, and the key before did not sign that
 * - `uncovered`: from this record on, no checkpoint vouches
 * - `archive`: a file of a sealed segment was changed, cut or removed, or no record says that it was sealed so
 * - `cut`: a head that was kept elsewhere covers more records than there are
 */
export type FaultKind =
  | 'missing'
  | 'changed'
  | 'columns'
  | 'history'
  | 'tile'
  | 'checkpoint'
  | 'handover'
  | 'uncovered'
  | 'archive'
  | 'cut';

export interface LogFault {
  /** Index of the first record that is concerned. */
  readonly index: number;
  readonly what: FaultKind;
  /** For a person who reads the result of `lgsp audit verify`. */
  readonly detail: string;
}

/** A record as it is stored, in the table or in a sealed segment. */
export interface StoredRow {
  readonly seq: number;
  /** Null where only its hash is left: its file is encrypted, or its time was over. */
  readonly leaf: string | null;
  readonly hash: Buffer;
  /** As one text; null for a record that left the table. */
  readonly columns: string | null;
}

export interface StoredTile {
  readonly index: number;
  readonly hashes: Buffer;
  readonly root: Buffer;
}

export interface StoredCheckpoint {
  readonly size: number;
  readonly root: Buffer;
  readonly note: string;
}

/** What is stored beside the records from `from` up to but not including `to`. */
export interface StoredBeside {
  readonly from: number;
  readonly to: number;
  /** By place and digest. */
  readonly subjects: readonly StoredSubject[];
  /** Full tiles of leaves that end in the chunk. */
  readonly tiles: readonly StoredTile[];
  /** Those whose size lies behind `from`, up to and including `to`. */
  readonly checkpoints: readonly StoredCheckpoint[];
  /** What is wrong with a file that was to be read for it; the rows end there. */
  readonly fault?: LogFault;
}

/** All that is stored about the records from `from` up to but not including `to`. */
export interface StoredChunk extends StoredBeside {
  readonly rows: readonly StoredRow[];
}

/** A stored tile, held against the hashes that belong there. */
export interface ComparedTile {
  /** Null where the tile is missing. */
  readonly root: Uint8Array | null;
  /** The first hash that is another; null when none is. */
  readonly differs: number | null;
}

/** A tile of leaves, held against the leaves' own hashes. */
export interface CheckedTile extends ComparedTile {
  /** The root over the leaves' own hashes. */
  readonly own: Uint8Array;
}

export interface CheckedCheckpoint {
  readonly size: number;
  readonly root: Uint8Array;
  /** Hashes of the keys whose signature holds, hexadecimal; whether they may sign, the chunk does not know. */
  readonly signedBy: readonly string[];
  /** Set when nobody known signed it, or its row says something else. */
  readonly fault?: string;
}

/** What can be said of a chunk without what stands before it; crosses between threads. */
export interface CheckedChunk {
  readonly from: number;
  readonly to: number;
  /** The leaves' hashes, one after the other, up to the first fault. */
  readonly hashes: Uint8Array;
  /** By index of the tile. */
  readonly tiles: ReadonlyMap<number, CheckedTile>;
  readonly checkpoints: readonly CheckedCheckpoint[];
  /** Records that hand the log over to another key, by index. */
  readonly handOvers: ReadonlyMap<number, AuditRecord>;
  /** Acts about sealed segments. */
  readonly segmentActs: readonly AuditRecord[];
  /** Records of which only the hash is left. */
  readonly hashesOnly: number;
  readonly fault?: LogFault;
}

/**
 * Everything about a chunk that needs no neighbour: digests, columns, signatures, the tiles of its leaves.
 *
 * @param keys all that could have signed
 */
export function checkChunk(stored: StoredChunk, keys: readonly VerifierKey[]): CheckedChunk {
  const { from, to } = stored;
  const hashes = Buffer.alloc((to - from) * HASH_BYTES);
  const acts = new LogActs();
  const subjects = bySeq(stored.subjects);
  let index = from;
  let hashesOnly = 0;
  let fault: LogFault | undefined;
  for (const row of stored.rows) {
    const record = readLeaf(row.leaf);
    fault = faultOf(row, record, index) ?? faultOfSubjects(row, record, subjects.get(index), index);
    if (fault !== undefined) break;
    if (row.leaf === null) hashesOnly++;
    if (record !== null) acts.note(index, record);
    row.hash.copy(hashes, (index - from) * HASH_BYTES);
    index++;
  }
  fault ??= stored.fault;
  if (fault === undefined && index < to)
    fault = { index, what: 'missing', detail: `record ${index} is missing` };
  const checked = checkBeside(stored, hashes.subarray(0, (index - from) * HASH_BYTES), acts, keys);
  return { ...checked, hashesOnly, ...(fault === undefined ? {} : { fault }) };
}

/**
 * What stands beside the leaves: the tiles over them, and the checkpoints.
 *
 * @param hashes of the leaves, one after the other, up to the first fault
 */
export function checkBeside(
  stored: StoredBeside,
  hashes: Buffer,
  { handOvers, segmentActs }: LogActs,
  keys: readonly VerifierKey[],
): CheckedChunk {
  const { from, to } = stored;
  const checkpoints = stored.checkpoints.map((one) => checkCheckpoint(one, keys));
  const tiles = checkTiles(stored, hashes);
  return { from, to, hashes, tiles, checkpoints, handOvers, segmentActs, hashesOnly: 0 };
}

function readLeaf(leaf: string | null): AuditRecord | null {
  if (leaf === null) return null;
  try {
    const record = JSON.parse(leaf) as unknown;
    return typeof record === 'object' && record !== null ? (record as AuditRecord) : null;
  } catch {
    return null;
  }
}

function faultOf(row: StoredRow, record: AuditRecord | null, index: number): LogFault | undefined {
  if (row.seq !== index) return { index, what: 'missing', detail: `record ${index} is missing` };
  if (row.leaf === null) return undefined;
  if (!leafHash(row.leaf).equals(row.hash)) {
    const detail = `record ${index} is not the one whose digest the log holds`;
    return { index, what: 'changed', detail };
  }
  if (row.columns === null) return undefined;
  const wrong = record === null ? 'id' : wrongColumn(record, row.columns);
  if (wrong === undefined) return undefined;
  return { index, what: 'columns', detail: `column ${wrong} of record ${index} is not what the record says` };
}

function faultOfSubjects(
  row: StoredRow,
  record: AuditRecord | null,
  rows: readonly StoredSubject[] | undefined,
  index: number,
): LogFault | undefined {
  const agree = row.columns === null ? rows === undefined : record === null || subjectsAgree(record, rows);
  if (agree) return undefined;
  return { index, what: 'columns', detail: `the subjects of record ${index} are not those that it names` };
}

function wrongColumn(record: AuditRecord, columns: string): string | undefined {
  let expected: string;
  try {
    expected = joinColumns(columnsOf(record));
  } catch {
    // A member that should be a text is none: no recorder wrote that.
    return 'id';
  }
  return expected === columns ? undefined : columnThatDiffers(expected, columns);
}

function checkTiles({ from, tiles }: StoredBeside, hashes: Buffer): Map<number, CheckedTile> {
  const byIndex = new Map(tiles.map((tile) => [tile.index, tile]));
  const checked = new Map<number, CheckedTile>();
  // Not of the pool that small buffers share: all of what stands behind a view crosses between threads with it.
  const roots = Buffer.alloc(Math.floor(hashes.length / TILE_WIDTH));
  for (let start = 0, at = 0; start + TILE_BYTES <= hashes.length; start += TILE_BYTES, at += HASH_BYTES) {
    const index = (from + start / HASH_BYTES) / TILE_WIDTH;
    const tile = byIndex.get(index);
    const leaves = hashes.subarray(start, start + TILE_BYTES);
    writeTileRoot(leaves, roots, at);
    checked.set(index, {
      own: roots.subarray(at, at + HASH_BYTES),
      root: tile?.root ?? null,
      differs: tile === undefined || tile.hashes.equals(leaves) ? null : firstDifference(tile.hashes, leaves),
    });
  }
  return checked;
}

function checkCheckpoint(
  { size, root, note }: StoredCheckpoint,
  keys: readonly VerifierKey[],
): CheckedCheckpoint {
  const signers = keys.filter((key) => openCheckpoint(note, [key]) !== null);
  const signed = openCheckpoint(note, signers);
  const signedBy = signers.map((key) => key.keyHash.toString('hex'));
  if (signed === null)
    return { size, root, signedBy, fault: `the checkpoint at ${size} is not signed by a known key` };
  if (signed.size !== size || !signed.root.equals(root))
    return { size, root, signedBy, fault: `the checkpoint at ${size} is not what was signed` };
  return { size, root, signedBy };
}

/** Which hash is the first to differ; the count of hashes compared, when none does. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const count = Math.floor(Math.min(a.length, b.length) / HASH_BYTES);
  for (let i = 0; i < count; i++) {
    const [start, end] = [i * HASH_BYTES, (i + 1) * HASH_BYTES];
    if (Buffer.compare(a.subarray(start, end), b.subarray(start, end)) !== 0) return i;
  }
  return count;
}
