import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac, type JsonWebKey, randomUUID, type webcrypto } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import * as oauth from 'openid-client';
import type { VerifiedToken } from '../../gateway/identity/token.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import {
  ASSERTION_TYPE,
  assertion,
  basic,
  GRANT,
  type IdentityNode,
  newKey,
  Register,
  secretCredential,
  startIdentityNode,
} from './identity-node.js';

const SECRET = 'hush: +/=&%"~';
const KEY = newKey();
const RSA = newKey('RS256');
const ED = newKey('EdDSA');
const STRANGER = newKey();

const keyCredential = (id: string, publicJwk: JsonWebKey & { kid?: string }) =>
  ({ id, kind: 'key', publicJwk }) as const;

function fill(register: Register): void {
  const both = [secretCredential('secret-1', SECRET), keyCredential('key-1', KEY.publicJwk)];
  register.add('both', { credentials: both });
  register.add('two-secrets', {
    credentials: [secretCredential('s1', 'first'), secretCredential('s2', 'second')],
  });
  register.add('two-keys', {
    credentials: [
      keyCredential('k1', { ...KEY.publicJwk, kid: 'named' }),
      keyCredential('k2', { ...RSA.publicJwk, kid: 'rsa' }),
    ],
  });
  register.add('ed', { credentials: [keyCredential('ed-1', ED.publicJwk)] });
  register.add('key-only', { credentials: [keyCredential('key-1', KEY.publicJwk)] });
  register.add('bare');
  register.add('locked', { credentials: both, state: 'locked' });
  register.add('revoked', { credentials: both, state: 'revoked' });
  register.add('operator', { credentials: both, roles: ['operator'] });
  register.add('operator-consumer', { credentials: both, roles: ['operator', 'consumer'] });
  register.add('no-role', { credentials: both, roles: [] });
  register.add('damaged-key', {
    credentials: [keyCredential('broken', { kty: 'RSA' }), keyCredential('key-1', KEY.publicJwk)],
  });
}

// Declared deprecated by its authors only in order to stand out.
const allowHttp: (client: oauth.Configuration) => void = Reflect.get(oauth, 'allowInsecureRequests');

interface TokenAnswer {
  readonly access_token: string;
  readonly scope?: string;
  readonly error?: string;
}

async function json(response: Response): Promise<TokenAnswer> {
  return (await response.json()) as TokenAnswer;
}

async function verified(node: IdentityNode, response: Response, audience?: string): Promise<VerifiedToken> {
  const body = await json(response);
  assert.equal(response.status, 200, JSON.stringify(body));
  return await node.verifier.verify(`Bearer ${body.access_token}`, audience ?? node.resources.data);
}

