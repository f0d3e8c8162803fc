import assert from 'node:assert/strict';
import { endTurn, renewTurn, takeTurn } from '../../gateway/store/turns.js';
import { engines, type TestDatabase } from '../kit/databases.js';

const NAME = 'work';
const LEASE = { name: NAME, leaseMs: 1000 };

for (const engine of engines) {
  describe(`a turn, on ${engine.name}`, () => {
    let test: TestDatabase;
    beforeEach(async () => {
      test = await engine.create();
    });
    afterEach(() => test.drop());
    const take = (node: string, now: number, knex = test.database.knex) =>
      takeTurn(knex, { ...LEASE, node, now });

    it('is taken by one of many nodes that ask at once', async () => {
      const asked = Array.from({ length: 8 }, (_, i) => take(`n${i}`, 0, test.again().knex));
      assert.equal((await Promise.all(asked)).filter((taken) => taken).length, 1);
    });

    it('is another’s once the lease of a node that died is over, and not before', async () => {
      assert.equal(await take('a', 0), true);
      assert.equal(await take('b', 999), false);
      assert.equal(await take('b', 1000), true);
      assert.equal(await renewTurn(test.database.knex, { ...LEASE, node: 'a', now: 1000 }), false);
    });

    it('is kept by a node that renews its lease', async () => {
      assert.equal(await take('a', 0), true);
      assert.equal(await renewTurn(test.database.knex, { ...LEASE, node: 'a', now: 900 }), true);
      assert.deepEqual([await take('b', 1899), await take('b', 1900)], [false, true]);
    });

    it('is due again at its time, for whoever asks first', async () => {
      const { knex } = test.database;
      await take('a', 0);
      await endTurn(knex, { name: NAME, node: 'a' }, 5000);
      assert.deepEqual([await take('a', 4999), await take('b', 5000)], [false, true]);
    });

    it('is not ended by a node that has lost it', async () => {
      const { knex } = test.database;
      await take('a', 0);
      await take('b', 1000);
      await endTurn(knex, { name: NAME, node: 'a' }, 0);
      assert.equal(await take('c', 1500), false);
    });
  });
}
