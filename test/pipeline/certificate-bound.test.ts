import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import jwt from 'jsonwebtoken';
import { type Identity, makeIdentity } from '../kit/certificates.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { freePort } from '../kit/ports.js';
import { type Answered, newProofKey, proof, send } from '../kit/possession.js';
import { addAgency, addService, addSystem, secretOf } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';
import { insertCredential } from '../../gateway/store/systems.js';

const PATH = '/data/H35.11/gan/v1/ok';
const FORM = 'application/x-www-form-urlencoded';
const basic = (id: string): string => `Basic ${Buffer.from(`${id}:${secretOf(id)}`).toString('base64')}`;

const issuer = makeIdentity('Co quan cap', { authority: true });
const server = makeIdentity('localhost');
const mine = makeIdentity('mot-cua');
const other = makeIdentity('khac');
const issued = makeIdentity('duoc-cap', { issuer });
const over = makeIdentity('het-han', { days: -1 });
const rsa = makeIdentity('rsa', { key: ['rsa:2048'] });

async function province(test: TestDatabase, source: Source): Promise<void> {
  const { database } = test;
  await addAgency(database, 'H35.11');
  await addAgency(database, 'H35.12');
  await addSystem(database, 'consumer', 'H35.12');
  await addSystem(database, 'operator', 'H35.11', { roles: ['operator'] });
  for (const identity of [mine, rsa, over])
    await insertCredential(database.knex, {
      id: `certificate-${identity.thumbprint}`,
      system_id: 'consumer',
      kind: 'certificate',
      secret_sha256: null,
      public_jwk: null,
      certificate_sha256: identity.thumbprint,
      certificate_subject: 'CN=thử',
      created_at: 0,
      expires_at: null,
      revoked_at: null,
    });
  await addService(database, source.url, { slug: 'gan', manifest: { senderConstrained: true } });
}

/** A token as the authorization server would sign it for that certificate, had it been in force. */
function signed(gateway: TestGateway, cnf: object): string {
  const { kid, privateKey } = gateway.gateway.keyRing.tokenSigner();
  const seconds = Math.floor(Date.now() / 1000);
  const claims = {
    iss: `${gateway.url}/oidc`,
    aud: `${gateway.url}/data`,
    sub: 'consumer',
    client_id: 'consumer',
  };
  return jwt.sign(
    { ...claims, agency: 'H35.12', jti: randomUUID(), iat: seconds, exp: seconds + 60, cnf },
    privateKey,
    { algorithm: 'ES256', header: { alg: 'ES256', typ: 'at+jwt', kid } },
  );
}

function assertRefused(answer: Answered, state: string): void {
  assert.equal(answer.status, 401, JSON.stringify(answer.body));
  assert.deepEqual([answer.body.code, answer.body.rule?.state], ['token_unbound', state]);
  assert.match(String(answer.headers['www-authenticate']), /^Bearer .*error="invalid_token"/);
}

/** How a call shows a certificate: in the handshake, or through a proxy. */
type Show = (identity: Identity | null) => object;

