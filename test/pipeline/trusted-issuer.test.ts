import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const ISSUER = 'https://xac-thuc.bo-mau.example';
/** One that calls its access tokens plainly JWT. */
const OLDER = 'https://xac-thuc.cu.example';

/** Another authorization server: real keys, a real JWK Set over HTTP. */
class Issuer {
  readonly #server: Server;
  keys: Record<string, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }> = {};
  asked = 0;
  down = false;
  body: string | null = null;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.asked += 1;
      if (this.down) {
        response.destroy();
        return;
      }
      const keys = Object.entries(this.keys).map(([kid, { publicKey }]) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        use: 'sig',
      }));
      response.end(this.body ?? JSON.stringify({ keys }));
    });
  }

  addKey(kid: string, kind: 'ec' | 'rsa' = 'ec'): void {
    this.keys[kid] =
      kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 });
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/jwks`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

interface Claims {
  readonly [claim: string]: unknown;
}

for (const engine of engines)
  describe(`tokens of a trusted issuer on ${engine.name}`, () => {
    let test: TestDatabase;
    let gateway: TestGateway;
    let source: Source;
    let path: string;
    const issuer = new Issuer();
    const clock = { at: Date.parse('2026-03-02T02:00:00Z'), now: () => clock.at };

    before(async () => {
      test = await engine.create();
      source = await startSource();
      for (const code of ['H35.11', 'H35.61']) await addAgency(test.database, code);
      await addSystem(test.database, 'mot-cua', 'H35.61');
      await addSystem(test.database, 'bi-khoa', 'H35.61', { state: 'locked' });
      path = await addService(test.database, source.url);
      issuer.addKey('k1');
      issuer.addKey('r1', 'rsa');
      const jwksUri = await issuer.start();
      const systems = { 'app-7': 'mot-cua', 'app-8': 'bi-khoa', 'app-9': 'khong-co' };
      gateway = await startTestGateway(
        test,
        {
          trustedIssuers: [
            { issuer: ISSUER, jwksUri, claim: 'azp', systems },
            { issuer: OLDER, jwksUri, claim: 'azp', systems, types: ['at+jwt', 'JWT'] },
          ],
        },
        { clock },
      );
    });
    after(async () => {
      await gateway.close();
      await issuer.close();
      await source.close();
      await test.drop();
    });

    async function tokenOf(
      claims: Claims = {},
      header: { kid?: string; alg?: string; typ?: string; signedWith?: string } = {},
    ): Promise<string> {
      const { kid = 'k1', alg = 'ES256', typ = 'at+jwt', signedWith = kid } = header;
      const now = Math.floor(clock.at / 1000);
      const key = issuer.keys[signedWith] ?? issuer.keys['k1'];
      if (key === undefined) throw new Error('no key');
      return await new SignJWT({
        iss: ISSUER,
        aud: `${gateway.url}/data`,
        azp: 'app-7',
        sub: 'whoever',
        jti: 'j1',
        iat: now,
        exp: now + 300,
        ...claims,
      })
        .setProtectedHeader({ alg, kid, typ })
        .sign(key.privateKey);
    }

    async function call(token: string) {
      const response = await fetch(`${gateway.url}${path}/ok`, {
        headers: { authorization: `Bearer ${token}` },
      });
      return { status: response.status, body: (await response.json()) as Record<string, any> };
    }

    it('are the mapped system’s, with all its rights and none more', async () => {
      const { status, body } = await call(await tokenOf());
      assert.equal(status, 200, JSON.stringify(body));
      const rows = (await test.database.knex('records').select('leaf').orderBy('seq')) as { leaf: string }[];
      const last = JSON.parse(rows.at(-1)?.leaf ?? '{}');
      assert.deepEqual(
        [last.system, last.agency, last.tokenId, last.user],
        ['mot-cua', 'H35.61', 'j1', undefined],
      );
      assert.equal((await call(await tokenOf({}, { kid: 'r1', alg: 'RS256' }))).status, 200);
      assert.equal(
        (await call(await tokenOf({}, { kid: 'r1', alg: 'PS256', typ: 'application/at+jwt' }))).status,
        200,
      );
    });

    it('are taken with a plain type where the settings say so', async () => {
      assert.equal((await call(await tokenOf({ iss: OLDER }, { typ: 'JWT' }))).status, 200);
      assert.equal((await call(await tokenOf({ iss: OLDER }))).status, 200);
    });

    const now = () => Math.floor(clock.at / 1000);
    const refusals: readonly [string, () => Claims, Parameters<typeof tokenOf>[1], number, string, string][] =
      [
        ['of nobody we know', () => ({ azp: 'app-1' }), {}, 401, 'token_invalid', 'unmapped'],
        ['that name a prototype', () => ({ azp: 'constructor' }), {}, 401, 'token_invalid', 'unmapped'],
        ['that name several', () => ({ azp: ['app-7'] }), {}, 401, 'token_invalid', 'unmapped'],
        ['of a system that is not registered', () => ({ azp: 'app-9' }), {}, 401, 'token_invalid', 'unknown'],
        ['of a locked system', () => ({ azp: 'app-8' }), {}, 403, 'client_locked', 'locked'],
        [
          'for somebody else',
          () => ({ aud: 'https://elsewhere.example' }),
          {},
          401,
          'token_invalid',
          'audience',
        ],
        [
          'for the management API',
          () => ({ aud: `${gateway.url}/api` }),
          {},
          401,
          'token_invalid',
          'audience',
        ],
        ['of another issuer', () => ({ iss: `${ISSUER}/` }), {}, 401, 'token_invalid', 'issuer'],
        ['that ended', () => ({ exp: now() - 1 }), {}, 401, 'token_expired', 'expired'],
        ['that never end', () => ({ exp: undefined }), {}, 401, 'token_invalid', 'claims'],
        ['that do not say since when', () => ({ iat: undefined }), {}, 401, 'token_invalid', 'claims'],
        [
          'of a long life, in its last hour',
          () => ({ iat: now() - 86_400, exp: now() + 60 }),
          {},
          401,
          'token_invalid',
          'lifetime',
        ],
        ['that live for a day', () => ({ exp: now() + 86_400 }), {}, 401, 'token_invalid', 'lifetime'],
        [
          'from tomorrow',
          () => ({ iat: now() + 3600, exp: now() + 3601 }),
          {},
          401,
          'token_invalid',
          'early',
        ],
        ['of the wrong type', () => ({}), { typ: 'logout+jwt' }, 401, 'token_invalid', 'type'],
        ['that may be ID tokens', () => ({}), { typ: 'JWT' }, 401, 'token_invalid', 'type'],
        [
          'of the wrong type, where more are taken',
          () => ({ iss: OLDER }),
          { typ: 'logout+jwt' },
          401,
          'token_invalid',
          'type',
        ],
        [
          'signed with another key',
          () => ({}),
          { kid: 'k1', signedWith: 'k2' },
          401,
          'token_invalid',
          'signature',
        ],
        [
          'bound to a key that is not proved',
          () => ({ cnf: { jkt: 'x'.repeat(43) } }),
          {},
          401,
          'token_unbound',
          'unproved',
        ],
      ];
    for (const [name, claims, header, status, code, state] of refusals)
      it(`${name} are refused`, async () => {
        const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
        const token =
          header?.signedWith === undefined
            ? await tokenOf(claims(), header)
            : await new SignJWT({ iss: ISSUER, aud: `${gateway.url}/data`, azp: 'app-7', exp: now() + 60 })
                .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
                .sign(stranger.privateKey);
        const answer = await call(token);
        assert.deepEqual(
          [answer.status, answer.body['code'], answer.body['rule'].state],
          [status, code, state],
        );
      });

    it('without a signature, or signed with the public key as a secret, are refused', async () => {
      const b64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = b64({ iss: ISSUER, aud: `${gateway.url}/data`, azp: 'app-7', exp: now() + 60 });
      for (const alg of ['none', 'HS256', 'EdDSA']) {
        const answer = await call(`${b64({ alg, kid: 'k1', typ: 'at+jwt' })}.${claims}.AAAA`);
        assert.deepEqual([answer.status, answer.body['rule'].state], [401, 'algorithm'], alg);
      }
    });

    it('are taken with a key that is new, and the issuer is asked rarely, however many names are tried', async () => {
      clock.at += 31_000;
      issuer.addKey('k3');
      assert.equal((await call(await tokenOf({}, { kid: 'k3' }))).status, 200);
      const { asked } = issuer;
      for (let i = 0; i < 20; i += 1) {
        const answer = await call(await tokenOf({}, { kid: `none-${i}`, signedWith: 'k1' }));
        assert.equal(answer.body['rule'].state, 'key');
      }
      assert.equal(issuer.asked, asked, 'within the cool-down nobody is asked');
      clock.at += 31_000;
      await Promise.all(
        Array.from({ length: 10 }, async (_, i) =>
          call(await tokenOf({}, { kid: `more-${i}`, signedWith: 'k1' })),
        ),
      );
      assert.equal(issuer.asked, asked + 1, 'once for all who wait');
    });

    it('go on for an hour while the issuer is down, then are refused, then work again', async () => {
      issuer.down = true;
      clock.at += 30 * 60_000;
      assert.equal((await call(await tokenOf())).status, 200);
      clock.at += 31 * 60_000;
      assert.equal((await call(await tokenOf())).body['rule'].state, 'key');
      issuer.down = false;
      clock.at += 31_000;
      assert.equal((await call(await tokenOf())).status, 200);
    });

    it('are refused once their key is taken out of the set', async () => {
      const token = await tokenOf({ exp: now() + 3000 }, { kid: 'k3' });
      assert.equal((await call(token)).status, 200);
      const { k3: _gone, ...rest } = issuer.keys;
      issuer.keys = rest;
      clock.at += 11 * 60_000;
      assert.equal((await call(token)).body['rule'].state, 'key', 'also one that was verified before');
    });

    it('are not endangered by a set that is huge or none', async () => {
      for (const body of [
        '{"keys":"x"}',
        'x'.repeat(300_000),
        '{"keys":[{"kty":"oct","k":"AA","kid":"k1"}]}',
      ]) {
        issuer.body = body;
        clock.at += 11 * 60_000;
        const answer = await call(await tokenOf());
        assert.ok([200, 401].includes(answer.status));
      }
      issuer.body = null;
      clock.at += 11 * 60_000;
      assert.equal((await call(await tokenOf())).status, 200);
    });
  });
