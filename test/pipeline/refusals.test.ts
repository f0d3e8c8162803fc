import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem, DOCUMENT, secretOf } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

interface Case {
  readonly name: string;
  readonly client?: string | null;
  readonly path: string;
  readonly init?: RequestInit | (() => RequestInit);
  readonly status: number;
  readonly code: string | null;
  readonly outcome: AuditRecord['outcome'];
  readonly stage?: string;
  /** Pointers that `errors` must name. */
  readonly pointers?: readonly string[];
  readonly header?: readonly [string, RegExp];
  /** How many records the call leaves: 2 when it writes. */
  readonly records?: number;
}

const json = (body: unknown, more: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...more },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const bearer = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } });
const S = '/data/H35.11/thu/v1';
const UNIT = { code: '03532', name: 'Pu Sam Cáp' };
const nested = `{"code":"03532","name":"x","note":${'['.repeat(70)}${']'.repeat(70)}}`;

function forgeries(real: () => string, issuer: () => string): Case[] {
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const claims = () => ({
    iss: issuer(),
    aud: `${issuer().replace('/oidc', '')}/data`,
    client_id: 'consumer',
    sub: 'consumer',
    jti: randomUUID(),
    agency: 'H35.12',
  });
  const parts = (): [string, string, string] => real().split('.') as [string, string, string];
  const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const kid = (): string =>
    (JSON.parse(Buffer.from(parts()[0], 'base64url').toString()) as { kid: string }).kid;
  const refused = (name: string, token: () => string): Case => ({
    name: `a token that is ${name}`,
    client: null,
    path: `${S}/ok`,
    init: () => bearer(token()),
    status: 401,
    code: 'token_invalid',
    outcome: 'refused',
    stage: 'identify',
    header: ['www-authenticate', /^Bearer .*error="invalid_token"/],
  });
  return [
    refused('not a JWT', () => 'abc'),
    refused(
      'altered',
      () => `${parts()[0]}.${b64({ ...claims(), client_id: 'other', exp: 9_999_999_999 })}.${parts()[2]}`,
    ),
    refused(
      'signed by nobody (alg none)',
      () => `${b64({ alg: 'none', typ: 'at+jwt' })}.${b64({ ...claims(), exp: 9_999_999_999 })}.`,
    ),
    refused('signed by a foreign key under our kid', () =>
      jwt.sign(claims(), foreign, {
        algorithm: 'ES256',
        expiresIn: 60,
        header: { alg: 'ES256', typ: 'at+jwt', kid: kid() },
      }),
    ),
    refused('signed by an unknown key', () =>
      jwt.sign(claims(), foreign, {
        algorithm: 'ES256',
        expiresIn: 60,
        header: { alg: 'ES256', typ: 'at+jwt', kid: 'nobody' },
      }),
    ),
    refused('signed with HS256 and a guessed secret', () =>
      jwt.sign(claims(), 'public key as secret', {
        algorithm: 'HS256',
        expiresIn: 60,
        header: { alg: 'HS256', typ: 'at+jwt', kid: kid() },
      }),
    ),
  ];
}

