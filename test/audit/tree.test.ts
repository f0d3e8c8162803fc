import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import {
  LogTree,
  leafHash,
  nodeHash,
  pendingRanges,
  TILE_WIDTH,
  type Tile,
} from '../../gateway/audit/tree.js';

/** RFC 6962 2.1, word for word. */
function mth(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return createHash('sha256').digest();
  if (leaves.length === 1)
    return createHash('sha256')
      .update(Buffer.concat([Buffer.from([0]), leaves[0]!]))
      .digest();
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return createHash('sha256')
    .update(Buffer.concat([Buffer.from([1]), mth(leaves.slice(0, k)), mth(leaves.slice(k))]))
    .digest();
}

const leafOf = (bytes: Buffer): Buffer =>
  createHash('sha256')
    .update(Buffer.concat([Buffer.from([0]), bytes]))
    .digest();

// The leaves and roots that the reference implementations of Certificate Transparency test with.
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => Buffer.from(hex, 'hex'));
const ROOTS: readonly (readonly [size: number, root: string])[] = [
  [0, 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  [1, '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'],
  [2, 'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
  [8, '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328'],
];

function grown(hashes: readonly Buffer[]): { tree: LogTree; tiles: Tile[] } {
  const tree = new LogTree();
  for (const hash of hashes) tree.append(hash);
  return { tree, tiles: tree.takeTiles() };
}

const numbered = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => leafHash(`record ${i}`));

describe('the Merkle tree', () => {
  for (const [size, root] of ROOTS) {
    it(`has the published root over the first ${size} leaves of RFC 6962's test data`, () => {
      const { tree } = grown(LEAVES.slice(0, size).map(leafOf));
      assert.equal(tree.root().toString('hex'), root);
      assert.equal(mth(LEAVES.slice(0, size)).toString('hex'), root, 'the definition itself');
      assert.equal(tree.size, size);
    });
  }

  it('hashes the UTF-8 form of a leaf behind a zero byte', () => {
    assert.deepEqual(leafHash('Lai Châu'), leafOf(Buffer.from('Lai Châu', 'utf8')));
    assert.deepEqual(leafHash(''), leafOf(Buffer.alloc(0)));
  });

  it('agrees with the definition at every size up to 300', () => {
    const leaves = Array.from({ length: 300 }, (_, i) => Buffer.from(`record ${i}`));
    const tree = new LogTree();
    leaves.forEach((leaf, i) => {
      tree.append(leafHash(leaf.toString()));
      assert.deepEqual(tree.root(), mth(leaves.slice(0, i + 1)), `size ${i + 1}`);
    });
  });

  it('agrees with the definition on random leaves', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 700 }), (texts) => {
        const { tree } = grown(texts.map(leafHash));
        assert.deepEqual(tree.root(), mth(texts.map((text) => Buffer.from(text))));
      }),
      { numRuns: 30 },
    );
  });

  it('emits a tile when, and only when, it is full', () => {
    for (const [count, tiles] of [
      [0, 0],
      [255, 0],
      [256, 1],
      [257, 1],
      [512, 2],
    ] as const) {
      assert.equal(grown(numbered(count)).tiles.length, tiles, `${count} leaves`);
    }
  });

  it('emits tiles of the level above out of the roots of those below', () => {
    const hashes = numbered(TILE_WIDTH * TILE_WIDTH + 1);
    const { tiles, tree } = grown(hashes);
    const [lower, upper] = [
      tiles.filter((tile) => tile.level === 0),
      tiles.filter((tile) => tile.level === 1),
    ];
    assert.equal(lower.length, TILE_WIDTH);
    assert.equal(upper.length, 1);
    assert.deepEqual(
      lower.map((tile) => tile.index),
      Array.from({ length: TILE_WIDTH }, (_, i) => i),
    );
    assert.deepEqual(upper[0]!.hashes, Buffer.concat(lower.map((tile) => tile.root)));
    assert.deepEqual(lower[3]!.hashes, Buffer.concat(hashes.slice(3 * TILE_WIDTH, 4 * TILE_WIDTH)));
    assert.deepEqual(lower[0]!.root, grown(hashes.slice(0, TILE_WIDTH)).tree.root());
    assert.deepEqual(tree.root(), nodeHash(upper[0]!.root, hashes.at(-1)!));
  });

  for (const size of [0, 1, 3, 255, 256, 257, 511, 1000, 65_535, 65_536, 65_537, 66_000]) {
    it(`goes on after it was restored at ${size} leaves`, () => {
      const hashes = numbered(size + 300);
      const { tree: whole, tiles } = grown(hashes.slice(0, size));
      const restored = LogTree.restore(size, ({ level, from, to }) =>
        level === 0
          ? hashes.slice(from, to)
          : tiles.filter((t) => t.level === level - 1 && t.index >= from && t.index < to).map((t) => t.root),
      );
      assert.equal(restored.size, size);
      assert.deepEqual(restored.root(), whole.root());
      for (const hash of hashes.slice(size)) {
        whole.append(hash);
        restored.append(hash);
      }
      assert.deepEqual(restored.root(), whole.root());
      assert.deepEqual(restored.takeTiles(), whole.takeTiles());
    });
  }

  it('reads at most 255 hashes of each level to be restored', () => {
    const ranges = pendingRanges(10_000_000);
    assert.deepEqual(
      ranges.map(({ from, to }) => to - from),
      [10_000_000 % 256, Math.floor(10_000_000 / 256) % 256, Math.floor(10_000_000 / 65_536)],
    );
  });

  it('refuses to be restored from fewer hashes than it needs', () => {
    assert.throws(() => LogTree.restore(3, () => numbered(2)), RangeError);
  });
});
