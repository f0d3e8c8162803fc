import assert from 'node:assert/strict';
import type { Knex } from 'knex';
import { HASH_BYTES } from '../../gateway/audit/tree.js';
import { type KnownHead, verifyLog } from '../../gateway/audit/verify/verify.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { cutAt, startLog, tamper, verify, verifierKeys } from './log.js';
import { aRecord } from './records.js';

const GROUPS = [1, 9, 250, 60, 5, 1];
const SIZE = 326;

for (const engine of engines) {
  describe(`a log held against heads that were kept, on ${engine.name}`, () => {
    let test: TestDatabase;
    let kept: KnownHead[];
    beforeEach(async () => {
      test = await engine.create();
      const recorder = await startLog(test.database);
      for (const count of GROUPS)
        await Promise.all(Array.from({ length: count }, () => recorder.write(aRecord())));
      await recorder.close();
      const rows = await test.database.knex('log_checkpoints').orderBy('tree_size');
      kept = rows.map(({ tree_size, root_hash }: { tree_size: number; root_hash: Buffer }) => ({
        size: tree_size,
        root: root_hash.toString('base64'),
        from: `head ${tree_size}`,
      }));
    });
    afterEach(() => test.drop());

    const against = (...heads: readonly KnownHead[]) =>
      verifyLog(test.database, { verifierKeys, against: heads });
    const fault = async (...heads: readonly KnownHead[]) => {
      const { ok, size, fault: found } = await against(...heads);
      return [ok, size, found?.what, found?.index];
    };
    const other = Buffer.alloc(HASH_BYTES, 1).toString('base64');

    it('contains each of them, in whatever order they come, and each twice', async () => {
      assert.equal((await against(...[...kept].reverse(), ...kept)).ok, true);
    });

    it('contains one of a size that nobody signed here any more', async () => {
      await tamper(test.database, (knex) => knex('log_checkpoints').where({ tree_size: 260 }).delete());
      assert.equal((await against(...kept)).ok, true);
    });

    it('contains one of which only the size is known', async () => {
      assert.equal((await against({ size: SIZE, root: null, from: 'a time-stamp' })).ok, true);
    });

    it('is another log where a head has another root, from the last head on that agreed', async () => {
      const [, ten, , most] = kept as [KnownHead, KnownHead, KnownHead, KnownHead];
      assert.deepEqual(await fault(ten, { ...most, root: other }), [false, 10, 'history', 10]);
      assert.deepEqual(await fault({ ...ten, root: other }), [false, 0, 'history', 0]);
    });

    for (const size of [1, 260, 325] as const) {
      it(`cut off after ${size} records with its checkpoints: only a head that was kept tells`, async () => {
        await tamper(test.database, (knex: Knex) => cutAt(knex, size));
        assert.equal((await verify(test.database)).ok, true);
        assert.deepEqual(await fault(kept.at(-1) as KnownHead), [false, size, 'cut', size]);
        assert.deepEqual(await fault({ size: size + 1, root: null, from: 'size' }), [
          false,
          size,
          'cut',
          size,
        ]);
        assert.equal((await against({ size, root: null, from: 'size' })).ok, true);
      });
    }

    it('emptied: cut at its beginning', async () => {
      await tamper(test.database, (knex) => cutAt(knex, 0));
      assert.deepEqual(await fault(...kept), [false, 0, 'cut', 0]);
    });
  });
}
