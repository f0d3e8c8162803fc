import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { Knex } from 'knex';
import { canonicalRecord } from '../../gateway/audit/canonical.js';
import { columnsOf } from '../../gateway/audit/columns.js';
import { HASH_BYTES, leafHash, TILE_WIDTH } from '../../gateway/audit/tree.js';
import { type FaultKind, type KnownHead, verifyLog } from '../../gateway/audit/verify/verify.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { cutAt, startLog, tamper, verifierKeys } from './log.js';
import { aRecord, T0 } from './records.js';

const GROUPS = [1, 9, 250, 60, 5, 1, 180, 90, 40, 64];
const SIZE = 700;
/** Where a checkpoint stands: the log after each group. */
const HEADS = GROUPS.map((_, i) => GROUPS.slice(0, i + 1).reduce((sum, count) => sum + count, 0));
const FULL_TILES = Math.floor(SIZE / TILE_WIDTH);
const SUBJECTS = ['k:citizen:a', 'k:citizen:b'];

/** The last checkpoint before a record, which still vouches for what stands before it. */
const headBefore = (index: number): number => Math.max(0, ...HEADS.filter((size) => size <= index));

interface Tampering {
  readonly name: string;
  /** Anywhere: `at` is a record, `bit` a bit of what is changed, `group` a checkpoint. */
  how(knex: Knex, at: number, bit: number, group: number): Promise<unknown>;
  /** The rule: what verify must say. Null: from inside the log holds, and only a kept head tells. */
  says(at: number, group: number): readonly [FaultKind, number] | null;
  /** What a head that was kept tells where the log alone tells nothing. */
  keptSays?(at: number, group: number): readonly [FaultKind, number] | null;
}

function flip(bytes: Buffer, bit: number): Buffer {
  const flipped = Buffer.from(bytes);
  const at = (bit >> 3) % flipped.length;
  flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (bit & 7)), at);
  return flipped;
}

async function move(knex: Knex, from: number, to: number): Promise<void> {
  await knex('records').where({ seq: from }).update({ seq: to });
  await knex('record_subjects').where({ seq: from }).update({ seq: to });
}

/** Moves all records from one on by a place: through negative places, for each place holds one record. */
async function shift(knex: Knex, from: number, by: 1 | -1): Promise<void> {
  for (const table of ['records', 'record_subjects']) {
    await knex(table)
      .where('seq', '>=', from)
      .update({ seq: knex.raw('-1 - seq') });
    await knex(table)
      .where('seq', '<', 0)
      .update({ seq: knex.raw('-1 - seq + ?', [by]) });
  }
}

async function remove(knex: Knex, at: number): Promise<void> {
  await knex('records').where({ seq: at }).delete();
  await knex('record_subjects').where({ seq: at }).delete();
}

/** A record that was never written, with its digest, columns and subjects. */
async function insert(knex: Knex, at: number): Promise<void> {
  const record = aRecord({ subjects: SUBJECTS });
  const leaf = canonicalRecord(record);
  await shift(knex, at, 1);
  await knex('records').insert({ seq: at, leaf, leaf_hash: leafHash(leaf), ...columnsOf(record) });
  for (const digest of SUBJECTS) await knex('record_subjects').insert({ seq: at, digest, received_at: T0 });
}

