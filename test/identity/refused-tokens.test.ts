import assert from 'node:assert/strict';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';

for (const engine of engines) {
  describe(`the record of what was refused before authentication, ${engine.name}`, () => {
    let test: TestDatabase;
    let node: TestGateway;

    before(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.11');
      await addSystem(test.database, 'consumer', 'H35.11');
      await addService(test.database, 'http://127.0.0.1:9');
      node = await startTestGateway(test, { record: { refusals: { perAddress: 8 } } });
    });

    after(async () => {
      await node.close();
      await test.drop();
    });

    const ask = (client: string, secret: string, body: Record<string, string> = {}) =>
      fetch(`${node.url}/oidc/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', ...body }),
      });
    const refusedRequests = async () =>
      (await allRecords(test.database)).filter(({ target }) => target?.noun === 'token_request');

    it('says which system was meant, where there is one, and never what was guessed', async () => {
      for (const [client, secret] of [
        ['consumer', 'wrong-guess'],
        ['secret-typed-as-a-name', 'other-guess'],
      ] as const)
        assert.equal((await ask(client, secret)).status, 401);
      const records = await refusedRequests();
      assert.deepEqual(
        records.map(({ code, address, outcome, target }) => [code, address, outcome, target?.key]),
        [
          ['client_refused', '127.0.0.1', 'refused', 'consumer'],
          ['client_refused', '127.0.0.1', 'refused', 'unknown'],
        ],
      );
      const text = JSON.stringify(await allRecords(test.database));
      assert.ok(!/guess|secret-typed/.test(text));
    });

    it('says of a token in which way it was wrong, and whom it names', async () => {
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      const header = part({ alg: 'ES256', typ: 'at+jwt', kid: 'k1' });
      const foreign = `${header}.${part({ iss: 'https://khac.example', client_id: 'consumer' })}.AAAA`;
      await fetch(`${node.url}/data/H35.11/thu/v1/ok`, { headers: { authorization: `Bearer ${foreign}` } });
      const last = (await allRecords(test.database)).at(-1);
      assert.equal(last?.code, 'token_invalid');
      assert.equal(last.reason, 'issuer');
      assert.deepEqual(last.claimed, { client: 'consumer', issuer: 'https://khac.example', kid: 'k1' });
      assert.equal(last.system, undefined);
      assert.ok(!JSON.stringify(last).includes(foreign.slice(0, 40)));
    });

    it('counts token requests with the other refusals of an address', async () => {
      const before = (await allRecords(test.database)).length;
      for (let i = 0; i < 20; i += 1) assert.equal((await ask('consumer', `guess-${i}`)).status, 401);
      assert.ok((await allRecords(test.database)).length - before <= 9);
    });
  });
}
