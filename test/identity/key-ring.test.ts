import assert from 'node:assert/strict';
import { randomBytes, sign, verify } from 'node:crypto';
import { createLog } from '../../gateway/base/log.js';
import { KeyRing } from '../../gateway/identity/key-ring.js';
import { createSealing, SealError, type Sealing } from '../../gateway/identity/sealing.js';
import type { Database } from '../../gateway/store/database.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { HeldClock } from './held-clock.js';

const log = createLog('silent');
const TTL = 600;

for (const engine of engines) {
  describe(`key ring on ${engine.name}`, () => {
    let test: TestDatabase;
    let clock: HeldClock;
    let sealing: Sealing;

    const open = (database: Database = test.database): Promise<KeyRing> =>
      KeyRing.open({ database, sealing, clock, log, tokenTtlSeconds: TTL });

    before(async () => {
      test = await engine.create();
    });
    beforeEach(async () => {
      await test.database.knex('signing_keys').delete();
      clock = new HeldClock(1_800_000_000_000);
      sealing = createSealing(randomBytes(32));
    });
    after(() => test.drop());

    it('makes one key of each purpose at the first start, and finds them at the next', async () => {
      const first = await open();
      const second = await open(test.again());
      assert.equal((await test.database.knex('signing_keys')).length, 4);
      assert.equal(second.tokenSigner().kid, first.tokenSigner().kid);
      assert.equal(second.logSigner().kid, first.logSigner().kid);
      assert.deepEqual(second.cookieSecrets(), first.cookieSecrets());
    });

    it('keeps every key of subjects for ever, and uses the newest', async () => {
      const ring = await open();
      const before = ring.subjectKey();
      const { kid } = await ring.rotate('subject');
      assert.equal(ring.subjectKey().kid, before.kid, 'not before every node knows the new one');
      clock.move(400 * 86_400_000);
      await ring.reload();
      assert.equal(ring.subjectKey().kid, kid);
      assert.deepEqual(
        ring.subjectKeys().map((key) => key.kid),
        [before.kid, kid],
      );
      assert.equal(Buffer.from(ring.subjectKey().secret, 'base64url').length, 32);
      assert.ok((await open(test.again())).subjectKeys().some((key) => key.secret === before.secret));
    });

    it('makes keys of the promised kinds', async () => {
      const ring = await open();
      assert.deepEqual(ring.tokenSigner().privateKey.asymmetricKeyDetails, { namedCurve: 'prime256v1' });
      assert.equal(ring.logSigner().privateKey.asymmetricKeyType, 'ed25519');
      assert.equal(Buffer.from(ring.cookieSecrets()[0]!, 'base64url').length, 32);
      const [jwk] = ring.publicJwks().keys;
      assert.deepEqual(Object.keys(jwk!).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
      assert.equal(jwk!.alg, 'ES256');
      const note = Buffer.from('note');
      assert.ok(
        verify(null, note, ring.logKeys()[0]!.publicKey, sign(null, note, ring.logSigner().privateKey)),
      );
    });

    it('ends with the same keys on nodes that start together', async () => {
      // Two SQLite connections of one process would wait for each other: its driver blocks the thread.
      const nodes = [0, 1, 2].map(() => (engine.name === 'SQLite' ? test.database : test.again()));
      const rings = await Promise.all(nodes.map((database) => open(database)));
      assert.equal(new Set(rings.map((ring) => ring.tokenSigner().kid)).size, 1);
      assert.equal((await test.database.knex('signing_keys')).length, 4);
    });

    it('stores no private key that could be read', async () => {
      const ring = await open();
      const stored = JSON.stringify(await test.database.knex('signing_keys'));
      const jwk = ring.tokenSigner().privateKey.export({ format: 'jwk' });
      assert.equal(stored.includes(jwk.d!), false);
      assert.equal(stored.includes(ring.cookieSecrets()[0]!), false);
      for (const row of await test.database.knex('signing_keys')) assert.match(row.sealed_private, /^s1\./);
    });

    it('does not open with another master key', async () => {
      await open();
      sealing = createSealing(randomBytes(32));
      await assert.rejects(open(), SealError);
    });

    it('trusts no public key that was put into the table', async () => {
      const { kid } = (await open()).tokenSigner();
      const forged = { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA' };
      await test.database
        .knex('signing_keys')
        .where({ kid })
        .update({ public_jwk: JSON.stringify(forged) });
      assert.notEqual((await open()).publicJwks().keys[0]!.x, 'AA');
    });

    it('publishes a new key before it signs, and keeps the old one until its last token is over', async () => {
      const ring = await open();
      const old = ring.tokenSigner().kid;
      const { kid, signsFrom } = await ring.rotate('token');
      assert.equal(signsFrom, clock.now() + 5000);
      const steps: [moveMs: number, signer: string, verifies: string[]][] = [
        [0, old, [old, kid]],
        [4999, old, [old, kid]],
        [1, kid, [old, kid]],
        [TTL * 1000 + 59_999, kid, [old, kid]],
        [1, kid, [kid]],
      ];
      for (const [move, signer, verifies] of steps) {
        clock.move(move);
        assert.equal(ring.tokenSigner().kid, signer);
        assert.deepEqual(
          ring.publicJwks().keys.map((key) => key.kid),
          verifies,
        );
        for (const each of [old, kid])
          assert.equal(ring.verificationKey(each) !== undefined, verifies.includes(each), each);
      }
    });

    it('goes on verifying with every log key, and with cookies of the old key', async () => {
      const ring = await open();
      const [log0, cookie0] = [ring.logSigner().kid, ring.cookieSecrets()[0]];
      await ring.rotate('log');
      await ring.rotate('cookie');
      clock.move(5000);
      assert.notEqual(ring.logSigner().kid, log0);
      assert.equal(
        ring.cookieSecrets().indexOf(cookie0!),
        1,
        'the new one signs, the old one still verifies',
      );
      clock.move(400 * 86_400_000);
      await ring.reload();
      assert.equal(ring.logKeys().length, 2);
      assert.equal(ring.cookieSecrets().length, 1);
    });

    it('does not end the key in force when rotations follow each other', async () => {
      const ring = await open();
      const kids = [ring.tokenSigner().kid];
      for (let i = 0; i < 3; i += 1) {
        kids.push((await ring.rotate('token')).kid);
        clock.move(1000);
      }
      for (const kid of kids) assert.ok(ring.verificationKey(kid));
      clock.move(4000);
      assert.equal(ring.tokenSigner().kid, kids[3]);
    });

    it('learns on another node what this one rotated, and only then changes its version', async () => {
      const ring = await open();
      const other = await open(test.again());
      const { version } = other;
      await other.reload();
      assert.equal(other.version, version);
      const { kid } = await ring.rotate('token');
      assert.equal(other.verificationKey(kid), undefined);
      await other.reload();
      assert.ok(other.verificationKey(kid));
      assert.equal(other.version, version + 1);
    });

    it('learns of an unknown key at most once a second, however many ask', async () => {
      const ring = await open();
      let reads = 0;
      const count = (query: { sql: string }): void => {
        if (query.sql.startsWith('select')) reads += 1;
      };
      test.database.knex.on('query', count);
      try {
        await Promise.all(Array.from({ length: 50 }, () => ring.learn()));
        for (let i = 0; i < 50; i += 1) await ring.learn();
        assert.equal(reads, 1);
        clock.move(999);
        await ring.learn();
        assert.equal(reads, 1);
        clock.move(1);
        await ring.learn();
        assert.equal(reads, 2);
      } finally {
        test.database.knex.off('query', count);
      }
    });

    it('keeps what it has when the database cannot be read', async () => {
      const database = test.again();
      const ring = await open(database);
      const { kid } = ring.tokenSigner();
      await database.close();
      await ring.learn();
      await assert.rejects(ring.reload());
      assert.equal(ring.tokenSigner().kid, kid);
      assert.ok(ring.verificationKey(kid));
    });

    it('signs with the oldest key when the clock of the node runs behind', async () => {
      const { kid } = (await open()).tokenSigner();
      clock.move(-60_000);
      assert.equal((await open()).tokenSigner().kid, kid);
    });
  });
}
