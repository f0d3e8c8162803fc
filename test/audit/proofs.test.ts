import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  consistencyProof,
  type HashReader,
  inclusionProof,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from '../../gateway/audit/proofs.js';
import type { Recorder } from '../../gateway/audit/record.js';
import { storedTree } from '../../gateway/audit/stored-tree.js';
import { parseTilePath, tilePath } from '../../gateway/audit/tile-path.js';
import { HASH_BYTES, LogTree, leafHash, TILE_WIDTH, type Tile } from '../../gateway/audit/tree.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startLog } from './log.js';
import { aRecord } from './records.js';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');

// The reference tree of Certificate Transparency, with the roots and proofs its implementations test with.
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
].map(hex);
const INCLUSIONS: readonly (readonly [index: number, size: number, proof: readonly string[]])[] = [
  [0, 1, []],
  [
    0,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    5,
    8,
    [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [2, 3, ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125']],
  [
    1,
    5,
    [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];
const CONSISTENCIES: readonly (readonly [from: number, to: number, proof: readonly string[]])[] = [
  [1, 1, []],
  [
    1,
    8,
    [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  ],
  [
    6,
    8,
    [
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  ],
  [
    2,
    5,
    [
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  ],
];

/** A stored tree in memory: full tiles only, and the leaves. */
function readerOf(leaves: readonly Buffer[]): HashReader & { reads: number } {
  const tree = new LogTree();
  for (const leaf of leaves) tree.append(leaf);
  const tiles = new Map<string, Tile>(tree.takeTiles().map((tile) => [`${tile.level}/${tile.index}`, tile]));
  const reader = Object.assign(
    (level: number, from: number, to: number) => {
      reader.reads++;
      assert.equal(Math.floor(from / TILE_WIDTH), Math.floor((to - 1) / TILE_WIDTH), 'one tile at a time');
      const hashes = Array.from({ length: to - from }, (_, i) =>
        level === 0 ? leaves[from + i] : tiles.get(`${level - 1}/${from + i}`)?.root,
      );
      return Promise.resolve(hashes.filter((one) => one !== undefined));
    },
    { reads: 0 },
  );
  return reader;
}

const numbered = Array.from({ length: 700 }, (_, i) => leafHash(`record ${i}`));
const rootsOfNumbered = ((): Buffer[] => {
  const tree = new LogTree();
  return [tree.root(), ...numbered.map((leaf) => (tree.append(leaf), tree.root()))];
})();

function flipped(buffers: readonly Buffer[], bit: number): Buffer[] {
  const copy = buffers.map((one) => Buffer.from(one));
  const at = bit % (buffers.length * HASH_BYTES * 8);
  const byte = Math.floor(at / 8);
  const one = copy[Math.floor(byte / HASH_BYTES)]!;
  one[byte % HASH_BYTES]! ^= 1 << (at % 8);
  return copy;
}

describe('proofs', () => {
  const reference = LEAVES.map((leaf) => leafHash(hex(leaf).toString('latin1')));
  const read = readerOf(reference);

  it('give the published roots', async () => {
    for (const [i, root] of ROOTS.entries()) assert.deepEqual(await rootAt(read, i + 1), root);
  });
  for (const [index, size, proof] of INCLUSIONS)
    it(`of inclusion are the published one for leaf ${index} of ${size}`, async () => {
      assert.deepEqual(await inclusionProof(read, index, size), proof.map(hex));
      assert.ok(verifyInclusion(reference[index]!, index, size, proof.map(hex), ROOTS[size - 1]!));
    });
  for (const [from, to, proof] of CONSISTENCIES)
    it(`of consistency are the published one from ${from} to ${to}`, async () => {
      assert.deepEqual(await consistencyProof(read, from, to), proof.map(hex));
      assert.ok(verifyConsistency(from, to, proof.map(hex), ROOTS[from - 1]!, ROOTS[to - 1]!));
    });

  it('hold for every leaf and every size of random trees, and no flipped bit goes through', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 699 }), fc.nat(), async (size, bit) => {
        const own = readerOf(numbered.slice(0, size));
        const root = rootsOfNumbered[size]!;
        for (let i = 0; i < size; i++) {
          const leaf = numbered[i]!;
          const proof = await inclusionProof(own, i, size);
          assert.ok(verifyInclusion(leaf, i, size, proof, root));
          const [wrongLeaf, wrongRoot, ...wrongProof] = [[leaf], [root], proof].flat();
          const all = flipped([wrongLeaf!, wrongRoot!, ...wrongProof], bit + i * 7);
          assert.ok(!verifyInclusion(all[0]!, i, size, all.slice(2), all[1]!), `bit ${bit + i * 7} of ${i}`);
          assert.ok(!verifyInclusion(leaf, i + 1, size, proof, root));
          assert.ok(!verifyInclusion(leaf, i, size, [...proof, leaf], root));
          if (proof.length > 0) assert.ok(!verifyInclusion(leaf, i, size, proof.slice(0, -1), root));
        }
      }),
      { numRuns: 12 },
    );
  });

  it('show that each size continues each smaller one, and no flipped bit goes through', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 699 }), fc.nat(), async (to, bit) => {
        const own = readerOf(numbered.slice(0, to));
        const root = rootsOfNumbered[to]!;
        for (let from = 1; from <= to; from++) {
          const older = rootsOfNumbered[from]!;
          const proof = await consistencyProof(own, from, to);
          assert.ok(verifyConsistency(from, to, proof, older, root));
          const all = flipped([older, root, ...proof], bit + from * 7);
          assert.ok(!verifyConsistency(from, to, all.slice(2), all[0]!, all[1]!), `bit ${bit} at ${from}`);
          assert.ok(!verifyConsistency(from, to, [...proof, root], older, root));
          if (from < to)
            assert.ok(!verifyConsistency(from, to, [], older, rootsOfNumbered[to - 1]!) || from === to - 1);
        }
        assert.ok(verifyConsistency(0, to, [], rootsOfNumbered[0]!, root));
      }),
      { numRuns: 12 },
    );
  });

  it('read a number of tiles that grows with the logarithm', async () => {
    const own = readerOf(numbered);
    await inclusionProof(own, 345, 700);
    assert.ok(own.reads <= 20, `${own.reads} reads`);
  });

  it('are refused outside of the tree', async () => {
    for (const [index, size] of [
      [-1, 5],
      [5, 5],
      [0, 0],
    ] as const)
      await assert.rejects(inclusionProof(read, index, size), RangeError);
    await assert.rejects(inclusionProof(read, 0, 9), RangeError, 'larger than the log');
    await assert.rejects(consistencyProof(read, 6, 5), RangeError);
  });
});

