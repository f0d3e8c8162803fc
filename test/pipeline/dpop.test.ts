import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { decodeJwt } from 'jose';
import { Redis } from 'ioredis';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import {
  type Answered,
  newProofKey,
  type ProofKey,
  type ProofParts,
  proof,
  send,
} from '../kit/possession.js';
import { addAgency, addService, addSystem, secretOf } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

const basic = (id: string): string => `Basic ${Buffer.from(`${id}:${secretOf(id)}`).toString('base64')}`;
const FORM = 'application/x-www-form-urlencoded';
const now = (): number => Math.floor(Date.now() / 1000);

async function province(test: TestDatabase, source: Source): Promise<void> {
  const { database } = test;
  await addAgency(database, 'H35.11');
  await addAgency(database, 'H35.12');
  await addSystem(database, 'consumer', 'H35.12');
  await addSystem(database, 'bound', 'H35.12');
  await addSystem(database, 'operator', 'H35.11', { roles: ['operator', 'consumer'] });
  await database.knex('systems').where({ id: 'bound' }).update({ require_bound: true });
  await addService(database, source.url);
  await addService(database, source.url, { slug: 'gan', manifest: { senderConstrained: true } });
}

/** A client that holds a key. */
class Holder {
  readonly key: ProofKey;
  readonly #gateway: TestGateway;

  constructor(gateway: TestGateway, key: ProofKey) {
    this.#gateway = gateway;
    this.key = key;
  }

  /** Asks for a token bound to the key; the whole answer. */
  async ask(client: string, resource = 'data', claims: ProofParts['claims'] = {}): Promise<Answered> {
    const { url, gateway } = this.#gateway;
    const dpop = await proof(this.key, { method: 'POST', url: `${url}/oidc/token`, claims });
    return await send(
      `${gateway.url}/oidc/token`,
      { method: 'POST', headers: { authorization: basic(client), 'content-type': FORM, dpop } },
      `grant_type=client_credentials&resource=${encodeURIComponent(`${url}/${resource}`)}`,
    );
  }