function suite(setting: () => { gateway: TestGateway; test: TestDatabase; show: Show }): void {
  const call = async (token: string, identity: Identity | null, path = PATH): Promise<Answered> => {
    const { gateway, show } = setting();
    const { headers = {}, ...tls } = show(identity) as { headers?: Record<string, string> };
    return await send(gateway.gateway.url + path, {
      ...tls,
      headers: { authorization: `Bearer ${token}`, ...headers },
    });
  };
  const ask = async (
    identity: Identity | null,
    form: Record<string, string>,
    more: Record<string, string> = {},
  ) => {
    const { gateway, show } = setting();
    const { headers = {}, ...tls } = show(identity) as { headers?: Record<string, string> };
    return await send(
      `${gateway.gateway.url}/oidc/token`,
      { ...tls, method: 'POST', headers: { 'content-type': FORM, ...more, ...headers } },
      new URLSearchParams({ grant_type: 'client_credentials', ...form }).toString(),
    );
  };
  const got = async (identity: Identity, resource = 'data', client = 'consumer'): Promise<string> => {
    const form = { resource: `${setting().gateway.url}/${resource}` };
    const { status, body } = await ask(identity, form, { authorization: basic(client) });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.token_type, 'Bearer');
    return body.access_token as string;
  };

  it('binds a token to the certificate that is shown, and takes it with that one', async () => {
    const token = await got(other);
    assert.deepEqual(decodeJwt(token)['cnf'], { 'x5t#S256': other.thumbprint });
    const answer = await call(token, other);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const records = await allRecords(setting().test.database);
    const record = records.find(({ id }) => id === answer.headers['x-request-id']);
    assert.equal(record?.boundTo, `x5t#S256:${other.thumbprint}`);
  });

  it('does so at the management API', async () => {
    const token = await got(other, 'api', 'operator');
    assert.equal((await call(token, other, '/api/systems')).status, 200);
    assertRefused(await call(token, mine, '/api/systems'), 'certificate_other');
  });

  it('refuses the token with another certificate, and with none', async () => {
    const token = await got(other);
    assertRefused(await call(token, mine), 'certificate_other');
    assertRefused(await call(token, null), 'certificate_missing');
  });

  it('refuses a certificate that is over', async () => {
    const token = signed(setting().gateway, { 'x5t#S256': over.thumbprint });
    assertRefused(await call(token, over), 'certificate_expired');
    const asked = await ask(over, {}, { authorization: basic('consumer') });
    assert.deepEqual([asked.status, asked.body.error], [401, 'invalid_client']);
    const proved = await ask(over, { client_id: 'consumer' });
    assert.deepEqual([proved.status, proved.body.error], [401, 'invalid_client']);
  });

  for (const [name, identity] of [
    ['EC', mine],
    ['RSA', rsa],
  ] as const)
    it(`knows a system by its ${name} certificate alone, and the record names it`, async () => {
      const { status, body } = await ask(identity, { client_id: 'consumer' });
      assert.equal(status, 200, JSON.stringify(body));
      const token = body.access_token as string;
      assert.deepEqual(decodeJwt(token)['cnf'], { 'x5t#S256': identity.thumbprint });
      const answer = await call(token, identity);
      assert.equal(answer.status, 200);
      const records = await allRecords(setting().test.database);
      const record = records.find(({ id }) => id === answer.headers['x-request-id']);
      assert.equal(record?.keyId, `certificate-${identity.thumbprint}`);
    });

  for (const [name, identity, client] of [
    ['a certificate that is not registered', other, 'consumer'],
    ["another system's certificate", mine, 'operator'],
    ['no certificate', null, 'consumer'],
    ['a system that is unknown', mine, 'nobody'],
  ] as const)
    it(`gives no token for ${name}`, async () => {
      const { status, body } = await ask(identity, { client_id: client });
      assert.deepEqual([status, body.error], [401, 'invalid_client']);
    });

  it('does not take a wrong secret beside the right certificate', async () => {
    const { status } = await ask(mine, { client_id: 'consumer', client_secret: 'wrong' });
    assert.equal(status, 401);
  });

  it('binds to the key of a proof rather than to the certificate beside it', async () => {
    const key = await newProofKey();
    const { url } = setting().gateway;
    const dpop = await proof(key, { method: 'POST', url: `${url}/oidc/token` });
    const { body } = await ask(mine, { client_id: 'consumer' }, { dpop });
    assert.deepEqual(decodeJwt(body.access_token as string)['cnf'], { jkt: key.thumbprint });
  });

  it('demands both where a token is bound to both', async () => {
    const { gateway, show } = setting();
    const key = await newProofKey();
    const token = signed(gateway, { jkt: key.thumbprint, 'x5t#S256': mine.thumbprint });
    for (const [identity, status] of [
      [mine, 200],
      [other, 401],
      [null, 401],
    ] as const) {
      const { headers = {}, ...tls } = show(identity) as { headers?: Record<string, string> };
      const dpop = await proof(key, { url: gateway.url + PATH, token });
      const answer = await send(gateway.gateway.url + PATH, {
        ...tls,
        headers: { authorization: `DPoP ${token}`, dpop, ...headers },
      });
      assert.equal(answer.status, status, JSON.stringify(answer.body));
    }
    assert.equal((await call(token, mine)).body.rule.state, 'unproved');
  });

  it('says in its metadata that it binds', async () => {
    const { gateway, show } = setting();
    const read = async (path: string) => (await send(gateway.gateway.url + path, show(null))).body;
    const metadata = await read('/.well-known/oauth-authorization-server/oidc');
    assert.equal(metadata.tls_client_certificate_bound_access_tokens, true);
    assert.ok(metadata.token_endpoint_auth_methods_supported.includes('self_signed_tls_client_auth'));
    assert.deepEqual(metadata.dpop_signing_alg_values_supported, ['ES256', 'PS256', 'EdDSA', 'Ed25519']);
    const resource = await read('/.well-known/oauth-protected-resource/data');
    assert.equal(resource.tls_client_certificate_bound_access_tokens, true);
    assert.deepEqual(resource.dpop_signing_alg_values_supported, ['ES256', 'PS256', 'EdDSA', 'Ed25519']);
  });
}