for (const engine of engines) {
  describe(`proofs from the tables of ${engine.name}`, () => {
    let test: TestDatabase;
    let recorder: Recorder;

    before(async () => {
      test = await engine.create();
      recorder = await startLog(test.database);
      await Promise.all(Array.from({ length: 700 }, () => recorder.write(aRecord())));
    });
    after(async () => {
      await recorder.close();
      await test.drop();
    });

    it('hold, from full tiles and from what is not full yet', async () => {
      const rows = await test.database.knex('records').orderBy('seq').select('leaf');
      const tree = new LogTree();
      const hashes = rows.map(({ leaf }: { leaf: string }) => leafHash(leaf));
      const roots = hashes.map((hash) => (tree.append(hash), tree.root()));
      for (const size of [1, 255, 256, 257, 511, 512, 600, 700]) {
        for (const index of [0, 1, 255, 256, 511, 512, 599, 699].filter((i) => i < size)) {
          const proof = await inclusionProof(storedTree(test.database), index, size);
          assert.ok(
            verifyInclusion(hashes[index]!, index, size, proof, roots[size - 1]!),
            `${index} of ${size}`,
          );
        }
        const proof = await consistencyProof(storedTree(test.database), size, 700);
        assert.ok(verifyConsistency(size, 700, proof, roots[size - 1]!, roots[699]!), `from ${size}`);
      }
    });
  });
}

describe('the paths of C2SP tlog-tiles', () => {
  const good: readonly (readonly [path: string, index: number, width: number])[] = [
    ['000', 0, 256],
    ['067', 67, 256],
    ['999', 999, 256],
    ['x001/000', 1000, 256],
    ['x001/x234/067', 1_234_067, 256],
    ['x001/x234/067.p/1', 1_234_067, 1],
    ['000.p/255', 0, 255],
    ['x999/x999/x999/999', 999_999_999_999, 256],
  ];
  for (const [path, index, width] of good)
    it(`name a tile by ${path}`, () => {
      assert.deepEqual(parseTilePath(path), { index, width });
      assert.equal(tilePath({ index, width }), path);
    });
  const bad = ['', '0', '67', '0067', 'x067', '001/067', 'x001/67', 'x001/x067', 'x000/067', 'x001//067'];
  bad.push(
    '067.p/0',
    '067.p/256',
    '067.p/01',
    '067.p/',
    '067.p',
    '067/',
    '/067',
    'x001/x001/x001/x001/001',
    '-01',
  );
  for (const path of bad) it(`are not ${path || 'empty'}`, () => assert.equal(parseTilePath(path), null));
});
