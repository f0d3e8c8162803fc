import { hash } from 'node:crypto';

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32;
/** Hashes in a full tile: eight levels of the tree. */
export const TILE_WIDTH = 256;

/** Bytes of a full tile. */
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

const TILE_HEIGHT = 8;

/** A full tile: the `TILE_WIDTH` hashes at (level, index), where a hash of level n+1 is the root of a tile of level n. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Buffer;
  readonly root: Buffer;
}

/** Hashes of one level that no full tile holds yet: those from `from` up to but not including `to`. */
export interface PendingRange {
  readonly level: number;
  readonly from: number;
  readonly to: number;
}

/** A digest as text of one byte a character: a buffer that crosses from native code costs more than the hash itself. */
function sha256(data: string | Buffer): string {
  return hash('sha256', data, 'binary');
}

/** The hash of a leaf, RFC 6962 2.1: SHA-256(0x00 || leaf), over the UTF-8 form of the text. */
export function leafHash(leaf: string): Buffer {
  return Buffer.from(sha256(`\u0000${leaf}`), 'latin1');
}

/** Writes the hash of a leaf that stands in memory behind the byte 0x00 already. */
export function writeLeafHash(prefixed: Buffer, into: Buffer, at: number): void {
  into.write(sha256(prefixed), at, 'latin1');
}

// One scratch area: hashing is synchronous, and an allocation per node would show on the hot path. The node that is
// hashed stands before the hashes of a tile, so that a pair is moved there without a view of it.
const NODE_BYTES = 1 + 2 * HASH_BYTES;
const scratch = Buffer.alloc(NODE_BYTES + TILE_BYTES, 1);
const node = scratch.subarray(0, NODE_BYTES);

/** The hash of an inner node, RFC 6962 2.1: SHA-256(0x01 || left || right). */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return Buffer.from(sha256(node), 'latin1');
}

/** Writes the root of the subtree that a full tile of `TILE_WIDTH` hashes spans. */
export function writeTileRoot(hashes: Uint8Array, into: Buffer, at: number): void {
  scratch.set(hashes, NODE_BYTES);
  for (let width = TILE_WIDTH; width > 1; width /= 2) {
    for (let i = 0; i < width / 2; i++) {
      const pair = NODE_BYTES + 2 * i * HASH_BYTES;
      scratch.copyWithin(1, pair, pair + 2 * HASH_BYTES);
      // Over pairs that were hashed already.
      scratch.write(sha256(node), NODE_BYTES + i * HASH_BYTES, 'latin1');
    }
  }
  into.set(scratch.subarray(NODE_BYTES, NODE_BYTES + HASH_BYTES), at);
}

/** What has to be read to rebuild a tree of `size` leaves: at most 255 hashes of each level. */
export function pendingRanges(size: number): PendingRange[] {
  const ranges: PendingRange[] = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    ranges.push({ level, from: count - (count % TILE_WIDTH), to: count });
  }
  return ranges;
}

interface Level {
  readonly hashes: Buffer;
  count: number;
}

/**
 * The growing end of an RFC 6962 tree. It keeps the roots of the complete subtrees on the right edge (one per
 * height) and the hashes of tiles that are not full yet, so that an append costs one hash on average, a root
 * O(log n), and memory does not grow with the log.
 */
export class LogTree {
  #size = 0;
  /** By height: the root of the complete subtree that stands there, where the size has that bit. */
  readonly #edge: (Buffer | undefined)[] = [];
  readonly #levels: Level[] = [];
  #full: Tile[] = [];

  /**
   * A tree as it was at `size`.
   *
   * @param hashesOf gives the hashes of a range that `pendingRanges(size)` named, in order
   */
  static restore(size: number, hashesOf: (range: PendingRange) => readonly Buffer[]): LogTree {
    const tree = new LogTree();
    for (const range of pendingRanges(size)) {
      const hashes = hashesOf(range);
      if (hashes.length !== range.to - range.from)
        throw new RangeError(`level ${range.level} lacks hashes of ${range.from} to ${range.to}`);
      for (const one of hashes) tree.#push(range.level, one);
    }
    tree.#size = size;
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a leaf; tiles that it completes wait in `takeTiles`. */
  append(leaf: Buffer): void {
    this.#size++;
    this.#push(0, leaf);
  }

  /**
   * Adds all leaves of a tile at once, where the tree ends with a full one.
   *
   * @param root of `hashes`, as `writeTileRoot` makes it
   */
  appendTile(hashes: Uint8Array, root: Buffer): void {
    if (this.#size % TILE_WIDTH !== 0) throw new RangeError('a tile begins where one ends');
    this.#size += TILE_WIDTH;
    const index = this.#size / TILE_WIDTH - 1;
    this.#full.push({ level: 0, index, hashes: Buffer.from(hashes), root });
    this.#push(1, root);
  }

  /** The tiles completed since the last time, lower levels first. */
  takeTiles(): Tile[] {
    const tiles = this.#full;
    this.#full = [];
    return tiles;
  }

  /** The hashes of the last, incomplete tile of leaves: a view, good until the next append. */
  get pendingLeaves(): Buffer {
    const level = this.#levels[0];
    return level === undefined ? Buffer.alloc(0) : level.hashes.subarray(0, level.count * HASH_BYTES);
  }

  /** The Merkle tree hash of all leaves; that of no leaves is SHA-256 of nothing. */
  root(): Buffer {
    let root: Buffer | undefined;
    for (const subtree of this.#edge) {
      if (subtree !== undefined) root = root === undefined ? subtree : nodeHash(subtree, root);
    }
    return root ?? hash('sha256', '', 'buffer');
  }

  #push(level: number, given: Buffer): void {
    let node = given;
    let height = level * TILE_HEIGHT;
    this.#keep(level, node);
    for (let left = this.#edge[height]; left !== undefined; left = this.#edge[height]) {
      node = nodeHash(left, node);
      this.#edge[height++] = undefined;
      if (height % TILE_HEIGHT === 0) {
        const above = height / TILE_HEIGHT;
        this.#complete(above - 1, node);
        this.#keep(above, node);
      }
    }
    this.#edge[height] = node;
  }

  #keep(level: number, node: Buffer): void {
    const held = (this.#levels[level] ??= { hashes: Buffer.allocUnsafe(TILE_BYTES), count: 0 });
    held.hashes.set(node, held.count++ * HASH_BYTES);
  }

  #complete(level: number, root: Buffer): void {
    const held = this.#levels[level];
    if (held === undefined) return;
    held.count = 0;
    const index = Math.floor(this.#size / TILE_WIDTH ** (level + 1)) - 1;
    this.#full.push({ level, index, hashes: Buffer.from(held.hashes), root });
  }
}
