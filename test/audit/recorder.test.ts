import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { Worker } from 'node:worker_threads';
import { openCheckpoint, parseVerifierKey } from '../../gateway/audit/checkpoint.js';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { Problem } from '../../gateway/base/problem.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, logKeys, ORIGIN, startLog, tamper, verifierKeys, verify } from './log.js';
import { aRecord } from './records.js';

const unavailable = (fault: unknown): boolean =>
  fault instanceof Problem &&
  fault.code === 'record_unavailable' &&
  fault.parts.rule?.kind === 'record' &&
  fault.parts.rule.state === 'unwritable';

const writeMany = (recorder: Recorder, count: number) =>
  Promise.all(Array.from({ length: count }, () => recorder.write(aRecord())));

for (const engine of engines) {
  describe(`the recorder on ${engine.name}`, () => {
    let test: TestDatabase;
    const open: Recorder[] = [];
    const start: typeof startLog = async (database, change) => {
      const recorder = await startLog(database, change);
      open.push(recorder);
      return recorder;
    };
    beforeEach(async () => (test = await engine.create()));
    afterEach(async () => {
      for (const recorder of open.splice(0)) await recorder.close();
      await test.drop();
    });

    it('answers with the place of each record, in the order written', async () => {
      const recorder = await start(test.database);
      const records = Array.from({ length: 300 }, () => aRecord());
      const places = await Promise.all(records.map((one) => recorder.write(one)));
      assert.deepEqual(
        places.map(({ id, index }) => [id, index]),
        records.map(({ id }, i) => [id, i]),
      );
      assert.ok(places.every(({ index, treeSize }) => treeSize > index));
      assert.equal(recorder.waiting, 0);
      assert.deepEqual(
        (await test.database.knex('records').orderBy('seq').select('id')).map((row) => row.id),
        records.map(({ id }) => id),
      );
    });

    it('writes all that comes in one turn with one checkpoint, signed', async () => {
      const recorder = await start(test.database);
      await writeMany(recorder, 50);
      const heads = await test.database.knex('log_checkpoints').select('tree_size', 'root_hash', 'note');
      assert.deepEqual(
        heads.map((head) => head.tree_size),
        [50],
      );
      const checkpoint = openCheckpoint(heads[0].note, verifierKeys.map(parseVerifierKey));
      assert.deepEqual(checkpoint, { origin: ORIGIN, size: 50, root: heads[0].root_hash });
    });

    it('goes on where an earlier run ended', async () => {
      for (const count of [3, 255, 1, 300]) {
        const recorder = await startLog(test.database);
        await writeMany(recorder, count);
        await recorder.close();
      }
      const { ok, size, fault } = await verify(test.database);
      assert.deepEqual([ok, size, fault], [true, 559, undefined]);
      assert.equal((await test.database.knex('log_tiles')).length, 2);
    });

    it('takes turns with another node: one log, without gaps, that verifies', async () => {
      const [one, two] = [await start(test.database), await start(test.again())];
      const places = await Promise.all(
        [one, two].flatMap((recorder) =>
          Array.from({ length: 20 }, async () => {
            const own: number[] = [];
            for (let i = 0; i < 50; i++) own.push((await recorder.write(aRecord())).index);
            assert.deepEqual(
              own,
              own.toSorted((a, b) => a - b),
            );
            return own;
          }),
        ),
      );
      assert.deepEqual(
        places.flat().sort((a, b) => a - b),
        Array.from({ length: 2000 }, (_, i) => i),
      );
      const { ok, size, fault } = await verify(test.database);
      assert.deepEqual([ok, size, fault], [true, 2000, undefined]);
    });

    it('catches up with a node that wrote far more', async () => {
      const [one, two] = [await start(test.database), await start(test.again())];
      await one.write(aRecord());
      await writeMany(two, 3000);
      assert.equal((await one.write(aRecord())).index, 3001);
      assert.equal((await verify(test.database)).ok, true);
    });

    it('refuses a second, different record of the same id, and nobody suffers for it', async () => {
      const recorder = await start(test.database);
      const first = aRecord();
      const { index } = await recorder.write(first);
      const [again, other, innocent] = await Promise.allSettled([
        recorder.write(first),
        recorder.write({ ...first, status: 500 }),
        recorder.write(aRecord()),
      ]);
      assert.equal(
        again.status === 'fulfilled' && again.value.index,
        index,
        'the same record is written already',
      );
      assert.ok(other.status === 'rejected' && unavailable(other.reason));
      assert.equal(innocent.status === 'fulfilled' && innocent.value.index, 1);
      const { ok, size } = await verify(test.database);
      assert.deepEqual([ok, size], [true, 2]);
    });

    const odd: readonly [name: string, change: Partial<AuditRecord>, column: string, stored: string][] = [
      ['a NUL', { user: 'a\u0000b' }, 'user', 'a\ufffdb'],
      ['a lone surrogate', { case: 'a\ud800' }, 'case_no', 'a\ufffd'],
      ['far too much text', { user: 'đ'.repeat(5000) }, 'user', 'đ'.repeat(128)],
      ['a pair cut in two', { case: `${'x'.repeat(127)}\u{1F600}` }, 'case_no', 'x'.repeat(127)],
      ['quotes and backslashes', { case: `{"\\',}NULL` }, 'case_no', `{"\\',}NULL`],
      ['a long operation', { operation: 'o'.repeat(300) }, 'operation', 'o'.repeat(128)],
    ];
    for (const [name, change, column, stored] of odd) {
      it(`keeps a record whose caller sent ${name}`, async () => {
        const recorder = await start(test.database);
        const record = aRecord(change);
        await recorder.write(record);
        assert.equal((await test.database.knex('records').first(column))[column], stored);
        assert.equal((await verify(test.database)).ok, true);
      });
    }

    it('refuses a record that has no canonical form, and writes the others', async () => {
      const recorder = await start(test.database);
      await assert.rejects(recorder.write(aRecord({ status: Number.NaN })), unavailable);
      assert.equal((await recorder.write(aRecord())).index, 0);
    });

    it('refuses what comes after it was closed', async () => {
      const recorder = await start(test.database);
      const under = recorder.write(aRecord());
      await recorder.close();
      assert.equal((await under).index, 0, 'what was under way is finished');
      await assert.rejects(recorder.write(aRecord()), unavailable);
      await recorder.close();
    });

    it('does not start on a log that contradicts its last checkpoint', async () => {
      const recorder = await startLog(test.database);
      await writeMany(recorder, 5);
      await recorder.close();
      await tamper(test.database, (knex) =>
        knex('records')
          .where({ seq: 3 })
          .update({ leaf_hash: Buffer.alloc(32) }),
      );
      await assert.rejects(startLog(test.database), /does not match its checkpoint at 5/);
      await tamper(test.database, (knex) => knex('records').where({ seq: 4 }).delete());
      await assert.rejects(startLog(test.database), /holds 4 records, its last checkpoint says 5/);
    });

    it('does not start without the database', async () => {
      const location =
        engine.name === 'SQLite' ? `${test.dataDir}/none.sqlite` : 'postgres://127.0.0.1:1/none';
      await assert.rejects(startLog({ ...test.database, location }), /the log cannot be opened/);
    });

    it('lives through the death of its thread: refuses what was under way, then goes on', async () => {
      let worker: Worker | undefined;
      const seen = (one: Worker): void => void (worker = one);
      process.on('worker', seen);
      const recorder = await start(test.database);
      await recorder.write(aRecord());
      const under = writeMany(recorder, 10).then(
        () => 'written',
        (fault: unknown) => unavailable(fault),
      );
      await new Promise((resolve) => setImmediate(resolve));
      const first = worker;
      await first?.terminate();
      assert.ok([true, 'written'].includes(await under), 'refused, or confirmed in time');
      await assert.rejects(recorder.write(aRecord()), unavailable);
      assert.equal(recorder.waiting, 0);
      const id = uuidv7(0);
      await eventually(() => recorder.write(aRecord({ id })).catch(() => undefined));
      process.removeListener('worker', seen);
      assert.notEqual(worker, first);
      assert.equal((await verify(test.database)).ok, true);
    });

    it('can be given its key as PEM or as JWK', async () => {
      const pem = logKeys.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      const jwk = logKeys.privateKey.export({ format: 'jwk' });
      for (const logKey of [
        { kid: 'a', privateKeyPem: pem },
        { kid: 'b', privateJwk: jwk },
      ]) {
        const one = await startLog(test.database, { logKey });
        await one.write(aRecord());
        await one.close();
      }
      assert.deepEqual([(await verify(test.database)).ok, (await verify(test.database)).size], [true, 2]);
    });

    it('does not open a log that is signed by a key it lacks', async () => {
      const one = await startLog(test.database);
      await one.write(aRecord());
      await one.close();
      const { privateKey } = generateKeyPairSync('ed25519');
      await assert.rejects(startLog(test.database, { logKey: { kid: 'b', privateKey } }), /lacks the key/);
    });
  });
}
