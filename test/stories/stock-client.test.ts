import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import * as oauth from 'openid-client';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addPaper, addService, addSystem, PAPER, secretOf } from '../kit/province.js';
import { GOOD, type Source, startSource } from '../kit/source.js';

const run = promisify(execFile);
/** Marked deprecated only so that it stands out; a gateway under test speaks plain HTTP. */
const allowHttp: (client: oauth.Configuration) => void = Reflect.get(oauth, 'allowInsecureRequests');
const S = '/data/H35.11/thu/v1/ok';

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});
const REASON = { reason: 'Văn bản số 12/SKHCN-BĐCN', document: PAPER };

async function signingKey(key: KeyObject): Promise<oauth.CryptoKey> {
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  return await webcrypto.subtle.importKey('pkcs8', pkcs8, { name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
  ]);
}

for (const engine of engines) {
  describe(`clients off the shelf, on ${engine.name}`, () => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      const { database } = test;
      await addAgency(database, 'H35.11');
      await addPaper(database, 'H35.11');
      for (const id of ['consumer', 'keyed', 'to-lock', 'to-revoke']) await addSystem(database, id, 'H35.11');
      await addSystem(database, 'desk', 'H35.11', { roles: ['operator'] });
      await addService(database, source.url);
      gateway = await startTestGateway(test);
      const jwk = pair.publicKey.export({ format: 'jwk' });
      await act('/systems/keyed/keys', { jwk });
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    async function act(path: string, body: unknown): Promise<void> {
      const response = await gateway.call('desk', `/api${path}`, json(body));
      assert.ok(response.ok, await response.text());
    }

    async function meets(token: string): Promise<[number, string]> {
      const response = await gateway.call(null, S, { headers: { authorization: `Bearer ${token}` } });
      return [response.status, ((await response.json()) as { code: string }).code];
    }

    const discover = (client: string, auth: oauth.ClientAuth): Promise<oauth.Configuration> =>
      oauth.discovery(new URL(`${gateway.url}/oidc`), client, undefined, auth, {
        execute: [allowHttp],
      });

    const cases = [
      {
        name: 'client_secret_basic',
        client: 'consumer',
        auth: () => oauth.ClientSecretBasic(secretOf('consumer')),
      },
      {
        name: 'client_secret_post',
        client: 'consumer',
        auth: () => oauth.ClientSecretPost(secretOf('consumer')),
      },
      {
        name: 'private_key_jwt',
        client: 'keyed',
        auth: async () => oauth.PrivateKeyJwt(await signingKey(pair.privateKey)),
      },
    ];
    for (const { name, client, auth } of cases) {
      it(`openid-client finds the server, gets a token by ${name} and calls a service`, async () => {
        const config = await discover(client, await auth());
        const { access_token, token_type, expires_in } = await oauth.clientCredentialsGrant(config);
        assert.deepEqual([token_type, expires_in], ['bearer', 600]);
        const answer = await oauth.fetchProtectedResource(
          config,
          access_token,
          new URL(gateway.url + S),
          'GET',
        );
        assert.deepEqual([answer.status, await answer.json()], [200, GOOD]);
      });
    }

    it('curl gets a token and calls a service, as the quick start says', async function () {
      const found = await run('sh', ['-c', 'command -v curl && command -v sed']).catch(() => null);
      if (found === null) return this.skip();
      const script = [
        `TOKEN=$(curl -s -u 'consumer:${secretOf('consumer')}' -d grant_type=client_credentials ${gateway.url}/oidc/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
        `curl -s -H "Authorization: Bearer $TOKEN" '${gateway.url}${S}'`,
      ].join('\n');
      const { stdout } = await run('sh', ['-c', script]);
      assert.deepEqual(JSON.parse(stdout), GOOD);
    });

    it('a locked system’s token that is alive is refused, as is one that it gets now', async () => {
      const config = await discover('to-lock', oauth.ClientSecretBasic(secretOf('to-lock')));
      const { access_token } = await oauth.clientCredentialsGrant(config);
      await act('/systems/to-lock/lock', REASON);
      // The server still gives a token, so that the system is told why it is refused; it opens nothing.
      for (const token of [access_token, (await oauth.clientCredentialsGrant(config)).access_token])
        assert.deepEqual(await meets(token), [403, 'client_locked']);
    });

    it('a revoked system gets no token, and its last one is refused', async () => {
      const config = await discover('to-revoke', oauth.ClientSecretBasic(secretOf('to-revoke')));
      const { access_token } = await oauth.clientCredentialsGrant(config);
      await act('/systems/to-revoke/revoke', REASON);
      await assert.rejects(oauth.clientCredentialsGrant(config), { status: 401 });
      await assert.rejects(gateway.token('to-revoke'), /"invalid_client"/);
      assert.deepEqual(await meets(access_token), [403, 'client_revoked']);
    });
  });
}