const TAMPERINGS: readonly Tampering[] = [
  {
    // The digest that stands beside it is no longer its own.
    name: 'a character of a leaf',
    how: async (knex, at, bit) => {
      const { leaf } = await knex('records').where({ seq: at }).first('leaf');
      const [i, text] = [bit % leaf.length, leaf as string];
      const other = text[i] === 'x' ? 'y' : 'x';
      await knex('records')
        .where({ seq: at })
        .update({ leaf: text.slice(0, i) + other + text.slice(i + 1) });
    },
    says: (at) => ['changed', at],
  },
  {
    name: 'a bit of a digest',
    how: async (knex, at, bit) => {
      const { leaf_hash } = await knex('records').where({ seq: at }).first('leaf_hash');
      await knex('records')
        .where({ seq: at })
        .update({ leaf_hash: flip(leaf_hash, bit) });
    },
    says: (at) => ['changed', at],
  },
  {
    // Only what searches see is another; the record itself is intact.
    name: 'a column',
    how: (knex, at, bit) => {
      const column = ['agency', 'system', 'service', 'outcome', 'code'][bit % 5] as string;
      return knex('records')
        .where({ seq: at })
        .update({ [column]: 'X' });
    },
    says: (at) => ['columns', at],
  },
  {
    name: 'a subject taken away',
    how: (knex, at, bit) =>
      knex('record_subjects')
        .where({ seq: at, digest: SUBJECTS[bit % 2] })
        .delete(),
    says: (at) => ['columns', at],
  },
  {
    name: 'a subject added',
    how: (knex, at) => knex('record_subjects').insert({ seq: at, digest: 'k:citizen:z', received_at: T0 }),
    says: (at) => ['columns', at],
  },
  {
    name: 'a record removed',
    how: remove,
    says: (at) => ['missing', at],
  },
  {
    // In a full tile the tile tells which it was; past the last one, only since which head; past the last head but one,
    // that the last record is not there, for no head stands between.
    name: 'a record removed, and the rest moved up',
    how: async (knex, at) => {
      await remove(knex, at);
      await shift(knex, at + 1, -1);
    },
    says: (at) => (at >= (HEADS.at(-2) ?? 0) ? ['missing', SIZE - 1] : ['history', inTile(at)]),
  },
  {
    name: 'a record inserted',
    how: insert,
    says: (at) => ['history', inTile(at)],
  },
  {
    name: 'two neighbours exchanged',
    how: async (knex, at) => {
      const other = at === SIZE - 1 ? at - 1 : at + 1;
      await move(knex, at, -1);
      await move(knex, other, at);
      await move(knex, -1, other);
    },
    says: (at) => ['history', inTile(Math.min(at, SIZE - 2))],
  },
  {
    // The tile is wrong, not the records: named once the head after the tile has proved them.
    name: 'a bit of a tile',
    how: async (knex, at, bit) => {
      const where = { level: 0, tile_index: Math.floor(at / TILE_WIDTH) % FULL_TILES };
      const { hashes } = await knex('log_tiles').where(where).first('hashes');
      const first = at % TILE_WIDTH;
      const one = (hashes as Buffer).subarray(first * HASH_BYTES, (first + 1) * HASH_BYTES);
      const changed = Buffer.from(hashes as Buffer);
      flip(one, bit).copy(changed, first * HASH_BYTES);
      await knex('log_tiles').where(where).update({ hashes: changed });
    },
    says: (at) => ['tile', (Math.floor(at / TILE_WIDTH) % FULL_TILES) * TILE_WIDTH + (at % TILE_WIDTH)],
  },
  {
    name: 'a tile removed',
    how: (knex, at) =>
      knex('log_tiles')
        .where({ level: 0, tile_index: Math.floor(at / TILE_WIDTH) % FULL_TILES })
        .delete(),
    says: (at) => ['tile', (Math.floor(at / TILE_WIDTH) % FULL_TILES) * TILE_WIDTH],
  },
  {
    // What the head before it vouched for stays proved.
    name: 'a checkpoint’s root',
    how: async (knex, _, bit, group) => {
      const where = { tree_size: HEADS[group] };
      const { root_hash } = await knex('log_checkpoints').where(where).first('root_hash');
      await knex('log_checkpoints')
        .where(where)
        .update({ root_hash: flip(root_hash, bit) });
    },
    says: (_, group) => ['checkpoint', HEADS[group - 1] ?? 0],
  },
  {
    name: 'a checkpoint’s note',
    how: (knex, _, __, group) =>
      knex('log_checkpoints')
        .where({ tree_size: HEADS[group] })
        .update({ note: knex.raw(`replace(note, 'lgsp', 'lgspx')`) }),
    says: (_, group) => ['checkpoint', HEADS[group - 1] ?? 0],
  },
  {
    // The next one vouches for the same records; only past the last does nothing vouch.
    name: 'a checkpoint removed',
    how: (knex, _, __, group) => knex('log_checkpoints').where({ tree_size: HEADS[group] }).delete(),
    says: (_, group) => (group < HEADS.length - 1 ? null : ['uncovered', HEADS.at(-2) ?? 0]),
  },
  {
    name: 'the end cut off, its checkpoints left',
    how: async (knex, at) => {
      await knex('records').where('seq', '>=', at).delete();
      await knex('record_subjects').where('seq', '>=', at).delete();
    },
    says: (at) => ['missing', at],
  },
  {
    // Within a group, what the head before did not cover is vouched for by nobody; at its end, all seems well.
    name: 'the end cut off with its checkpoints',
    how: cutAt,
    says: (at) => (headBefore(at) === at ? null : ['uncovered', headBefore(at)]),
    keptSays: (at) => ['cut', at],
  },
  {
    name: 'the end cut off with its checkpoints, just behind one',
    how: (knex, _, __, group) => cutAt(knex, HEADS[group - 1] ?? 0),
    says: () => null,
    keptSays: (_, group) => ['cut', HEADS[group - 1] ?? 0],
  },
];