for (const engine of engines) {
  describe(`authorization server on ${engine.name}`, () => {
    let test: TestDatabase;
    let node: IdentityNode;
    const register = new Register();
    fill(register);

    before(async () => {
      test = await engine.create();
      node = await startIdentityNode({ database: test.database, clients: register });
    });
    after(async () => {
      await node.close();
      await test.drop();
    });

    const assert401 = async (response: Response): Promise<void> => {
      assert.equal(response.status, 401);
      assert.deepEqual(await response.json(), {
        error: 'invalid_client',
        error_description: 'client authentication failed',
      });
    };
    const byKey = async (
      id: string,
      parts: Partial<Parameters<typeof assertion>[1]> = {},
    ): Promise<Response> =>
      node.token({
        ...GRANT,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await assertion(id, { key: KEY, audience: node.issuer, ...parts }),
      });

    describe('gives a stock client a token', () => {
      const discover = (
        id: string,
        secret: string | undefined,
        method: oauth.ClientAuth | undefined,
        algorithm: 'oidc' | 'oauth2' = 'oidc',
      ): Promise<oauth.Configuration> =>
        oauth.discovery(new URL(node.issuer), id, secret, method, {
          execute: [allowHttp],
          algorithm,
        });

      for (const [name, id, secret, method] of [
        ['with its secret, by default', 'both', SECRET, () => undefined],
        ['by client_secret_basic', 'both', SECRET, () => oauth.ClientSecretBasic(SECRET)],
        ['by client_secret_post', 'both', SECRET, () => oauth.ClientSecretPost(SECRET)],
        ['by the second of two secrets', 'two-secrets', 'second', () => undefined],
        [
          'by private_key_jwt',
          'both',
          undefined,
          async () => oauth.PrivateKeyJwt(await cryptoKey(KEY.privateJwk, 'ES256')),
        ],
        [
          'by private_key_jwt with a key name of its own',
          'both',
          undefined,
          async () => oauth.PrivateKeyJwt({ key: await cryptoKey(KEY.privateJwk, 'ES256'), kid: 'mine' }),
        ],
        [
          'by one of two named keys, RSA',
          'two-keys',
          undefined,
          async () => oauth.PrivateKeyJwt({ key: await cryptoKey(RSA.privateJwk, 'RS256'), kid: 'rsa' }),
        ],
        [
          'by PS256',
          'two-keys',
          undefined,
          async () => oauth.PrivateKeyJwt(await cryptoKey(RSA.privateJwk, 'PS256')),
        ],
        [
          'by Ed25519',
          'ed',
          undefined,
          async () => oauth.PrivateKeyJwt(await cryptoKey(ED.privateJwk, 'Ed25519')),
        ],
      ] as [
        string,
        string,
        string | undefined,
        () => Promise<oauth.ClientAuth> | oauth.ClientAuth | undefined,
      ][])
        it(name, async () => {
          const client = await discover(id, secret, await method());
          const answer = await oauth.clientCredentialsGrant(client);
          assert.equal(answer.token_type, 'bearer');
          assert.equal(answer.expires_in, node.config.tokens.ttlSeconds);
          const token = await node.verifier.verify(`Bearer ${answer.access_token}`, node.resources.data);
          assert.equal(token.clientId, id);
          assert.equal(token.agency, 'H35.16');
        });

      it('found by RFC 8414 discovery, with a resource', async () => {
        const client = await discover('both', SECRET, undefined, 'oauth2');
        const answer = await oauth.clientCredentialsGrant(client, { resource: node.resources.api });
        assert.equal(decodeJwt(answer.access_token).aud, node.resources.api);
      });
    });

    it('issues RFC 9068 tokens', async () => {
      const response = await node.token(GRANT, basic('both', SECRET));
      assert.equal(response.headers.get('cache-control'), 'no-store');
      const { access_token: text } = await json(response);
      assert.deepEqual(decodeProtectedHeader(text), {
        alg: 'ES256',
        typ: 'at+jwt',
        kid: node.keyRing.tokenSigner().kid,
      });
      const { jti, iat, exp, ...rest } = decodeJwt(text);
      assert.deepEqual(rest, {
        iss: node.issuer,
        aud: node.resources.data,
        sub: 'both',
        client_id: 'both',
        agency: 'H35.16',
        credential: 'secret-1',
      });
      assert.equal(exp! - iat!, node.config.tokens.ttlSeconds);
      assert.ok(jti!.length > 20);
    });

    for (const [name, id, ask, keyId] of [
      ['the secret', 'both', () => node.token(GRANT, basic('both', SECRET)), 'secret-1'],
      ['the second secret', 'two-secrets', () => node.token(GRANT, basic('two-secrets', 'second')), 's2'],
      ['the only key', 'both', () => byKey('both'), 'key-1'],
      ['the named key', 'two-keys', () => byKey('two-keys', { kid: 'named' }), 'k1'],
      ['the key by our id', 'two-keys', () => byKey('two-keys', { kid: 'k1' }), 'k1'],
      ['nothing when it is not known which key signed', 'two-keys', () => byKey('two-keys'), undefined],
    ] as [string, string, () => Promise<Response>, string | undefined][])
      it(`says in the token which credential was used: ${name}`, async () => {
        const token = await verified(node, await ask());
        assert.equal(token.clientId, id);
        assert.equal(token.keyId, keyId);
      });

    describe('knows the resource', () => {
      for (const [name, id, form, audience] of [
        ['data by default', 'both', {}, 'data'],
        ['data for one without a role', 'no-role', {}, 'data'],
        ['api for one that only manages', 'operator', {}, 'api'],
        ['data for one that does both', 'operator-consumer', {}, 'data'],
        ['data when asked', 'operator', { resource: 'data' }, 'data'],
        ['api when asked', 'both', { resource: 'api' }, 'api'],
        ['data when the parameter is empty', 'both', { resource: '' }, 'data'],
        ['data when only a scope is asked for', 'both', { scope: 'openid anything' }, 'data'],
      ] as [string, string, { resource?: 'data' | 'api' | ''; scope?: string }, 'data' | 'api'][])
        it(name, async () => {
          const { resource, ...rest } = form;
          const asked =
            resource === undefined ? {} : { resource: resource === '' ? '' : node.resources[resource] };
          const response = await node.token({ ...GRANT, ...rest, ...asked }, basic(id, SECRET));
          await verified(node, response, node.resources[audience]);
        });

      it('leaves out scopes: rights are asked of the catalogue', async () => {
        const response = await node.token({ ...GRANT, scope: 'openid admin' }, basic('both', SECRET));
        const body = await json(response);
        assert.equal(body.scope, undefined);
        assert.equal(decodeJwt(body.access_token)['scope'], undefined);
      });

      for (const [name, query] of [
        ['an unknown resource', `resource=${encodeURIComponent('https://other.example/data')}`],
        ['no address', 'resource=data'],
        ['two resources', 'resource=@data&resource=@api'],
      ] as const)
        it(`refuses ${name}`, async () => {
          const form = query
            .replace('@data', encodeURIComponent(node.resources.data))
            .replace('@api', encodeURIComponent(node.resources.api));
          const response = await node.token(`grant_type=client_credentials&${form}`, basic('both', SECRET));
          assert.equal(response.status, 400);
          assert.equal((await json(response)).error, 'invalid_target');
        });
    });

    it('gives a locked system a token: each of its calls is refused and recorded', async () => {
      assert.equal(
        (await verified(node, await node.token(GRANT, basic('locked', SECRET)))).clientId,
        'locked',
      );
    });

    describe('refuses the client', () => {
      const now = Math.floor(Date.now() / 1000);
      const byHand = (header: object, sign: (text: string) => string): Promise<Response> => {
        const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
        const claims = { iss: 'both', sub: 'both', aud: node.issuer, jti: randomUUID(), exp: now + 60 };
        const text = `${part(header)}.${part(claims)}`;
        return node.token({
          ...GRANT,
          client_assertion_type: ASSERTION_TYPE,
          client_assertion: `${text}.${sign(text)}`,
        });
      };
      const wrong: [string, () => Promise<Response>][] = [
        ['that is unknown', () => node.token(GRANT, basic('nobody', SECRET))],
        ['that is unknown, by key', () => byKey('nobody')],
        ['that was revoked', () => node.token(GRANT, basic('revoked', SECRET))],
        ['that was revoked, by key', () => byKey('revoked')],
        ['with a wrong secret', () => node.token(GRANT, basic('both', `${SECRET}x`))],
        ['with the digest for a secret', () => node.token(GRANT, basic('two-secrets', digestOf(register)))],
        ['with a secret it does not have', () => node.token(GRANT, basic('key-only', SECRET))],
        ['with a secret when it has nothing', () => node.token(GRANT, basic('bare', 'x'))],
        ['with a key when it has nothing', () => byKey('bare')],
        ['with its name alone', () => node.token({ ...GRANT, client_id: 'both' })],
        [
          'with a name no database could look for',
          () => node.token({ ...GRANT, client_id: 'bo\u0000th', client_secret: SECRET }),
        ],
        ['with an endless name', () => node.token(GRANT, basic('b'.repeat(5000), SECRET))],
        ['with the key of another', () => byKey('both', { key: STRANGER })],
        ['with a key it was not registered for', () => byKey('two-keys', { key: KEY, kid: 'rsa' })],
        ['with a key name that none of its named keys bears', () => byKey('two-keys', { kid: 'third' })],
        ['for another audience', () => byKey('both', { audience: 'https://other.example/token' })],
        ['with an assertion that has ended', () => byKey('both', { claims: { exp: now - 60 } })],
        ['with an assertion for tomorrow', () => byKey('both', { claims: { exp: now + 86_400 } })],
        ['with an assertion not yet valid', () => byKey('both', { claims: { nbf: now + 86_400 } })],
        ['with an assertion without an end', () => byKey('both', { claims: { exp: undefined } })],
        ['with an assertion without jti', () => byKey('both', { claims: { jti: undefined } })],
        ['with a jti that is no text', () => byKey('both', { claims: { jti: { a: 1 } } })],
        ['with an assertion of another issuer', () => byKey('both', { claims: { iss: 'locked' } })],
        ['with an unsigned assertion', () => byHand({ alg: 'none' }, () => '')],
        [
          'that signs HS256 with its public key as the secret',
          () =>
            byHand({ alg: 'HS256' }, (text) =>
              createHmac('sha256', JSON.stringify(KEY.publicJwk)).update(text).digest('base64url'),
            ),
        ],
      ];
      for (const [name, ask] of wrong) it(name, async () => assert401(await ask()));
    });

    it('never fetches the keys of a client, whatever the directory passes on', async () => {
      let fetched = 0;
      const elsewhere = createServer((_request, response) => {
        fetched += 1;
        response.end(JSON.stringify({ keys: [KEY.publicJwk] }));
      });
      elsewhere.listen(0, '127.0.0.1');
      await once(elsewhere, 'listening');
      try {
        const { port } = elsewhere.address() as AddressInfo;
        register.add('outbound', { ...({ jwks_uri: `http://127.0.0.1:${port}/jwks` } as object) });
        await assert401(await byKey('outbound'));
        assert.equal(fetched, 0);
      } finally {
        elsewhere.close();
      }
    });

    it('goes on with the other keys when one cannot be read', async () => {
      assert.equal((await verified(node, await byKey('damaged-key'))).keyId, 'key-1');
    });

    it('asks the directory at every authentication', async () => {
      const credentials = [secretCredential('s', 'one')];
      register.add('changing', { credentials });
      const ask = (secret: string): Promise<Response> => node.token(GRANT, basic('changing', secret));
      assert.equal((await ask('one')).status, 200);
      register.add('changing', { credentials: [secretCredential('t', 'two')] });
      assert.equal((await ask('one')).status, 401);
      assert.equal((await ask('two')).status, 200);
      register.add('changing', { credentials: [secretCredential('t', 'two')], state: 'revoked' });
      assert.equal((await ask('two')).status, 401);
    });

    for (const [name, audience] of [
      ['the issuer', () => node.issuer],
      ['the token endpoint', () => `${node.issuer}/token`],
    ] as const)
      it(`accepts ${name} as the audience of an assertion`, async () => {
        assert.equal((await byKey('both', { audience: audience() })).status, 200);
      });

    it('refuses a replayed assertion', async () => {
      const form = {
        ...GRANT,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await assertion('both', { key: KEY, audience: node.issuer }),
      };
      assert.equal((await node.token(form)).status, 200);
      await assert401(await node.token(form));
    });

    it('accepts one of twenty that send the same assertion at once, to two nodes', async () => {
      const other = await startIdentityNode({
        // Two SQLite connections of one process would wait for each other: its driver blocks the thread.
        database: engine.name === 'SQLite' ? test.database : test.again(),
        clients: register,
        publicUrl: node.config.publicUrl,
        sealing: node.sealing,
      });
      const form = {
        ...GRANT,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await assertion('both', { key: KEY, audience: node.issuer }),
      };
      try {
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? node : other).token(form)),
        );
        const statuses = answers.map((answer) => answer.status).sort();
        assert.deepEqual(statuses, [200, ...Array.from({ length: 19 }, () => 401)]);
      } finally {
        await other.close();
      }
    });
  });
}

function digestOf(register: Register): string {
  const [credential] = register.clients.get('two-secrets')!.credentials;
  return credential?.kind === 'secret' ? credential.secretSha256 : '';
}

async function cryptoKey(jwk: JsonWebKey, alg: string): Promise<webcrypto.CryptoKey> {
  return (await importJWK(jwk, alg)) as webcrypto.CryptoKey;
}