const CASES: readonly Case[] = [
  { name: 'a good call', path: `${S}/ok`, status: 200, code: null, outcome: 'answered' },
  {
    name: 'a good call by the older code of the provider',
    path: '/data/000.00.11.H35/thu/v1/ok',
    status: 200,
    code: null,
    outcome: 'answered',
  },
  {
    name: 'a good write',
    path: `${S}/created/write`,
    init: json(UNIT),
    status: 201,
    code: null,
    outcome: 'answered',
    records: 2,
  },
  {
    name: 'no token',
    client: null,
    path: `${S}/ok`,
    status: 401,
    code: 'token_missing',
    outcome: 'refused',
    header: ['www-authenticate', /^Bearer/],
  },
  {
    name: 'Basic credentials where a token belongs',
    client: null,
    path: `${S}/ok`,
    init: { headers: { authorization: 'Basic eDp5' } },
    status: 401,
    code: 'token_missing',
    outcome: 'refused',
  },
  {
    name: 'a locked system',
    client: 'locked',
    path: `${S}/ok`,
    status: 403,
    code: 'client_locked',
    outcome: 'refused',
    stage: 'authorise',
  },
  {
    name: 'a system of an agency that ended',
    client: 'ended',
    path: `${S}/ok`,
    status: 403,
    code: 'agency_inactive',
    outcome: 'refused',
  },
  {
    name: 'a system of an agency to come',
    client: 'future',
    path: `${S}/ok`,
    status: 403,
    code: 'agency_inactive',
    outcome: 'refused',
  },
  {
    name: 'a system that is no consumer',
    client: 'auditor',
    path: `${S}/ok`,
    status: 403,
    code: 'role_required',
    outcome: 'refused',
  },
  {
    name: 'a special-request service',
    path: '/data/H35.11/rieng/v1/ok',
    status: 403,
    code: 'grant_required',
    outcome: 'refused',
  },
  {
    name: 'a suspended service',
    path: '/data/H35.11/dung/v1/ok',
    status: 503,
    code: 'service_suspended',
    outcome: 'refused',
    header: ['retry-after', /^\d+$/],
  },
  {
    name: 'a retired service',
    path: '/data/H35.11/cu/v1/ok',
    status: 410,
    code: 'service_retired',
    outcome: 'refused',
  },
  {
    name: 'an unknown service',
    path: '/data/H35.11/khong/v1/ok',
    status: 404,
    code: 'service_not_found',
    outcome: 'refused',
    stage: 'match',
  },
  {
    name: 'an unknown version',
    path: '/data/H35.11/thu/v2/ok',
    status: 404,
    code: 'service_not_found',
    outcome: 'refused',
  },
  {
    name: 'a path that is too short',
    path: '/data/H35.11',
    status: 404,
    code: 'service_not_found',
    outcome: 'refused',
  },
  {
    name: 'an unknown operation',
    path: `${S}/a/b/c`,
    status: 404,
    code: 'operation_not_found',
    outcome: 'refused',
  },
  {
    name: 'a trailing slash',
    path: `${S}/ok/`,
    status: 404,
    code: 'operation_not_found',
    outcome: 'refused',
  },
  {
    name: 'another method',
    path: `${S}/ok`,
    init: { method: 'DELETE' },
    status: 405,
    code: 'method_not_allowed',
    outcome: 'refused',
    header: ['allow', /^GET$/],
  },
  {
    name: 'bad percent-encoding in the path',
    path: `${S}/%zz`,
    status: 400,
    code: 'request_malformed',
    outcome: 'refused',
  },
  {
    name: 'bad percent-encoding in the query',
    path: `${S}/ok?limit=%zz`,
    status: 400,
    code: 'request_malformed',
    outcome: 'refused',
  },
  {
    name: 'a duplicate parameter',
    path: `${S}/ok?limit=1&limit=2`,
    status: 400,
    code: 'request_malformed',
    outcome: 'refused',
  },
  {
    name: 'an unknown parameter',
    path: `${S}/ok?limti=1`,
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/query/limti'],
  },
  {
    name: 'a parameter out of bounds',
    path: `${S}/ok?limit=11`,
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/query/limit'],
  },
  {
    name: 'a parameter at its bound',
    path: `${S}/ok?limit=10`,
    status: 200,
    code: null,
    outcome: 'answered',
  },
  {
    name: 'a wrong header',
    path: `${S}/ok`,
    init: { headers: { 'x-mode': 'c' } },
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/header/x-mode'],
  },
  {
    name: 'a wrong cookie',
    path: `${S}/ok`,
    init: { headers: { cookie: 'session=123456789' } },
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/cookie/session'],
  },
  {
    name: 'an official’s name that is too long',
    path: `${S}/ok`,
    init: { headers: { 'lgsp-user': 'x'.repeat(129) } },
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/header/lgsp-user'],
  },
  {
    name: 'an Accept that nothing answers',
    path: `${S}/ok`,
    init: { headers: { accept: 'application/xml' } },
    status: 406,
    code: 'not_acceptable',
    outcome: 'refused',
  },
  {
    name: 'JSON that breaks off',
    path: `${S}/ok/write`,
    init: json('{"code": "0353'),
    status: 400,
    code: 'request_malformed',
    outcome: 'refused',
  },
  {
    name: '__proto__ in the body',
    path: `${S}/ok/write`,
    init: json('{"code":"03532","name":"x","__proto__":{"a":1}}'),
    status: 400,
    code: 'request_malformed',
    outcome: 'refused',
  },
  {
    name: 'deep nesting',
    path: `${S}/ok/write`,
    init: json(nested),
    status: 400,
    code: 'request_malformed',
    outcome: 'refused',
  },
  {
    name: 'a body off its schema',
    path: `${S}/ok/write`,
    init: json({ code: 3532 }),
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/body/code', '/body/name'],
  },
  {
    name: 'no body where one is needed',
    path: `${S}/ok/write`,
    init: { method: 'POST' },
    status: 400,
    code: 'request_invalid',
    outcome: 'refused',
    pointers: ['/body'],
  },
  {
    name: 'the wrong media type',
    path: `${S}/ok/write`,
    init: { ...json(UNIT), headers: { 'content-type': 'text/plain' } },
    status: 415,
    code: 'media_type_unsupported',
    outcome: 'refused',
  },
  {
    name: 'a compressed body',
    path: `${S}/ok/write`,
    init: json(UNIT, { 'content-encoding': 'gzip' }),
    status: 415,
    code: 'media_type_unsupported',
    outcome: 'refused',
  },
  {
    name: 'a body over the bound',
    path: `${S}/ok/write`,
    init: json({ ...UNIT, name: 'x'.repeat(5000) }),
    status: 413,
    code: 'body_too_large',
    outcome: 'refused',
  },
  {
    name: 'a source that answers off its schema',
    path: `${S}/wrong-schema`,
    status: 502,
    code: 'response_invalid',
    outcome: 'failed',
    stage: 'check-response',
    pointers: ['/body/code', '/body/name'],
  },
  {
    name: 'a source that answers an unknown status',
    path: `${S}/wrong-status`,
    status: 502,
    code: 'response_invalid',
    outcome: 'failed',
  },
  {
    name: 'a source that answers another media type',
    path: `${S}/wrong-type`,
    status: 502,
    code: 'response_invalid',
    outcome: 'failed',
  },
  {
    name: 'a source that answers broken JSON',
    path: `${S}/broken`,
    status: 502,
    code: 'response_invalid',
    outcome: 'failed',
  },
  { name: 'a source that fails', path: `${S}/fails`, status: 502, code: 'source_failed', outcome: 'failed' },
  {
    name: 'a source that resets',
    path: `${S}/reset`,
    status: 502,
    code: 'source_failed',
    outcome: 'failed',
    stage: 'forward',
  },
  {
    name: 'a source that speaks no HTTP',
    path: `${S}/garbage`,
    status: 502,
    code: 'source_failed',
    outcome: 'failed',
  },
  {
    name: 'a source that breaks off',
    path: `${S}/half`,
    status: 502,
    code: 'source_failed',
    outcome: 'failed',
  },
  {
    name: 'a source that never ends',
    path: `${S}/endless`,
    status: 502,
    code: 'source_failed',
    outcome: 'failed',
  },
  {
    name: 'a source that is slow',
    path: `${S}/slow`,
    status: 504,
    code: 'source_timeout',
    outcome: 'failed',
  },
  {
    name: 'a source that is down',
    path: '/data/H35.11/tat/v1/ok',
    status: 502,
    code: 'source_unreachable',
    outcome: 'failed',
  },
  {
    name: 'a source nobody allowed',
    path: '/data/H35.11/cam/v1/ok',
    status: 502,
    code: 'source_unreachable',
    outcome: 'failed',
  },
  {
    name: 'a wrong answer that is only reported',
    path: '/data/H35.11/bao-cao/v1/wrong-schema',
    status: 200,
    code: null,
    outcome: 'answered',
  },
];