const forwarded: Readonly<Record<string, (identity: Identity) => string>> = {
  'Client-Cert (RFC 9440)': ({ x509 }) => `:${x509.raw.toString('base64')}:`,
  'a URL-encoded PEM (nginx)': ({ cert }) => encodeURIComponent(cert),
  'X-Forwarded-Client-Cert (Envoy)': ({ cert }) =>
    `By=spiffe://a;Hash=468e;Cert="${encodeURIComponent(cert)}";Subject="CN=a,O=\\"b\\"";URI=`,
};

for (const engine of engines) {
  describe(`certificate-bound tokens on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      await province(test, source);
    });
    after(async () => {
      await source.close();
      await test.drop();
    });

    const tlsSettings = async (more: Record<string, string> = {}): Promise<Record<string, unknown>> => {
      const file = (name: string, text: string): string => {
        writeFileSync(join(test.dataDir, name), text);
        return join(test.dataDir, name);
      };
      const tls = {
        certFile: file('server.pem', server.cert),
        keyFile: file('server.key', server.key),
        ...more,
      };
      const port = await freePort();
      return { tls, port, publicUrl: `https://localhost:${port}` };
    };
    const inHandshake: Show = (identity) => ({
      ca: server.cert,
      servername: 'localhost',
      ...(identity === null ? {} : { cert: identity.cert, key: identity.key }),
    });

    describe('with TLS in process', () => {
      before(async () => {
        gateway = await startTestGateway(test, await tlsSettings());
      });
      after(() => gateway.close());

      suite(() => ({ gateway, test, show: inHandshake }));

      it('serves those without a certificate too', async () => {
        assert.equal((await send(`${gateway.gateway.url}/readyz`, inHandshake(null))).status, 200);
      });

      it('takes no certificate from a header', async () => {
        const token = signed(gateway, { 'x5t#S256': mine.thumbprint });
        for (const [header, make] of [
          ['client-cert', forwarded['Client-Cert (RFC 9440)']!],
          ['x-forwarded-client-cert', forwarded['X-Forwarded-Client-Cert (Envoy)']!],
        ] as const) {
          const headers = { authorization: `Bearer ${token}`, [header]: make(mine) };
          const answer = await send(gateway.gateway.url + PATH, { ...inHandshake(null), headers });
          assertRefused(answer, 'certificate_missing');
        }
      });
    });

    describe('with TLS in process and issuers that are believed', () => {
      before(async () => {
        const clientCaFile = join(test.dataDir, 'ca.pem');
        writeFileSync(clientCaFile, issuer.cert);
        gateway = await startTestGateway(test, await tlsSettings({ clientCaFile }));
      });
      after(() => gateway.close());

      for (const [name, identity, status] of [
        ['of that issuer', issued, 200],
        ['of nobody', mine, 401],
      ] as const)
        it(`looks at a certificate ${name}: ${status}`, async () => {
          const token = signed(gateway, { 'x5t#S256': identity.thumbprint });
          const headers = { authorization: `Bearer ${token}` };
          const answer = await send(gateway.gateway.url + PATH, { ...inHandshake(identity), headers });
          assert.equal(answer.status, status, JSON.stringify(answer.body));
          if (status === 401) assertRefused(answer, 'certificate_missing');
        });
    });

    for (const [name, make] of Object.entries(forwarded))
      describe(`behind a trusted proxy that sends ${name}`, () => {
        before(async () => {
          gateway = await startTestGateway(test, {
            trustedProxies: ['127.0.0.1'],
            clientCertificateHeader: 'Client-Cert',
          });
        });
        after(() => gateway.close());

        suite(() => ({
          gateway,
          test,
          show: (identity) => (identity === null ? {} : { headers: { 'client-cert': make(identity) } }),
        }));

        const broken: readonly [string, string][] = [
          ['text', 'hello'],
          ['nothing', ''],
          ['two certificates', `${make(mine)}, ${make(other)}`],
          ['a certificate cut short', make(mine).slice(0, -40)],
          ['bytes that are no certificate', ':aGVsbG8=:'],
          ['broken escapes', '%E0%A4%A'],
          ['too much of it', `:${'A'.repeat(12_288)}:`],
        ];
        for (const [what, value] of broken)
          it(`refuses ${what} in the header`, async () => {
            const token = signed(gateway, { 'x5t#S256': mine.thumbprint });
            const headers = { authorization: `Bearer ${token}`, 'client-cert': value };
            assertRefused(await send(gateway.gateway.url + PATH, { headers }), 'certificate_missing');
          });
      });

    describe('where the header comes from somebody else', () => {
      before(async () => {
        gateway = await startTestGateway(test, {
          trustedProxies: ['10.9.9.9'],
          clientCertificateHeader: 'Client-Cert',
        });
      });
      after(() => gateway.close());

      const header = forwarded['Client-Cert (RFC 9440)']!(mine);

      it('drops it: a bound token is refused', async () => {
        const token = signed(gateway, { 'x5t#S256': mine.thumbprint });
        const headers = {
          authorization: `Bearer ${token}`,
          'client-cert': header,
          'x-forwarded-for': '10.9.9.9',
        };
        assertRefused(await send(gateway.gateway.url + PATH, { headers }), 'certificate_missing');
      });

      it('gives no token for it', async () => {
        const headers = { 'content-type': FORM, 'client-cert': header };
        const form = 'grant_type=client_credentials&client_id=consumer';
        const answer = await send(`${gateway.gateway.url}/oidc/token`, { method: 'POST', headers }, form);
        assert.deepEqual([answer.status, answer.body.error], [401, 'invalid_client']);
      });

      it('binds nothing to it', async () => {
        const headers = { 'content-type': FORM, 'client-cert': header, authorization: basic('consumer') };
        const form = 'grant_type=client_credentials';
        const { body } = await send(`${gateway.gateway.url}/oidc/token`, { method: 'POST', headers }, form);
        assert.equal(decodeJwt(body.access_token as string)['cnf'], undefined);
      });
    });

    it('takes it off before anything else reads it', async () => {
      // The service of the test declares this header: its contract would refuse the value.
      const named = await startTestGateway(test, { clientCertificateHeader: 'X-Mode' });
      try {
        const key = await newProofKey();
        const token = signed(named, { jkt: key.thumbprint });
        const dpop = await proof(key, { url: named.url + PATH, token });
        const headers = { authorization: `DPoP ${token}`, dpop, 'x-mode': 'neither a nor b' };
        const answer = await send(named.gateway.url + PATH, { headers });
        assert.equal(answer.status, 200, JSON.stringify(answer.body));
      } finally {
        await named.close();
      }
    });

    it('looks at the handshake of those who are no proxy, whatever their header says', async () => {
      const settings = { trustedProxies: ['10.9.9.9'], clientCertificateHeader: 'Client-Cert' };
      const both = await startTestGateway(test, { ...(await tlsSettings()), ...settings });
      try {
        const header = forwarded['Client-Cert (RFC 9440)']!(other);
        for (const [identity, status] of [
          [mine, 200],
          [other, 401],
        ] as const) {
          const token = signed(both, { 'x5t#S256': identity.thumbprint });
          const headers = { authorization: `Bearer ${token}`, 'client-cert': header };
          const answer = await send(both.gateway.url + PATH, { ...inHandshake(mine), headers });
          assert.equal(answer.status, status, JSON.stringify(answer.body));
        }
      } finally {
        await both.close();
      }
    });

    for (const [name, files] of [
      ['is not there', { certFile: '/nowhere', keyFile: '/nowhere' }],
      ['does not fit the certificate', { keyFile: 'other' }],
    ] as const)
      it(`does not start when its key ${name}`, async () => {
        const file = join(test.dataDir, 'other.key');
        writeFileSync(file, other.key);
        const settings = await tlsSettings('certFile' in files ? files : { keyFile: file });
        await assert.rejects(startTestGateway(test, settings), { name: 'ConfigError' });
      });

    it('offers no certificates where none can be shown', async () => {
      const plain = await startTestGateway(test);
      try {
        const path = '/.well-known/oauth-authorization-server/oidc';
        const { body } = await send(plain.gateway.url + path);
        assert.equal(body.tls_client_certificate_bound_access_tokens, false);
        assert.ok(!body.token_endpoint_auth_methods_supported.includes('self_signed_tls_client_auth'));
      } finally {
        await plain.close();
      }
    });
  });
}
