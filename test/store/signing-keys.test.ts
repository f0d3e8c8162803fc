import assert from 'node:assert/strict';
import {
  endOtherSigningKeys,
  insertSigningKey,
  listSigningKeys,
  type SigningKeyRow,
  withSigningKeysLocked,
} from '../../gateway/store/signing-keys.js';
import { engines, type TestDatabase } from '../kit/databases.js';

const NOW = 1_800_000_000_000;

function row(kid: string, over: Partial<SigningKeyRow> = {}): SigningKeyRow {
  return {
    kid,
    purpose: 'token',
    public_jwk: '{}',
    sealed_private: 's1.x.y',
    created_at: NOW,
    signs_from: NOW,
    verifies_until: null,
    ...over,
  };
}

for (const engine of engines) {
  describe(`signing keys on ${engine.name}`, () => {
    let test: TestDatabase;
    before(async () => {
      test = await engine.create();
    });
    beforeEach(() => test.database.knex('signing_keys').delete());
    after(() => test.drop());

    it('lists those that still verify, oldest first', async () => {
      const { knex } = test.database;
      await insertSigningKey(knex, row('later', { signs_from: NOW + 5 }));
      await insertSigningKey(knex, row('first'));
      await insertSigningKey(knex, row('ended', { verifies_until: NOW }));
      await insertSigningKey(knex, row('ending', { verifies_until: NOW + 1 }));
      const kids = (await listSigningKeys(knex, NOW)).map((key) => key.kid);
      assert.deepEqual(kids, ['ending', 'first', 'later']);
    });

    it('ends the others of the purpose, once', async () => {
      const { knex } = test.database;
      await insertSigningKey(knex, row('old'));
      await insertSigningKey(knex, row('older', { verifies_until: NOW + 1 }));
      await insertSigningKey(knex, row('new'));
      await insertSigningKey(knex, row('log', { purpose: 'log' }));
      assert.equal(await endOtherSigningKeys(knex, 'token', 'new', NOW + 9), 1);
      const ends = Object.fromEntries(
        (await listSigningKeys(knex, NOW)).map((key) => [key.kid, key.verifies_until]),
      );
      assert.deepEqual(ends, { old: NOW + 9, older: NOW + 1, new: null, log: null });
    });

    it('lets nodes work one at a time', async () => {
      // Two SQLite connections of one process would wait for each other: its driver blocks the thread.
      const nodes = [test.database, engine.name === 'SQLite' ? test.database : test.again()];
      const addIfNone = (i: number): Promise<void> =>
        withSigningKeysLocked(nodes[i % 2]!, async (trx) => {
          if ((await listSigningKeys(trx, NOW)).length === 0) await insertSigningKey(trx, row(`key ${i}`));
        });
      await Promise.all(Array.from({ length: 10 }, (_, i) => addIfNone(i)));
      assert.equal((await listSigningKeys(test.database.knex, NOW)).length, 1);
    });

    it('leaves nothing behind when the work fails', async () => {
      const failing = withSigningKeysLocked(test.database, async (trx) => {
        await insertSigningKey(trx, row('half'));
        throw new Error('stop');
      });
      await assert.rejects(failing, /stop/);
      assert.deepEqual(await listSigningKeys(test.database.knex, NOW), []);
    });
  });
}
