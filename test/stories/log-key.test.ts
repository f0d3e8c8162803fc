import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { verifierKeyText } from '../../gateway/audit/checkpoint.js';
import { verifyLog } from '../../gateway/audit/verify/verify.js';
import { findInstallationValue } from '../../gateway/store/installation.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addSystem } from '../kit/province.js';

for (const engine of engines) {
  describe(`rotating the log key under load on ${engine.name}`, () => {
    let test: TestDatabase;
    let nodes: TestGateway[];

    before(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'desk', 'H35.11', { roles: ['auditor'] });
      const first = await startTestGateway(test);
      nodes = [first];
      if (engine.name === 'PostgreSQL') nodes.push(await startTestGateway(test, { publicUrl: first.url }));
    });
    after(async () => {
      for (const node of nodes) await node.close();
      await test.drop();
    });

    it('reaches every node within seconds; the first key alone verifies all of it', async () => {
      const { database } = test;
      const keyRing = nodes[0]!.gateway.keyRing;
      const [oldest] = keyRing.logKeys();
      const { kid } = await keyRing.rotate('log');
      let done = false;
      const load = nodes.map(async (node) => {
        while (!done) {
          const response = await node.call('desk', '/api/me');
          assert.equal(response.status, 200, await response.text());
        }
      });
      const handed = await eventually(
        async () =>
          (await database.knex('records').where({ noun: 'log-key' }).select('seq'))[0] as
            | { seq: number }
            | undefined,
        'the log is handed over',
      );
      await Promise.all(nodes.map((node) => node.call('desk', '/api/me')));
      done = true;
      await Promise.all(load);
      const origin = (await findInstallationValue(database.knex, 'log-origin')) ?? '';
      const [before, after] = [oldest!, keyRing.logKeys().at(-1)!].map((key) =>
        verifierKeyText(origin, key.publicKey),
      );
      const result = await verifyLog(database, { verifierKeys: [before!] });
      assert.equal(result.ok, true, result.fault?.detail);
      assert.ok(result.size > handed.seq);
      const record = JSON.parse(
        (await database.knex('records').where({ seq: handed.seq }).first('leaf')).leaf,
      );
      assert.deepEqual([record.target.after.from, record.target.after.to], [before, after]);
      assert.equal(keyRing.logSigner().kid, kid);
      assert.equal(createPublicKey(keyRing.logSigner().privateKey).asymmetricKeyType, 'ed25519');
    });
  });
}