  async token(client = 'consumer', resource = 'data'): Promise<string> {
    const { status, body } = await this.ask(client, resource);
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.token_type, 'DPoP');
    return body.access_token as string;
  }

  /** A proof for a call of `path`, wrong where `parts` make it wrong. */
  async prove(token: string, path: string, parts: Partial<ProofParts> = {}): Promise<string> {
    return await proof(this.key, { url: this.#gateway.url + path.replace(/\?.*/, ''), token, ...parts });
  }

  async call(token: string, path: string, dpop: string, scheme = 'DPoP'): Promise<Answered> {
    const headers = ['Authorization', `${scheme} ${token}`, 'DPoP', dpop, 'Accept-Language', 'en'];
    return await send(this.#gateway.gateway.url + path, { headers });
  }
}

const PATH = '/data/H35.11/thu/v1/ok';
const BOUND_PATH = '/data/H35.11/gan/v1/ok';

function assertRefused(answer: Answered, state: string, error: string): void {
  assert.equal(answer.status, 401, JSON.stringify(answer.body));
  assert.deepEqual([answer.body.code, answer.body.rule?.state], ['token_unbound', state]);
  const challenge = String(answer.headers['www-authenticate']);
  assert.ok(challenge.startsWith('DPoP '), challenge);
  assert.ok(challenge.includes(`error="${error}"`), challenge);
  assert.ok(challenge.includes('algs="ES256 PS256 EdDSA Ed25519"'), challenge);
}

for (const engine of engines) {
  describe(`DPoP on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;
    let holder: Holder;
    let token: string;

    before(async () => {
      test = await engine.create();
      source = await startSource();
      await province(test, source);
      gateway = await startTestGateway(test);
      holder = new Holder(gateway, await newProofKey());
      token = await holder.token();
    });
    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    const again = async (parts: Partial<ProofParts> = {}, path = PATH): Promise<Answered> =>
      await holder.call(token, path, await holder.prove(token, path, parts));

    it('gives tokens that are bound, and takes them with a proof', async () => {
      assert.deepEqual(decodeJwt(token)['cnf'], { jkt: holder.key.thumbprint });
      const answer = await again();
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assert.equal(answer.headers['dpop-nonce'], undefined);
      const record = (await allRecords(test.database)).find(
        ({ id }) => id === answer.headers['x-request-id'],
      );
      assert.equal(record?.boundTo, `jkt:${holder.key.thumbprint}`);
      assert.equal(record?.keyId, 'consumer-secret');
    });

    for (const alg of ['PS256', 'EdDSA', 'Ed25519'])
      it(`takes proofs signed with ${alg}`, async () => {
        const other = new Holder(gateway, await newProofKey(alg));
        const mine = await other.token();
        assert.equal((await other.call(mine, PATH, await other.prove(mine, PATH))).status, 200);
      });

    it('takes them at the management API too', async () => {
      const path = '/api/systems?limit=1';
      const mine = await holder.token('operator', 'api');
      const answer = await holder.call(mine, path, await holder.prove(mine, path));
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const wrong = await holder.call(mine, path, await holder.prove(mine, '/api/agencies'));
      assertRefused(wrong, 'proof_address', 'invalid_dpop_proof');
    });

    const url = (path: string): string => gateway.url + path;
    const accepted: readonly [string, () => Partial<ProofParts>, string?][] = [
      ['an htu with a query and a fragment', () => ({ url: url(`${PATH}?x=1#y`) })],
      ['an htu for a call with a query', () => ({ url: url(PATH) }), `${PATH}?limit=2`],
      [
        'scheme and host in capitals',
        () => ({ url: url(PATH).replace('http://localhost', 'HTTP://LOCALHOST') }),
      ],
      ['a typ in capitals', () => ({ header: { typ: 'DPoP+JWT' } })],
    ];
    for (const [name, parts, path] of accepted)
      it(`accepts ${name}`, async () => {
        const { status, body } = await again(parts(), path);
        assert.equal(status, 200, JSON.stringify(body));
      });

    it('judges a proof from before its start by whether it can know that it was used', async () => {
      const answer = await again({ claims: { iat: now() - 55 } });
      // On SQLite used proofs are in memory only: those of an earlier process are unknown.
      if (engine.name === 'SQLite') assertRefused(answer, 'proof_stale', 'use_dpop_nonce');
      else assert.equal(answer.status, 200, JSON.stringify(answer.body));
    });

    type Wrong = readonly [name: string, parts: () => Partial<ProofParts>, state: string, error?: string];
    const wrong: readonly Wrong[] = [
      ['another method', () => ({ method: 'POST' }), 'proof_method'],
      ['the method in lower case', () => ({ method: 'get' }), 'proof_method'],
      ['another path', () => ({ url: url('/data/H35.11/thu/v1/wait') }), 'proof_address'],
      ['a path that only begins like it', () => ({ url: url(`${PATH}/`) }), 'proof_address'],
      ['a path that leads there', () => ({ url: url('/data/H35.11/thu/v1/x/../ok') }), 'proof_address'],
      ['another host', () => ({ url: `http://evil.example${PATH}` }), 'proof_address'],
      ['another port', () => ({ url: `http://localhost:1${PATH}` }), 'proof_address'],
      ['another scheme', () => ({ url: url(PATH).replace('http:', 'https:') }), 'proof_address'],
      ['a path alone', () => ({ url: PATH }), 'proof_address'],
      ['another token', () => ({ claims: { ath: 'A'.repeat(43) } }), 'proof_token'],
      ['no token', () => ({ claims: { ath: undefined } }), 'proof_claims'],
      ['no jti', () => ({ claims: { jti: undefined } }), 'proof_claims'],
      ['an empty jti', () => ({ claims: { jti: '' } }), 'proof_claims'],
      ['no iat', () => ({ claims: { iat: undefined } }), 'proof_claims'],
      ['an iat of text', () => ({ claims: { iat: 'now' } }), 'proof_claims'],
      ['an exp that is over', () => ({ claims: { exp: now() - 1 } }), 'proof_claims'],
      ['an old iat', () => ({ claims: { iat: now() - 62 } }), 'proof_stale', 'use_dpop_nonce'],
      ['an iat ahead', () => ({ claims: { iat: now() + 65 } }), 'proof_stale', 'use_dpop_nonce'],
      ['a nonce of nobody', () => ({ claims: { nonce: 'mine' } }), 'nonce_wrong', 'use_dpop_nonce'],
      ['a nonce that is no text', () => ({ claims: { nonce: 1 } }), 'nonce_wrong', 'use_dpop_nonce'],
      ['typ JWT', () => ({ header: { typ: 'JWT' } }), 'proof_type'],
      ['no typ', () => ({ header: { typ: undefined } }), 'proof_type'],
      ['crit', () => ({ header: { b64: true, crit: ['b64'] } }), 'proof_critical'],
      ['no jwk', () => ({ header: { jwk: undefined } }), 'proof_jwk'],
      ['a jwk of another kind', () => ({ header: { jwk: { kty: 'EC' } } }), 'proof_jwk'],
      ['the private key', () => ({ header: { jwk: holder.key.privateJwk } }), 'proof_private'],
    ];
    for (const [name, parts, state, error = 'invalid_dpop_proof'] of wrong)
      it(`refuses a proof with ${name}: ${state}`, async () => {
        const answer = await again(parts());
        assertRefused(answer, state, error);
        assert.equal(answer.headers['dpop-nonce'] !== undefined, error === 'use_dpop_nonce');
      });

    it('refuses algorithms that are not offered, symmetric ones and none', async () => {
      const good = (await holder.prove(token, PATH)).split('.');
      const head = JSON.parse(Buffer.from(good[0]!, 'base64url').toString()) as object;
      for (const alg of ['ES384', 'RS256', 'HS256', 'none', undefined]) {
        const first = Buffer.from(JSON.stringify({ ...head, alg })).toString('base64url');
        const answer = await holder.call(token, PATH, [first, good[1], good[2]].join('.'));
        assertRefused(answer, 'proof_algorithm', 'invalid_dpop_proof');
      }
    });

    it('refuses a proof of another key', async () => {
      const thief = new Holder(gateway, await newProofKey());
      const answer = await holder.call(token, PATH, await thief.prove(token, PATH));
      assertRefused(answer, 'proof_key', 'invalid_dpop_proof');
    });

    it('refuses the right key over the signature of another', async () => {
      const thief = new Holder(gateway, await newProofKey());
      const forged = await thief.prove(token, PATH, { header: { jwk: holder.key.publicJwk } });
      assertRefused(await holder.call(token, PATH, forged), 'proof_signature', 'invalid_dpop_proof');
    });

    const malformed: readonly [string, string, string][] = [
      ['no JWT', 'proof', 'proof_malformed'],
      ['an empty header', '', 'proof_missing'],
      ['4097 characters', 'a'.repeat(4097), 'proof_large'],
    ];
    for (const [name, text, state] of malformed)
      it(`refuses ${name} for a proof`, async () => {
        assertRefused(await holder.call(token, PATH, text), state, 'invalid_dpop_proof');
      });

    it('refuses two proofs, and a call without one', async () => {
      const [one, two] = [await holder.prove(token, PATH), await holder.prove(token, PATH)];
      const authorization = ['Authorization', `DPoP ${token}`];
      const url = gateway.gateway.url + PATH;
      const both = await send(url, { headers: [...authorization, 'DPoP', one, 'DPoP', two] });
      assertRefused(both, 'proof_many', 'invalid_dpop_proof');
      assertRefused(await send(url, { headers: authorization }), 'proof_missing', 'invalid_dpop_proof');
      assert.equal((await holder.call(token, PATH, one)).status, 200, 'and neither was used up');
    });

    it('takes a proof once, whoever sends it again, and says so in the record', async () => {
      const dpop = await holder.prove(token, PATH);
      const answers = await Promise.all(Array.from({ length: 8 }, () => holder.call(token, PATH, dpop)));
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, ...Array(7).fill(401)]);
      const refused = answers.find(({ status }) => status === 401)!;
      assertRefused(refused, 'proof_replayed', 'invalid_dpop_proof');
      const record = (await allRecords(test.database)).find(
        ({ id }) => id === refused.headers['x-request-id'],
      );
      assert.deepEqual([record?.code, record?.stage], ['token_unbound', 'identify']);
    });

    it('takes the same jti from two keys', async () => {
      const other = new Holder(gateway, await newProofKey());
      const mine = await other.token();
      const claims = { jti: randomUUID() };
      assert.equal((await again({ claims })).status, 200);
      assert.equal((await other.call(mine, PATH, await other.prove(mine, PATH, { claims }))).status, 200);
    });

    it('never asks the Host header where a call went', async () => {
      const dpop = await holder.prove(token, PATH, { url: `http://evil.example${PATH}` });
      const headers = { authorization: `DPoP ${token}`, dpop, host: 'evil.example' };
      const answer = await send(gateway.gateway.url + PATH, { headers });
      assertRefused(answer, 'proof_address', 'invalid_dpop_proof');
    });

    it('refuses a bound token as Bearer, and a plain one as DPoP', async () => {
      const bearer = await holder.call(token, PATH, await holder.prove(token, PATH), 'Bearer');
      assertRefused(bearer, 'unproved', 'invalid_token');
      const plain = await gateway.token('consumer');
      assertRefused(await holder.call(plain, PATH, await holder.prove(plain, PATH)), 'dpop', 'invalid_token');
    });

    it('takes a nonce of its own in place of the time, and hands out the next', async () => {
      const stale = await again({ claims: { iat: now() - 3600 } });
      const nonce = String(stale.headers['dpop-nonce']);
      const claims = { iat: now() - 3600, nonce };
      const dpop = await holder.prove(token, PATH, { claims });
      const answer = await holder.call(token, PATH, dpop);
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      assertRefused(await holder.call(token, PATH, dpop), 'proof_replayed', 'invalid_dpop_proof');
    });

    it('refuses the proof of a token request that is sent again', async () => {
      const claims = { jti: randomUUID() };
      assert.equal((await holder.ask('consumer', 'data', claims)).status, 200);
      assert.ok((await holder.ask('consumer', 'data', claims)).status >= 400);
    });

    describe('where it is demanded', () => {
      it('by a system: refuses its plain tokens, naming it, and takes bound ones', async () => {
        const answer = await gateway.call('bound', PATH);
        const body = (await answer.json()) as { code: string; rule: object; stage: string };
        assert.deepEqual(
          [answer.status, body.code, body.stage, body.rule],
          [401, 'token_unbound', 'identify', { kind: 'system', id: 'bound', state: 'sender_constrained' }],
        );
        assert.match(answer.headers.get('www-authenticate') ?? '', /^DPoP .*error="invalid_token"/);
        const record = (await allRecords(test.database)).at(-1);
        assert.deepEqual([record?.system, record?.boundTo], ['bound', undefined]);
        const mine = await holder.token('bound');
        assert.equal((await holder.call(mine, PATH, await holder.prove(mine, PATH))).status, 200);
      });

      it('by a service: refuses plain tokens, naming it, and takes bound ones', async () => {
        const answer = await gateway.call('consumer', BOUND_PATH);
        const body = (await answer.json()) as { code: string; rule: object; stage: string };
        assert.deepEqual(
          [answer.status, body.code, body.stage, body.rule],
          [
            401,
            'token_unbound',
            'authorise',
            { kind: 'service', id: 'H35.11/gan/v1', state: 'sender_constrained' },
          ],
        );
        assert.equal((await again({}, BOUND_PATH)).status, 200);
      });
    });

    describe('with a nonce demanded', () => {
      let strict: TestGateway;
      let keeper: Holder;
      before(async function () {
        // A second node of the installation, where the engine allows one.
        if (engine.name === 'SQLite') await gateway.close();
        strict = await startTestGateway(test, { dpop: { requireNonce: true } });
        keeper = new Holder(strict, holder.key);
      });
      after(async () => {
        await strict.close();
        if (engine.name === 'SQLite') gateway = await startTestGateway(test);
      });

      it('asks for it at the token endpoint and at the resource, and takes it', async () => {
        const asked = await keeper.ask('consumer');
        assert.deepEqual([asked.status, asked.body.error], [400, 'use_dpop_nonce']);
        const given = await keeper.ask('consumer', 'data', { nonce: asked.headers['dpop-nonce'] });
        assert.equal(given.status, 200, JSON.stringify(given.body));
        const mine = given.body.access_token as string;
        const first = await keeper.call(mine, PATH, await keeper.prove(mine, PATH));
        assertRefused(first, 'nonce_required', 'use_dpop_nonce');
        const nonce = first.headers['dpop-nonce'];
        const good = await keeper.prove(mine, PATH, { claims: { nonce } });
        assert.equal((await keeper.call(mine, PATH, good)).status, 200);
      });
    });
  });
}