/** Where a change of digests is seen first: at the record in a full tile, at the head before it past the last. */
function inTile(at: number): number {
  return at < FULL_TILES * TILE_WIDTH ? at : headBefore(at);
}

const TABLES = ['records', 'record_subjects', 'log_tiles', 'log_checkpoints'];
const RUNS = 3;

async function restore(knex: Knex): Promise<void> {
  for (const table of TABLES) {
    await knex(table).delete();
    await knex.raw('INSERT INTO ?? SELECT * FROM ??', [table, `${table}_kept`]);
  }
}

for (const engine of engines) {
  describe(`a log tampered with anywhere, on ${engine.name}`, function () {
    this.timeout(120_000);
    let test: TestDatabase;
    let kept: KnownHead;
    before(async () => {
      test = await engine.create();
      const recorder = await startLog(test.database);
      for (const count of GROUPS)
        await Promise.all(
          Array.from({ length: count }, () => recorder.write(aRecord({ subjects: SUBJECTS }))),
        );
      await recorder.close();
      const { knex } = test.database;
      const { root_hash } = await knex('log_checkpoints').where({ tree_size: SIZE }).first('root_hash');
      kept = { size: SIZE, root: (root_hash as Buffer).toString('base64'), from: 'the head that was kept' };
      await tamper(test.database, async () => {
        for (const table of TABLES)
          await knex.raw('CREATE TABLE ?? AS SELECT * FROM ??', [`${table}_kept`, table]);
      });
    });
    after(() => test.drop());

    const found = async (against: readonly KnownHead[]) => {
      const { ok, fault } = await verifyLog(test.database, { verifierKeys, against, threads: 0 });
      return ok ? null : [fault?.what, fault?.index];
    };

    for (const { name, how, says, keptSays } of TAMPERINGS)
      it(name, async () => {
        const anywhere = fc.tuple(
          fc.integer({ min: 0, max: SIZE - 1 }),
          fc.nat(1 << 16),
          fc.nat(GROUPS.length - 1),
        );
        await fc.assert(
          fc.asyncProperty(anywhere, async ([at, bit, group]) => {
            const { knex } = test.database;
            await knex.transaction(async (trx) => {
              await restore(trx);
              await how(trx, at, bit, group);
            });
            const alone = says(at, group);
            assert.deepEqual(await found([]), alone);
            assert.deepEqual(await found([kept]), alone ?? keptSays?.(at, group) ?? null);
          }),
          { numRuns: RUNS },
        );
      });
  });
}
