import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { createLog } from '../../gateway/base/log.js';
import { Problem, type ProblemCode } from '../../gateway/base/problem.js';
import { KeyRing } from '../../gateway/identity/key-ring.js';
import { createSealing } from '../../gateway/identity/sealing.js';
import { createTokenVerifier, type TokenVerifier } from '../../gateway/identity/token.js';
import { REFUSALS } from '../../gateway/identity/token-refusal.js';
import type { Database } from '../../gateway/store/database.js';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { HeldClock } from './held-clock.js';

const PUBLIC = 'https://lgsp.example.vn';
const ISSUER = `${PUBLIC}/oidc`;
const DATA = `${PUBLIC}/data`;
const START = 1_800_000_000_000;
const log = createLog('silent');

type Claims = Record<string, unknown>;
type Header = Record<string, unknown>;

describe('token verifier', () => {
  let test: TestDatabase;
  let clock: HeldClock;
  let keyRing: KeyRing;
  let verifier: TokenVerifier;

  before(async () => {
    test = await embedded.create();
  });
  beforeEach(async () => {
    await test.database.knex('signing_keys').delete();
    clock = new HeldClock(START);
    keyRing = await KeyRing.open({
      database: test.database,
      sealing: createSealing(randomBytes(32)),
      clock,
      log,
      tokenTtlSeconds: 600,
    });
    verifier = createTokenVerifier({ keyRing, issuer: ISSUER, clock });
  });
  after(() => test.drop());

  const claims = (over: Claims = {}): Claims => ({
    iss: ISSUER,
    aud: DATA,
    sub: 'app',
    client_id: 'app',
    agency: 'H35.16',
    jti: randomUUID(),
    iat: clock.now() / 1000,
    exp: clock.now() / 1000 + 600,
    ...over,
  });
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  /** By hand: jsonwebtoken would refuse to make most of what must be refused here. */
  const signed = (
    payload: unknown,
    header: Header = {},
    key: KeyObject = keyRing.tokenSigner().privateKey,
  ): string => {
    const head = { alg: 'ES256', typ: 'at+jwt', kid: keyRing.tokenSigner().kid, ...header };
    const text = `${part(head)}.${part(payload)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const bearer = (over: Claims = {}, header: Header = {}): string => `Bearer ${signed(claims(over), header)}`;

  async function refused(authorization: string | undefined, audience = DATA): Promise<Problem> {
    try {
      await verifier.verify(authorization, audience);
    } catch (error) {
      assert.ok(error instanceof Problem, String(error));
      return error;
    }
    return assert.fail('the token was accepted');
  }

  it('takes whatever has a session for a person’s, whatever they are called', () => {
    const user = (over: Claims) => (verifier.verify(bearer(over), DATA) as { user?: string }).user;
    assert.equal(user({}), undefined);
    assert.equal(user({ sub: 'le.thi.mau', session: 's1' }), 'le.thi.mau');
    assert.equal(user({ session: 's1' }), 'app', 'a person who is called like an application');
  });

  it('takes no session that names none, or nobody', async () => {
    for (const over of [{ session: '' }, { session: 7 }, { session: 's1', sub: undefined }])
      assert.equal((await refused(bearer(over))).parts.rule?.state, 'claims', JSON.stringify(over));
  });

  it('answers at once with what the token says', () => {
    const text = bearer({ jti: 'the-id', credential: 'key-1', exp: START / 1000 + 60 });
    assert.deepEqual(verifier.verify(text, DATA), {
      clientId: 'app',
      agency: 'H35.16',
      tokenId: 'the-id',
      expiresAt: START + 60_000,
      keyId: 'key-1',
    });
  });

  it('is content without the name of a credential', () => {
    const token = verifier.verify(bearer(), DATA);
    assert.ok(!(token instanceof Promise));
    assert.equal('keyId' in token, false);
  });

  for (const [name, change] of [
    ['the scheme in any case', (text: string) => text.replace('Bearer', 'bEARER')],
    ['several spaces', (text: string) => text.replace(' ', '   ')],
  ] as const)
    it(`accepts ${name}`, async () => {
      assert.equal((await verifier.verify(change(bearer()), DATA)).clientId, 'app');
    });

  for (const typ of ['AT+JWT', 'application/at+jwt'])
    it(`accepts typ ${typ}`, async () => {
      assert.equal((await verifier.verify(bearer({}, { typ }), DATA)).clientId, 'app');
    });

  it('accepts one audience of several', async () => {
    const text = bearer({ aud: ['https://other.example', DATA] });
    assert.equal((await verifier.verify(text, DATA)).clientId, 'app');
  });

  describe('refuses', () => {
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const now = START / 1000;
    const hmac = (secret: () => string | Buffer): string => {
      const text = `${part({ alg: 'HS256', typ: 'at+jwt', kid: keyRing.tokenSigner().kid })}.${part(claims())}`;
      return `Bearer ${text}.${createHmac('sha256', secret()).update(text).digest('base64url')}`;
    };
    const publicPem = (): string =>
      keyRing.tokenSigner().publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const tampered = (change: (parts: string[]) => void): string => {
      const parts = signed(claims()).split('.');
      change(parts);
      return `Bearer ${parts.join('.')}`;
    };

    type Reason = keyof typeof REFUSALS;
    const cases: [name: string, authorization: () => string | undefined, reason: Reason][] = [
      ['no header', () => undefined, 'missing'],
      ['an empty header', () => '', 'missing'],
      ['Basic', () => 'Basic YXBwOmh1c2g=', 'scheme'],
      ['the scheme alone', () => 'Bearer', 'scheme'],
      ['the scheme and a space', () => 'Bearer ', 'scheme'],
      ['the token alone', () => bearer().slice(7), 'scheme'],
      ['two tokens', () => `${bearer()}, ${bearer()}`, 'scheme'],
      ['a token with a blank inside', () => bearer().replace('.', '. '), 'scheme'],
      ['the DPoP scheme', () => bearer().replace('Bearer', 'DPoP'), 'dpop'],
      ['a token bound to a key', () => bearer({ cnf: { jkt: 'x' } }), 'unproved'],
      ['a token bound to a certificate', () => bearer({ cnf: { 'x5t#S256': 'x' } }), 'certificate_missing'],
      ['a token bound in a way not known here', () => bearer({ cnf: { kid: 'x' } }), 'bound'],
      ['a token bound in two ways, one not known', () => bearer({ cnf: { jkt: 'x', kid: 'x' } }), 'bound'],
      ['a token bound to a key without a name', () => bearer({ cnf: { jkt: '' } }), 'bound'],
      ['a token bound to an empty list', () => bearer({ cnf: {} }), 'bound'],
      ['a token bound to nothing', () => bearer({ cnf: null }), 'bound'],
      ['8193 characters', () => `Bearer ${'a'.repeat(8193)}`, 'large'],
      ['a megabyte', () => `Bearer ${'a'.repeat(1_000_000)}`, 'large'],
      ['a megabyte of blanks', () => `Bearer ${' '.repeat(1_000_000)}`, 'large'],
      ['8192 characters that are no token', () => `Bearer ${'a'.repeat(8192)}`, 'malformed'],
      ['an opaque token', () => 'Bearer abcdef', 'malformed'],
      ['two parts', () => `Bearer ${signed(claims()).split('.').slice(0, 2).join('.')}`, 'malformed'],
      ['five parts', () => `${bearer()}.a.b`, 'malformed'],
      ['a payload of null', () => `Bearer ${signed(null)}`, 'malformed'],
      ['a payload of null in another type', () => `Bearer ${signed(null, { typ: 'JWT' })}`, 'malformed'],
      ['a payload that is a text', () => `Bearer ${signed('app')}`, 'malformed'],
      [
        'a payload that is no JSON',
        () => tampered((parts) => (parts[1] = Buffer.from('{').toString('base64url'))),
        'malformed',
      ],
      [
        'a header that is no JSON',
        () => tampered((parts) => (parts[0] = Buffer.from('{').toString('base64url'))),
        'malformed',
      ],
      ['alg none', () => `Bearer ${part({ alg: 'none', typ: 'at+jwt' })}.${part(claims())}.`, 'algorithm'],
      ['alg none, signed all the same', () => bearer({}, { alg: 'none' }), 'algorithm'],
      ['HS256 with the public key in PEM', () => hmac(publicPem), 'algorithm'],
      [
        'HS256 with the public key as JWK',
        () => hmac(() => JSON.stringify(keyRing.publicJwks().keys[0])),
        'algorithm',
      ],
      ['ES384', () => bearer({}, { alg: 'ES384' }), 'algorithm'],
      [
        'RS256',
        () => `Bearer ${jwt.sign(claims(), rsa, { algorithm: 'RS256', keyid: keyRing.tokenSigner().kid })}`,
        'algorithm',
      ],
      ['typ JWT, as of an identity token', () => bearer({}, { typ: 'JWT' }), 'type'],
      ['no typ', () => bearer({}, { typ: undefined }), 'type'],
      ['a typ that is no text', () => bearer({}, { typ: ['at+jwt'] }), 'type'],
      ['a critical extension', () => bearer({}, { crit: ['x'] }), 'critical'],
      ['a foreign issuer', () => bearer({ iss: 'https://other.example/oidc' }), 'issuer'],
      ['no issuer', () => bearer({ iss: undefined }), 'issuer'],
      ['issuers in a list', () => bearer({ iss: [ISSUER] }), 'issuer'],
      ['no kid', () => bearer({}, { kid: undefined }), 'key'],
      ['an unknown kid', () => bearer({}, { kid: 'unknown' }), 'key'],
      ['a kid from the prototype', () => bearer({}, { kid: 'constructor' }), 'key'],
      ['a kid that is no text', () => bearer({}, { kid: { a: 1 } }), 'key'],
      ['the kid of the log key', () => bearer({}, { kid: keyRing.logSigner().kid }), 'key'],
      ['a foreign key under our kid', () => `Bearer ${signed(claims(), {}, foreign)}`, 'signature'],
      [
        'a key brought along (jwk)',
        () => `Bearer ${signed(claims(), { jwk: foreign.export({ format: 'jwk' }) }, foreign)}`,
        'signature',
      ],
      [
        'another payload under the signature',
        () => tampered((parts) => (parts[1] = part(claims({ client_id: 'other' })))),
        'signature',
      ],
      [
        'another header under the signature',
        () =>
          tampered(
            (parts) =>
              (parts[0] = part({ alg: 'ES256', typ: 'at+jwt', kid: keyRing.tokenSigner().kid, x: 1 })),
          ),
        'signature',
      ],
      ['an empty signature', () => tampered((parts) => (parts[2] = '')), 'signature'],
      [
        'a signature of zeros',
        () => tampered((parts) => (parts[2] = Buffer.alloc(64).toString('base64url'))),
        'signature',
      ],
      ['a signature cut short', () => tampered((parts) => (parts[2] = parts[2]!.slice(0, 40))), 'signature'],
      ["the management API's audience", () => bearer({ aud: `${PUBLIC}/api` }), 'audience'],
      ['an audience that only begins like ours', () => bearer({ aud: `${DATA}2` }), 'audience'],
      ['no audience', () => bearer({ aud: undefined }), 'audience'],
      ['a token that ended a second ago', () => bearer({ exp: now - 1 }), 'expired'],
      ['a token that ends now', () => bearer({ exp: now }), 'expired'],
      ['a token not yet valid (nbf)', () => bearer({ nbf: now + 1 }), 'early'],
      ['a token from the future (iat)', () => bearer({ iat: now + 61 }), 'early'],
      ['no exp', () => bearer({ exp: undefined }), 'claims'],
      ['an exp that is text', () => bearer({ exp: String(now + 600) }), 'claims'],
      ['no iat', () => bearer({ iat: undefined }), 'claims'],
      ['no jti', () => bearer({ jti: undefined }), 'claims'],
      ['an empty jti', () => bearer({ jti: '' }), 'claims'],
      ['no client_id', () => bearer({ client_id: undefined }), 'claims'],
      ['a client_id that is no text', () => bearer({ client_id: ['app'] }), 'claims'],
      ['no agency', () => bearer({ agency: undefined }), 'claims'],
    ];

    for (const [name, make, reason] of cases)
      it(`${name}: ${reason}`, async () => {
        const authorization = make();
        const problem = await refused(authorization);
        const { code, vi, en }: { code: ProblemCode; vi: string; en: string } = REFUSALS[reason];
        assert.deepEqual([problem.parts.rule?.state, problem.code, problem.status], [reason, code, 401]);
        assert.deepEqual(problem.parts.detail, { vi, en });
        const challenge = problem.parts.headers?.['WWW-Authenticate'] ?? '';
        const metadata = `resource_metadata="${PUBLIC}/.well-known/oauth-protected-resource"`;
        const algs = 'algs="ES256 PS256 EdDSA Ed25519"';
        const proves = reason === 'dpop' || reason === 'unproved';
        assert.equal(
          challenge,
          code === 'token_missing'
            ? `Bearer realm="lgsp", ${metadata}, DPoP realm="lgsp", ${algs}, ${metadata}`
            : `${proves ? 'DPoP' : 'Bearer'} realm="lgsp", error="invalid_token", error_description="${en}", ${proves ? `${algs}, ` : ''}${metadata}`,
        );
        const text = authorization?.split(' ').at(-1) ?? '';
        if (text.length > 10) assert.equal(JSON.stringify(problem).includes(text), false, 'echoes the token');
      });

    it('says since when a token is over', async () => {
      assert.equal(
        (await refused(bearer({ exp: now - 60 }))).parts.rule?.since,
        new Date(START - 60_000).toISOString(),
      );
    });

    it('keeps every description within what RFC 6750 allows in a header', () => {
      for (const { en } of Object.values(REFUSALS)) assert.match(en, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/);
    });
  });

  describe('keeps what it has verified', () => {
    it('only until the token ends', async () => {
      const text = bearer({ exp: START / 1000 + 60 });
      await verifier.verify(text, DATA);
      clock.move(59_999);
      await verifier.verify(text, DATA);
      clock.move(1);
      assert.equal((await refused(text)).code, 'token_expired');
    });

    it('only for the resource it was verified for', async () => {
      const text = bearer();
      await verifier.verify(text, DATA);
      assert.equal((await refused(text, `${PUBLIC}/api`)).parts.rule?.state, 'audience');
      await verifier.verify(text, DATA);
    });

    it('only while its key is in force', async () => {
      const text = bearer();
      await verifier.verify(text, DATA);
      const { kid } = keyRing.tokenSigner();
      await keyRing.rotate('token');
      await verifier.verify(text, DATA);
      await test.database
        .knex('signing_keys')
        .where({ kid })
        .update({ verifies_until: START + 1000 });
      await keyRing.reload();
      await verifier.verify(text, DATA);
      clock.move(1000);
      assert.equal((await refused(text)).parts.rule?.state, 'key');
    });

    it('without taking one token for another', async () => {
      const one = bearer({ client_id: 'one' });
      const two = bearer({ client_id: 'two' });
      for (let round = 0; round < 2; round += 1) {
        assert.equal((await verifier.verify(one, DATA)).clientId, 'one');
        assert.equal((await verifier.verify(two, DATA)).clientId, 'two');
      }
    });

    it('but nothing that it refused', async () => {
      const early = bearer({ nbf: START / 1000 + 10 });
      await refused(early);
      clock.move(10_000);
      assert.equal((await verifier.verify(early, DATA)).clientId, 'app');
    });

    it('in bounded space: what was pushed out is simply verified again', async () => {
      const small = createTokenVerifier({ keyRing, issuer: ISSUER, clock, cacheSize: 2 });
      const texts = Array.from({ length: 10 }, (_, i) => bearer({ client_id: `app${i}` }));
      for (const round of [0, 1])
        for (const [i, text] of texts.entries())
          assert.equal((await small.verify(text, DATA)).clientId, `app${i}`, `round ${round}`);
    });

    it('so that it need not check the signature again', () => {
      const text = bearer();
      const first = verifier.verify(text, DATA);
      assert.equal(verifier.verify(text, DATA), first, 'the very same object');
    });
  });

  describe('meets a key it has not seen', () => {
    it('and asks for it once a second, whoever sends what', async () => {
      let reads = 0;
      const count = (query: { sql: string }): void => {
        if (query.sql.includes('signing_keys')) reads += 1;
      };
      test.database.knex.on('query', count);
      try {
        const storm = Array.from({ length: 100 }, (_, i) => refused(bearer({}, { kid: `unknown-${i}` })));
        for (const problem of await Promise.all(storm)) assert.equal(problem.parts.rule?.state, 'key');
        assert.equal(reads, 1);
      } finally {
        test.database.knex.off('query', count);
      }
    });

    it('and verifies at once what another node signs with it', async () => {
      const sealing = createSealing(randomBytes(32));
      await test.database.knex('signing_keys').delete();
      const open = (database: Database): Promise<KeyRing> =>
        KeyRing.open({ database, sealing, clock, log, tokenTtlSeconds: 600 });
      const here = await open(test.again());
      keyRing = await open(test.database);
      await keyRing.rotate('token');
      clock.move(5000);
      const answer = createTokenVerifier({ keyRing: here, issuer: ISSUER, clock }).verify(bearer(), DATA);
      assert.ok(answer instanceof Promise, 'it had to look');
      assert.equal((await answer).clientId, 'app');
    });
  });
});
