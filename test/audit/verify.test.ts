import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { canonicalRecord } from '../../gateway/audit/canonical.js';
import { columnsOf } from '../../gateway/audit/columns.js';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { HASH_BYTES, leafHash } from '../../gateway/audit/tree.js';
import { type FaultKind, verifyLog } from '../../gateway/audit/verify/verify.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { ORIGIN, startLog, tamper, verifierKeys, verify } from './log.js';
import { aRecord, T0 } from './records.js';

interface Tampering {
  readonly name: string;
  readonly how: (knex: Knex) => Promise<unknown>;
  readonly fault: { index: number; what: FaultKind };
}

/** A forger who knows the format: leaf, digest and columns all agree. */
async function rewrite(knex: Knex, seq: number, change: Partial<AuditRecord>): Promise<void> {
  const row = await knex('records').where({ seq }).first('leaf');
  const record = { ...(JSON.parse(row.leaf) as AuditRecord), ...change };
  const leaf = canonicalRecord(record);
  await knex('records')
    .where({ seq })
    .update({ leaf, leaf_hash: leafHash(leaf), ...columnsOf(record) });
}

async function exchange(knex: Knex, a: number, b: number): Promise<void> {
  await knex('records').where({ seq: a }).update({ seq: -1 });
  await knex('records').where({ seq: b }).update({ seq: a });
  await knex('records').where({ seq: -1 }).update({ seq: b });
}

async function insertAt(knex: Knex, seq: number): Promise<void> {
  const top = Number((await knex('records').max({ top: 'seq' }))[0]?.top);
  for (let i = top; i >= seq; i--)
    await knex('records')
      .where({ seq: i })
      .update({ seq: i + 1 });
  const record = aRecord({ subjects: SUBJECTS });
  const leaf = canonicalRecord(record);
  // All records name the same subjects: with one row more at the end, every record has those it names.
  for (const digest of SUBJECTS)
    await knex('record_subjects').insert({ digest, received_at: T0, seq: Math.max(top + 1, seq) });
  await knex('records').insert({ seq, leaf, leaf_hash: leafHash(leaf), ...columnsOf(record) });
}

async function removeAndCloseUp(knex: Knex, seq: number): Promise<void> {
  const top = Number((await knex('records').max({ top: 'seq' }))[0]?.top);
  await knex('records').where({ seq }).delete();
  for (let i = seq + 1; i <= top; i++)
    await knex('records')
      .where({ seq: i })
      .update({ seq: i - 1 });
}

async function retile(knex: Knex, seq: number): Promise<void> {
  const row = await knex('records').where({ seq }).first('leaf_hash');
  const where = { level: 0, tile_index: Math.floor(seq / 256) };
  const tile = await knex('log_tiles').where(where).first('hashes');
  const hashes = Buffer.from(tile.hashes);
  row.leaf_hash.copy(hashes, (seq % 256) * HASH_BYTES);
  await knex('log_tiles').where(where).update({ hashes });
}

const SUBJECTS = ['k:citizen:a', 'k:citizen:b'];
const GROUPS = [1, 9, 250, 60, 5, 1];
const SIZE = 326;