const redisUrl = process.env['LGSP_TEST_REDIS_URL'];

for (const engine of engines.filter(({ name }) => name === 'PostgreSQL'))
  for (const shared of redisUrl === undefined ? [undefined] : [redisUrl, undefined])
    describe(`DPoP on several nodes that share ${shared === undefined ? 'the database' : 'Redis'}`, () => {
      let test: TestDatabase;
      let source: Source;
      let one: TestGateway;
      let two: TestGateway;

      before(async () => {
        test = await engine.create();
        source = await startSource();
        await province(test, source);
        const redis = shared === undefined ? {} : { redisUrl: shared };
        one = await startTestGateway(test, redis);
        two = await startTestGateway(test, { ...redis, publicUrl: one.url });
      });
      after(async () => {
        await one.close();
        await two.close();
        await source.close();
        await test.drop();
      });

      it('refuses on one node what was used on the other', async () => {
        const [here, there] = await both();
        const token = await here.token();
        for (const [first, second] of [
          [here, there],
          [there, here],
        ] as const) {
          const dpop = await here.prove(token, PATH);
          assert.equal((await first.call(token, PATH, dpop)).status, 200);
          assertRefused(await second.call(token, PATH, dpop), 'proof_replayed', 'invalid_dpop_proof');
        }
      });

      it('agrees on nonces', async () => {
        const [here, there] = await both();
        const token = await here.token();
        const stale = await here.call(token, PATH, await here.prove(token, PATH, { claims: { iat: 1 } }));
        const claims = { iat: 1, nonce: stale.headers['dpop-nonce'] };
        assert.equal((await there.call(token, PATH, await here.prove(token, PATH, { claims }))).status, 200);
      });

      async function both(): Promise<[Holder, Holder]> {
        const key = await newProofKey();
        return [new Holder(one, key), new Holder(two, key)];
      }

      if (shared !== undefined)
        it('leaves keys in Redis that end by themselves', async () => {
          const redis = new Redis(shared);
          try {
            const keys = await redis.keys('lgsp:dpop:*');
            assert.ok(keys.length > 0);
            for (const key of keys) assert.ok((await redis.pttl(key)) > 0, 'a life');
          } finally {
            redis.disconnect();
          }
        });
    });
