import assert from 'node:assert/strict';
import {
  findProof,
  insertPerson,
  insertProof,
  replaceProof,
  updatePerson,
} from '../../gateway/store/people.js';
import { consumePayload, upsertPayload } from '../../gateway/store/oidc-payloads.js';
import {
  deleteOldSignIns,
  ENDS_KEPT_MS,
  forgetGuesses,
  isEndedSession,
  noteEnded,
  returnGuess,
  takeGuess,
} from '../../gateway/store/sign-ins.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { addAgency } from '../kit/province.js';

const RULE = { guesses: 3, lockMs: 60_000 };

for (const engine of engines) {
  describe(`what proves people on ${engine.name}`, () => {
    let test: TestDatabase;
    beforeEach(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35');
      const { knex } = test.database;
      await insertPerson(knex, {
        ...{ id: 'p', agency_code: 'H35', name: 'p', email: null, roles: '[]' },
        ...{ state: 'active', state_since: 0, state_reason: null, state_document: null },
        ...{ valid_from: '2020-01-01', valid_to: null, created_at: 0, updated_at: 0 },
      });
      await insertProof(knex, {
        ...{ person_id: 'p', password_hash: 'old', password_history: '[]', password_at: 0 },
        ...{ temporary_until: null, totp_sealed: null, totp_step: null },
        ...{ rules_version: null, rules_at: null, last_sign_in_at: null },
      });
    });
    afterEach(() => test.drop());

    const read = async () => {
      const proof = await findProof(test.database.knex, 'p');
      assert.ok(proof !== undefined);
      return proof;
    };

    it('is replaced when it is what was read', async () => {
      assert.equal(await replaceProof(test.database.knex, await read(), { password_hash: 'new' }), true);
      assert.equal((await read()).password_hash, 'new');
    });

    const meanwhile: readonly [string, () => Promise<unknown>][] = [
      ['another password was set', () => test.database.knex('person_proofs').update({ password_hash: 'x' })],
      ['a second factor was set', () => test.database.knex('person_proofs').update({ totp_sealed: 'x' })],
      ['they were revoked', () => updatePerson(test.database.knex, 'p', { state: 'revoked' })],
    ];
    for (const [name, change] of meanwhile)
      it(`is left alone when ${name} meanwhile`, async () => {
        const before = await read();
        await change();
        assert.equal(await replaceProof(test.database.knex, before, { password_hash: 'new' }), false);
        assert.notEqual((await read()).password_hash, 'new');
      });

    it('is replaced by one of many at once', async () => {
      const before = await read();
      const done = await Promise.all(
        Array.from({ length: 8 }, (_, i) =>
          replaceProof(test.database.knex, before, { password_hash: `new-${i}` }),
        ),
      );
      assert.equal(done.filter(Boolean).length, 1);
    });

    it('is guessed at no more often because one guess was right', async () => {
      const { knex } = test.database;
      assert.equal(await takeGuess(knex, 'p', RULE, 0), null);
      for (let right = 0; right < 5; right += 1) {
        assert.equal(await takeGuess(knex, 'p', RULE, 0), null);
        await returnGuess(knex, 'p');
      }
      assert.equal(await takeGuess(knex, 'p', RULE, 0), null);
      assert.equal(await takeGuess(knex, 'p', RULE, 0), null, 'the third wrong one locks');
      assert.equal(await takeGuess(knex, 'p', RULE, 1), RULE.lockMs);
      await forgetGuesses(knex, 'p');
      assert.equal(await takeGuess(knex, 'p', RULE, 1), null);
    });

    it('stays locked when the clock is set back', async () => {
      const { knex } = test.database;
      for (let i = 0; i < RULE.guesses; i += 1) await takeGuess(knex, 'p', RULE, 1_000_000);
      assert.notEqual(await takeGuess(knex, 'p', RULE, 500_000), null);
    });

    it('forgets the end of a session only when nothing of it can be about', async () => {
      const { knex } = test.database;
      await noteEnded(knex, 'p', 's', 0);
      await deleteOldSignIns(knex, ENDS_KEPT_MS);
      assert.equal(await isEndedSession(knex, 's'), true);
      await deleteOldSignIns(knex, ENDS_KEPT_MS + 1);
      assert.equal(await isEndedSession(knex, 's'), false);
    });

    it('is used up by exactly one of many at once', async () => {
      const { knex } = test.database;
      const none = { grant_id: null, uid: null, user_code: null, expires_at: null, consumed_at: null };
      await upsertPayload(knex, { model: 'RefreshToken', id: 'a', payload: '{}', ...none });
      const used = await Promise.all(
        Array.from({ length: 8 }, () => consumePayload(knex, 'RefreshToken', 'a', 1)),
      );
      assert.equal(used.filter(Boolean).length, 1);
    });
  });
}