const TAMPERINGS: readonly Tampering[] = [
  {
    name: 'a leaf changed in one character',
    how: (knex) =>
      knex('records')
        .where({ seq: 100 })
        .update({ leaf: knex.raw(`replace(leaf, 'H35.61', 'H35.62')`) }),
    fault: { index: 100, what: 'changed' },
  },
  {
    name: 'a digest changed',
    how: (knex) =>
      knex('records')
        .where({ seq: 7 })
        .update({ leaf_hash: Buffer.alloc(32, 1) }),
    fault: { index: 7, what: 'changed' },
  },
  ...(['agency', 'user', 'code', 'provider', 'opening', 'trace'] as const).map((column) => ({
    name: `column ${column} changed, so that a search would miss the record`,
    how: (knex: Knex) =>
      knex('records')
        .where({ seq: 42 })
        .update({ [column]: 'X' }),
    fault: { index: 42, what: 'columns' as const },
  })),
  {
    name: 'the time received changed in its column',
    how: (knex) => knex('records').where({ seq: 42 }).increment('received_at', 1),
    fault: { index: 42, what: 'columns' },
  },
  {
    name: 'a subject taken from a record, so that an access is hidden from whom it concerns',
    how: (knex) => knex('record_subjects').where({ seq: 42, digest: SUBJECTS[0] }).delete(),
    fault: { index: 42, what: 'columns' },
  },
  {
    name: 'a subject added to a record',
    how: (knex) => knex('record_subjects').insert({ digest: 'k:citizen:z', received_at: T0, seq: 42 }),
    fault: { index: 42, what: 'columns' },
  },
  {
    name: 'the time of a subject changed',
    how: (knex) => knex('record_subjects').where({ seq: 42 }).increment('received_at', 1),
    fault: { index: 42, what: 'columns' },
  },
  {
    name: 'a subject of a record that does not exist',
    how: (knex) => knex('record_subjects').insert({ digest: 'k:citizen:z', received_at: T0, seq: SIZE + 5 }),
    fault: { index: SIZE + 5, what: 'columns' },
  },
  {
    name: 'a record rewritten with its digest, in a full tile',
    how: (knex) => rewrite(knex, 100, { agency: 'H35.99' }),
    fault: { index: 100, what: 'history' },
  },
  {
    name: 'a record rewritten with its digest, past the last full tile',
    how: (knex) => rewrite(knex, 325, { agency: 'H35.99' }),
    fault: { index: 325, what: 'history' },
  },
  {
    name: 'a record rewritten with its digest and its tile: its group is named',
    how: async (knex) => {
      await rewrite(knex, 100, { agency: 'H35.99' });
      await retile(knex, 100);
    },
    fault: { index: 10, what: 'history' },
  },
  {
    name: 'two records exchanged',
    how: (knex) => exchange(knex, 20, 30),
    fault: { index: 20, what: 'history' },
  },
  {
    name: 'the first record removed',
    how: (knex) => knex('records').where({ seq: 0 }).delete(),
    fault: { index: 0, what: 'missing' },
  },
  {
    name: 'a record removed',
    how: (knex) => knex('records').where({ seq: 200 }).delete(),
    fault: { index: 200, what: 'missing' },
  },
  {
    name: 'a record removed and the rest moved up',
    how: (knex) => removeAndCloseUp(knex, 200),
    fault: { index: 200, what: 'history' },
  },
  {
    name: 'the last record removed',
    how: (knex) =>
      knex('records')
        .where({ seq: SIZE - 1 })
        .delete(),
    fault: { index: SIZE - 1, what: 'missing' },
  },
  { name: 'a record inserted', how: (knex) => insertAt(knex, 150), fault: { index: 150, what: 'history' } },
  {
    name: 'a record added behind the log’s back',
    how: (knex) => insertAt(knex, SIZE),
    fault: { index: SIZE, what: 'uncovered' },
  },
  {
    name: 'a tile changed',
    how: async (knex) => {
      const { hashes } = await knex('log_tiles').first('hashes');
      (hashes as Buffer).writeUInt8((hashes as Buffer).readUInt8(5 * HASH_BYTES) ^ 1, 5 * HASH_BYTES);
      await knex('log_tiles').update({ hashes });
    },
    fault: { index: 5, what: 'tile' },
  },
  { name: 'a tile removed', how: (knex) => knex('log_tiles').delete(), fault: { index: 0, what: 'tile' } },
  {
    name: 'a checkpoint’s root changed',
    how: (knex) =>
      knex('log_checkpoints')
        .where({ tree_size: 10 })
        .update({ root_hash: Buffer.alloc(32) }),
    fault: { index: 1, what: 'checkpoint' },
  },
  {
    name: 'a checkpoint’s note changed',
    how: (knex) =>
      knex('log_checkpoints')
        .where({ tree_size: 10 })
        .update({ note: knex.raw(`replace(note, '${ORIGIN}', 'other')`) }),
    fault: { index: 1, what: 'checkpoint' },
  },
  {
    name: 'a checkpoint moved to another size',
    how: (knex) => knex('log_checkpoints').where({ tree_size: 10 }).update({ tree_size: 11 }),
    fault: { index: 1, what: 'checkpoint' },
  },
  {
    name: 'the last checkpoint removed',
    how: (knex) => knex('log_checkpoints').where({ tree_size: SIZE }).delete(),
    fault: { index: SIZE - 1, what: 'uncovered' },
  },
];