for (const engine of engines) {
  describe(`refusals on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;
    let real = '';

    before(async () => {
      test = await engine.create();
      source = await startSource();
      const { database } = test;
      await addAgency(database, 'H35.11', { alias: '000.00.11.H35' });
      await addAgency(database, 'H35.12');
      await addAgency(database, 'H35.41', { valid_to: '2025-06-30' });
      await addAgency(database, 'H35.99', { valid_from: '2999-01-01' });
      await addSystem(database, 'consumer', 'H35.12');
      await addSystem(database, 'locked', 'H35.12', { state: 'locked' });
      await addSystem(database, 'ended', 'H35.41');
      await addSystem(database, 'future', 'H35.99');
      await addSystem(database, 'auditor', 'H35.12', { roles: ['auditor'] });
      const calm = { breaker: { calls: 10_000 } };
      const manifest = { timeoutMs: 400, requestBytes: 4096, responseBytes: 100_000 };
      await addService(database, source.url, { settings: calm, manifest });
      await addService(database, source.url, { slug: 'rieng', sharing: 'special' });
      await addService(database, source.url, { slug: 'dung', state: 'suspended' });
      await addService(database, source.url, { slug: 'cu', state: 'retired' });
      await addService(database, 'http://127.0.0.1:1', { slug: 'tat' });
      await addService(database, 'http://169.254.169.254', { slug: 'cam' });
      await addService(database, source.url, {
        slug: 'bao-cao',
        document: DOCUMENT,
        manifest: { responseCheck: 'report' },
      });
      gateway = await startTestGateway(test);
      real = await gateway.token('consumer', 'data');
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    const all = [
      ...CASES,
      ...forgeries(
        () => real,
        () => `${gateway.url}/oidc`,
      ),
    ];
    for (const one of all) {
      it(`${one.name}: ${one.code ?? one.status}`, async () => {
        const before = (await allRecords(test.database)).length;
        const init = typeof one.init === 'function' ? one.init() : one.init;
        const response = await gateway.call(
          one.client === undefined ? 'consumer' : one.client,
          one.path,
          init,
        );
        const text = await response.text();
        assert.equal(response.status, one.status, text);
        const written = (await allRecords(test.database)).slice(before);
        assert.equal(
          written.length,
          one.records ?? (one.stage === 'forward' && init?.method === 'POST' ? 2 : 1),
        );
        const record = written.at(-1) as AuditRecord;
        assert.equal(record.kind, 'closing');
        assert.equal(record.id, response.headers.get('lgsp-record'));
        assert.equal(record.outcome, one.outcome);
        assert.equal(record.status, one.status);
        if (one.stage !== undefined) assert.equal(record.stage, one.stage);
        if (one.code !== null) assert.equal(record.code, one.code);
        if (one.header !== undefined) assert.match(response.headers.get(one.header[0]) ?? '', one.header[1]);
        assertNothingSlips(text, record, source.url);
        if (one.code === null) return;
        assert.match(response.headers.get('content-type') ?? '', /^application\/problem\+json/);
        const problem = JSON.parse(text) as Record<string, unknown> & { errors?: { pointer: string }[] };
        assert.equal(problem['code'], one.code);
        assert.equal(problem['stage'], record.stage);
        assert.equal(problem['instance'], `urn:uuid:${record.id}`);
        for (const pointer of one.pointers ?? []) {
          assert.ok(
            problem.errors?.some((error) => error.pointer.startsWith(pointer)),
            `${pointer} in ${text}`,
          );
        }
      });
    }
  });
}

/** Neither an answer nor its record shows a stack, an inner address, a secret or a value that was sent. */
function assertNothingSlips(text: string, record: AuditRecord, inner: string): void {
  const record_ = JSON.stringify(record);
  for (const secret of [
    inner.slice('http://'.length),
    '169.254.169.254',
    'node_modules',
    secretOf('consumer'),
    'eyJ',
  ]) {
    assert.ok(!text.includes(secret), `${secret} in the answer`);
    assert.ok(!record_.includes(secret), `${secret} in the record`);
  }
  assert.ok(!record_.includes('Pu Sam'), 'no payload in the record');
}
