import assert from 'node:assert/strict';
import { closeInterrupted } from '../../gateway/audit/interrupted.js';
import type { Recorder } from '../../gateway/audit/record.js';
import { searchRecords } from '../../gateway/audit/search.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startLog, verify } from './log.js';
import { aRecord, T0 } from './records.js';

const clock = { now: () => T0 + 600_000 };
const options = { olderThanMs: 300_000, clock };

for (const engine of engines) {
  describe(`calls cut off by a crash, on ${engine.name}`, () => {
    let test: TestDatabase;
    let recorder: Recorder;
    beforeEach(async () => {
      test = await engine.create();
      recorder = await startLog(test.database);
    });
    afterEach(async () => {
      await recorder.close();
      await test.drop();
    });

    const opening = async (receivedAt: number): Promise<string> => {
      const id = uuidv7(receivedAt);
      const facts = aRecord({ id, kind: 'opening', received: new Date(receivedAt).toISOString() });
      delete facts.outcome;
      delete facts.status;
      await recorder.write(facts);
      return id;
    };
    const closingsOf = async (id: string) =>
      (await searchRecords(test.database, { opening: id }, { all: true })).items;

    it('are closed as failed, once, with the facts of the opening record', async () => {
      const id = await opening(T0);
      assert.equal(await closeInterrupted(test.database, recorder, options), 1);
      const [closing, ...more] = await closingsOf(id);
      assert.deepEqual(more, []);
      assert.equal(closing?.kind, 'closing');
      assert.deepEqual([closing.outcome, closing.code, closing.opening], ['failed', 'interrupted', id]);
      assert.deepEqual(
        [closing.agency, closing.operation, closing.received],
        ['H35.61', 'searchUnits', new Date(T0).toISOString()],
      );
      assert.match(closing.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      assert.equal(await closeInterrupted(test.database, recorder, options), 0, 'a second run finds nothing');
      assert.equal((await closingsOf(id)).length, 1);
      assert.equal((await verify(test.database)).ok, true);
    });

    for (const [name, ageMs, closed] of [
      ['younger', 299_999, 0],
      ['exactly as old', 300_000, 0],
      ['older', 300_001, 1],
    ] as const) {
      it(`are left to their node while ${name} than the bound says: ${closed}`, async () => {
        await opening(clock.now() - ageMs);
        assert.equal(await closeInterrupted(test.database, recorder, options), closed);
      });
    }

    it('are told from calls that were closed', async () => {
      const id = await opening(T0);
      await recorder.write(aRecord({ opening: id }));
      await recorder.write(aRecord());
      assert.equal(await closeInterrupted(test.database, recorder, options), 0);
    });

    it('are closed once by two nodes that start together', async () => {
      const ids: string[] = [];
      for (let i = 0; i < 20; i++) ids.push(await opening(T0 + i));
      const other = test.again();
      const node = await startLog(other);
      try {
        await Promise.all([
          closeInterrupted(test.database, recorder, options),
          closeInterrupted(other, node, options),
        ]);
      } finally {
        await node.close();
      }
      for (const id of ids) assert.equal((await closingsOf(id)).length, 1);
      assert.deepEqual(await verify(test.database).then(({ ok, size }) => [ok, size]), [true, 40]);
    });

    it('are all closed, however many', async () => {
      await Promise.all(Array.from({ length: 1203 }, (_, i) => opening(T0 + i)));
      assert.equal(await closeInterrupted(test.database, recorder, options), 1203);
      assert.equal(await closeInterrupted(test.database, recorder, options), 0);
    });
  });
}