async function writeGroups(recorder: Recorder): Promise<void> {
  for (const count of GROUPS)
    await Promise.all(
      Array.from({ length: count }, () => recorder.write(aRecord({ user: 'cán bộ', subjects: SUBJECTS }))),
    );
}

for (const engine of engines) {
  describe(`verifying the log on ${engine.name}`, () => {
    let test: TestDatabase;
    beforeEach(async () => {
      test = await engine.create();
      const recorder = await startLog(test.database);
      await writeGroups(recorder);
      await recorder.close();
    });
    afterEach(() => test.drop());

    it('proves a log that nobody touched, and tells how far it is', async () => {
      const seen: [number, number][] = [];
      const result = await verifyLog(test.database, {
        verifierKeys,
        onProgress: (done, size) => seen.push([done, size]),
      });
      const { root_hash: root } = await test.database
        .knex('log_checkpoints')
        .orderBy('tree_size', 'desc')
        .first();
      const base64 = (root as Buffer).toString('base64');
      assert.deepEqual(result, { ok: true, size: SIZE, root: base64, hashesOnly: 0 });
      assert.deepEqual(seen.at(-1), [SIZE, SIZE]);
    });

    it('accepts no other key', async () => {
      const result = await verifyLog(test.database, { verifierKeys: [] });
      assert.deepEqual([result.ok, result.size, result.fault?.what], [false, 0, 'checkpoint']);
      await assert.rejects(verifyLog(test.database, { verifierKeys: ['nonsense'] }), RangeError);
    });

    it('is not troubled by records that come in meanwhile', async () => {
      const recorder = await startLog(test.again());
      const [result] = await Promise.all([verify(test.database), writeGroups(recorder)]);
      await recorder.close();
      assert.equal(result.ok, true);
      assert.equal((await verify(test.database)).size, 2 * SIZE);
    });

    for (const { name, how, fault } of TAMPERINGS) {
      it(`finds ${name}`, async () => {
        await tamper(test.database, how);
        const result = await verify(test.database);
        assert.equal(result.ok, false);
        assert.deepEqual(
          { index: result.fault?.index, what: result.fault?.what },
          fault,
          result.fault?.detail,
        );
        assert.ok(
          result.size <= fault.index || fault.what === 'tile',
          'nothing past the fault counts as proved',
        );
      });
    }
  });

  describe(`verifying a long log by several threads, on ${engine.name}`, function () {
    this.timeout(120_000);
    const [SIZE, AT] = [20_000, 13_000];
    let test: TestDatabase;
    before(async () => {
      test = await engine.create();
      const recorder = await startLog(test.database);
      for (let i = 0; i < SIZE; i += 2000)
        await Promise.all(Array.from({ length: 2000 }, () => recorder.write(aRecord())));
      await recorder.close();
    });
    after(() => test.drop());

    const byThreads = () => verifyLog(test.database, { verifierKeys, threads: 3 });

    it('proves it, tells how far it is in order, and says the same as one thread', async () => {
      const seen: number[] = [];
      const result = await verifyLog(test.database, {
        verifierKeys,
        threads: 3,
        onProgress: (done) => seen.push(done),
      });
      assert.equal(result.size, SIZE);
      assert.deepEqual(seen, [8192, 16_384, SIZE]);
      assert.deepEqual(result, await verifyLog(test.database, { verifierKeys, threads: 0 }));
    });

    it('names the first of two faults in different chunks, whichever thread finds its own first', async () => {
      await tamper(test.database, async (knex) => {
        await knex('records')
          .where({ seq: SIZE - 1 })
          .update({ agency: 'X' });
        await rewrite(knex, AT, { agency: 'H35.99' });
      });
      assert.deepEqual((await byThreads()).fault?.index, AT);
    });

    it('fails, and does not call the log proved, when its database is gone', async () => {
      const gone = { ...test.database, location: `${test.database.location}-gone` };
      await assert.rejects(verifyLog(gone, { verifierKeys, threads: 2 }));
    });
  });

  describe(`an empty log on ${engine.name}`, () => {
    it('verifies', async () => {
      const test = await engine.create();
      try {
        assert.deepEqual(await verify(test.database), {
          ok: true,
          size: 0,
          root: '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
          hashesOnly: 0,
        });
      } finally {
        await test.drop();
      }
    });
  });
}
