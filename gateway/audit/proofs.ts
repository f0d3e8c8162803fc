import { HASH_BYTES, nodeHash, TILE_WIDTH } from './tree.js';

/**
 * Gives the hashes `from` up to but not including `to` of one level of the tree, where a hash of level l spans
 * `TILE_WIDTH ** l` leaves. All of them lie in one tile.
 */
export type HashReader = (level: number, from: number, to: number) => Promise<readonly Buffer[]>;

/** Leaves `from` up to but not including `to`. */
export type Span = readonly [from: number, to: number];

/** The largest power of two that is smaller than `n`; `n` is 2 at least. */
export function split(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

/** RFC 6962 2.1.1, `PATH(index, D[from:to])`: whose hashes the proof is, from the leaf's sibling upwards. */
export function inclusionSpans(index: number, from: number, to: number): Span[] {
  if (to - from === 1) return [];
  const middle = from + split(to - from);
  return index < middle
    ? [...inclusionSpans(index, from, middle), [middle, to]]
    : [...inclusionSpans(index, middle, to), [from, middle]];
}

/** Whose hashes, with those of the leaves `from` up to but not including `to`, make the root of `size` leaves. */
export function rangeSpans([from, to]: Span, size: number): Span[] {
  const around = (a: number, b: number): Span[] => {
    if (b <= from || a >= to) return [[a, b]];
    if (from <= a && b <= to) return [];
    const middle = a + split(b - a);
    return [...around(a, middle), ...around(middle, b)];
  };
  return around(0, size);
}

/**
 * The root of `size` leaves, from the hashes of a range of them and those around it.
 *
 * @param leaves hashes of the range, one after the other
 * @param around by span, as `rangeSpans` names them
 * @returns null when one around it is not there
 */
export function rootOfRange(
  leaves: Buffer,
  [from, to]: Span,
  size: number,
  around: (span: Span) => Buffer | undefined,
): Buffer | null {
  const hashOf = (a: number, b: number): Buffer | null => {
    if (b <= from || a >= to) return around([a, b]) ?? null;
    if (b - a === 1) return leaves.subarray((a - from) * HASH_BYTES, (a - from + 1) * HASH_BYTES);
    const middle = a + split(b - a);
    const [left, right] = [hashOf(a, middle), hashOf(middle, b)];
    return left === null || right === null ? null : nodeHash(left, right);
  };
  return hashOf(0, size);
}

/** RFC 6962 2.1.2, `SUBPROOF(m, D[from:to], known)`: `known` while the older tree is a subtree that its reader has. */
function consistencySpans(m: number, from: number, to: number, known: boolean): Span[] {
  if (m === to) return known ? [] : [[from, to]];
  const middle = from + split(to - from);
  return m <= middle
    ? [...consistencySpans(m, from, middle, known), [middle, to]]
    : [...consistencySpans(m, middle, to, false), [from, middle]];
}

function rootOf(hashes: readonly Buffer[]): Buffer {
  let level = hashes;
  while (level.length > 1) {
    const above: Buffer[] = [];
    for (let i = 0; i < level.length; i += 2)
      above.push(nodeHash(level[i] as Buffer, level[i + 1] as Buffer));
    level = above;
  }
  return level[0] as Buffer;
}

/** The hash over `width` leaves, a power of two, that begin at a multiple of it: part of one tile. */
async function subtreeHash(read: HashReader, from: number, width: number): Promise<Buffer> {
  let level = 0;
  let span = 1;
  while (span * TILE_WIDTH <= width) {
    span *= TILE_WIDTH;
    level++;
  }
  const hashes = await read(level, from / span, (from + width) / span);
  if (hashes.length !== width / span) throw new RangeError(`the log lacks hashes of level ${level}`);
  return rootOf(hashes);
}

/** The Merkle tree hash over a span that begins at a multiple of every power of two it is split at. */
export async function spanHash(read: HashReader, [from, to]: Span): Promise<Buffer> {
  const subtrees: Buffer[] = [];
  for (let at = from; at < to; ) {
    let width = 1;
    while (2 * width <= to - at) width *= 2;
    subtrees.push(await subtreeHash(read, at, width));
    at += width;
  }
  return subtrees.reduceRight((right, left) => nodeHash(left, right));
}

async function hashesOf(read: HashReader, spans: readonly Span[]): Promise<Buffer[]> {
  const hashes: Buffer[] = [];
  for (const span of spans) hashes.push(await spanHash(read, span));
  return hashes;
}

/**
 * That leaf `index` is in the tree of the first `size` leaves: the siblings from the leaf to the root, RFC 6962 2.1.1.
 *
 * @throws RangeError unless 0 ≤ index < size, or when the log lacks hashes
 */
export async function inclusionProof(read: HashReader, index: number, size: number): Promise<Buffer[]> {
  if (index < 0 || index >= size) throw new RangeError('the leaf is not in the tree');
  return await hashesOf(read, inclusionSpans(index, 0, size));
}

/**
 * That the tree of the first `to` leaves continues the one of the first `from`, RFC 6962 2.1.2. Nothing needs to be
 * shown where both are the same, or the older is empty.
 *
 * @throws RangeError unless 0 ≤ from ≤ to, or when the log lacks hashes
 */
export async function consistencyProof(read: HashReader, from: number, to: number): Promise<Buffer[]> {
  if (from < 0 || from > to) throw new RangeError('the older tree is larger');
  if (from === 0 || from === to) return [];
  return await hashesOf(read, consistencySpans(from, 0, to, true));
}

/** The Merkle tree hash over the first `size` leaves; `size` is 1 at least. */
export async function rootAt(read: HashReader, size: number): Promise<Buffer> {
  return await spanHash(read, [0, size]);
}

const isOdd = (n: number): boolean => n % 2 === 1;
const half = (n: number): number => Math.floor(n / 2);

/** Whether the proof shows that `leaf` is leaf `index` of the tree of `size` leaves with this root. Needs nothing else. */
export function verifyInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!(index >= 0 && index < size)) return false;
  let [node, at, last] = [leaf, index, size - 1];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      node = nodeHash(sibling, node);
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else node = nodeHash(node, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && node.equals(root);
}

/** Whether the proof shows that the tree of `to` leaves continues that of `from` leaves. Needs nothing else. */
export function verifyConsistency(
  from: number,
  to: number,
  proof: readonly Buffer[],
  fromRoot: Buffer,
  toRoot: Buffer,
): boolean {
  if (from < 0 || from > to) return false;
  if (from === to) return proof.length === 0 && fromRoot.equals(toRoot);
  if (from === 0) return proof.length === 0;
  let [at, last] = [from - 1, to - 1];
  while (isOdd(at)) [at, last] = [half(at), half(last)];
  // A complete older tree is a node of the newer one: its root opens the proof without being sent.
  const [first, ...rest] = at === 0 ? [fromRoot, ...proof] : proof;
  if (first === undefined) return false;
  let [older, newer] = [first, first];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      [older, newer] = [nodeHash(sibling, older), nodeHash(sibling, newer)];
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else newer = nodeHash(newer, sibling);
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && older.equals(fromRoot) && newer.equals(toRoot);
}
