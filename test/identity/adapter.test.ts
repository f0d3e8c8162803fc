import assert from 'node:assert/strict';
import type { Adapter } from 'oidc-provider';
import { createAdapterFactory } from '../../gateway/identity/adapter.js';
import { ClientAuthentication } from '../../gateway/identity/client-authentication.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { HeldClock } from './held-clock.js';
import { Register } from './identity-node.js';

for (const engine of engines) {
  describe(`adapter of the authorization server on ${engine.name}`, () => {
    let test: TestDatabase;
    let clock: HeldClock;
    let of: (model: string) => Adapter;

    before(async () => {
      test = await engine.create();
      clock = new HeldClock(1_800_000_000_000);
      const authentication = new ClientAuthentication({
        clients: new Register(),
        clock,
        addressOf: () => '127.0.0.1',
        signIn: new Map(),
        certificateOf: () => null,
      });
      of = createAdapterFactory({ database: test.database, clock, authentication });
    });
    beforeEach(() => test.database.knex('oidc_payloads').delete());
    after(() => test.drop());

    it('keeps an artefact for its time', async () => {
      const sessions = of('Session');
      await sessions.upsert('a', { uid: 'u', jti: 'a' }, 60);
      assert.deepEqual(await sessions.find('a'), { uid: 'u', jti: 'a' });
      assert.deepEqual(await sessions.findByUid('u'), { uid: 'u', jti: 'a' });
      assert.equal(await of('Interaction').find('a'), undefined);
      clock.move(60_000);
      assert.equal(await sessions.find('a'), undefined);
    });

    it('finds a device code by what the user types', async () => {
      await of('DeviceCode').upsert('a', { userCode: 'ABCD' }, 60);
      assert.deepEqual(await of('DeviceCode').findByUserCode('ABCD'), { userCode: 'ABCD' });
    });

    it('tells when an artefact was consumed, in seconds', async () => {
      const codes = of('AuthorizationCode');
      await codes.upsert('a', { grantId: 'g' }, 60);
      await codes.consume('a');
      const consumed = Math.floor(clock.now() / 1000);
      assert.deepEqual(await codes.find('a'), { grantId: 'g', jti: 'a', consumed });
    });

    it('revokes what rests on a grant, and destroys one', async () => {
      const codes = of('AuthorizationCode');
      for (const id of ['a', 'b']) await codes.upsert(id, { grantId: 'g' }, 60);
      await codes.upsert('c', { grantId: 'other' }, 60);
      await codes.revokeByGrantId('g');
      assert.deepEqual([await codes.find('a'), await codes.find('b')], [undefined, undefined]);
      await codes.destroy('c');
      assert.equal(await codes.find('c'), undefined);
    });

    it('takes one of many that report the same assertion at once', async () => {
      const replays = of('ReplayDetection');
      const reports = await Promise.allSettled(
        Array.from({ length: 20 }, () => replays.upsert('a', { iss: 'app' }, 60)),
      );
      assert.equal(reports.filter((report) => report.status === 'fulfilled').length, 1);
      for (const report of reports)
        if (report.status === 'rejected') assert.match(String(report.reason), /invalid_client/);
    });

    it('registers no client', async () => {
      await assert.rejects(async () => of('Client').upsert('a', {}, 60), /does not register/);
    });
  });
}
