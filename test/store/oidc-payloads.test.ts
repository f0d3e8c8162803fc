import assert from 'node:assert/strict';
import {
  consumePayload,
  deleteExpired,
  deletePayload,
  deletePayloadsOfGrant,
  findPayload,
  insertPayloadOnce,
  type OidcPayloadRow,
  upsertPayload,
} from '../../gateway/store/oidc-payloads.js';
import { engines, type TestDatabase } from '../kit/databases.js';

const NOW = 1_800_000_000_000;

function row(over: Partial<OidcPayloadRow> = {}): OidcPayloadRow {
  return {
    model: 'Session',
    id: 'a',
    payload: '{"n":1}',
    grant_id: null,
    uid: null,
    user_code: null,
    expires_at: NOW + 1000,
    consumed_at: null,
    ...over,
  };
}

for (const engine of engines) {
  describe(`oidc payloads on ${engine.name}`, () => {
    let test: TestDatabase;
    before(async () => {
      test = await engine.create();
    });
    beforeEach(() => test.database.knex('oidc_payloads').delete());
    after(() => test.drop());

    it('finds by id, uid and user code, within the model only', async () => {
      const { knex } = test.database;
      await upsertPayload(knex, row({ uid: 'u', user_code: 'c' }));
      for (const key of [{ id: 'a' }, { uid: 'u' }, { user_code: 'c' }])
        assert.equal((await findPayload(knex, 'Session', key, NOW))?.payload, '{"n":1}');
      assert.equal(await findPayload(knex, 'Grant', { id: 'a' }, NOW), undefined);
      assert.equal(await findPayload(knex, 'Session', { id: 'b' }, NOW), undefined);
    });

    for (const [name, expiresAt, found] of [
      ['has ended', NOW - 1, false],
      ['ends now', NOW, false],
      ['ends in a moment', NOW + 1, true],
      ['never ends', null, true],
    ] as const)
      it(`${found ? 'finds' : 'does not find'} what ${name}`, async () => {
        const { knex } = test.database;
        await upsertPayload(knex, row({ expires_at: expiresAt }));
        assert.equal((await findPayload(knex, 'Session', { id: 'a' }, NOW)) !== undefined, found);
      });

    it('writes a newer state over an older one', async () => {
      const { knex } = test.database;
      await upsertPayload(knex, row());
      await upsertPayload(knex, row({ payload: '{"n":2}' }));
      assert.equal((await findPayload(knex, 'Session', { id: 'a' }, NOW))?.payload, '{"n":2}');
    });

    it('marks as consumed, deletes one, deletes those of a grant', async () => {
      const { knex } = test.database;
      await upsertPayload(knex, row({ grant_id: 'g' }));
      await upsertPayload(knex, row({ id: 'b', grant_id: 'g' }));
      await upsertPayload(knex, row({ id: 'c', grant_id: 'other' }));
      await upsertPayload(knex, row({ id: 'd' }));
      await consumePayload(knex, 'Session', 'a', NOW);
      assert.equal((await findPayload(knex, 'Session', { id: 'a' }, NOW))?.consumed_at, NOW);
      await deletePayloadsOfGrant(knex, 'Session', 'g');
      await deletePayload(knex, 'Session', 'd');
      assert.deepEqual(await knex('oidc_payloads').pluck('id'), ['c']);
    });

    it('lets exactly one of many writers write what may exist once', async () => {
      const nodes = [test.database.knex, test.again().knex];
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, i) => insertPayloadOnce(nodes[i % 2]!, row(), NOW)),
      );
      assert.equal(answers.filter(Boolean).length, 1);
    });

    it('makes room for the next once the first has ended', async () => {
      const { knex } = test.database;
      assert.equal(await insertPayloadOnce(knex, row(), NOW), true);
      assert.equal(await insertPayloadOnce(knex, row(), NOW + 999), false);
      assert.equal(await insertPayloadOnce(knex, row({ expires_at: NOW + 9000 }), NOW + 1000), true);
    });

    it('removes what has ended in batches, oldest first, and nothing else', async () => {
      const { knex } = test.database;
      for (let i = 0; i < 5; i += 1)
        await upsertPayload(knex, row({ id: `old${i}`, expires_at: NOW - 10 + i }));
      await upsertPayload(knex, row({ id: 'live' }));
      await upsertPayload(knex, row({ id: 'endless', expires_at: null }));
      assert.equal(await deleteExpired(knex, NOW, 3), 3);
      assert.deepEqual((await knex('oidc_payloads').pluck('id')).sort(), ['endless', 'live', 'old3', 'old4']);
      assert.equal(await deleteExpired(knex, NOW, 3), 2);
      assert.equal(await deleteExpired(knex, NOW, 3), 0);
      assert.equal((await knex('oidc_payloads')).length, 2);
    });
  });
}
