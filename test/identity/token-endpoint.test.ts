import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { ownModule } from '../kit/own-module.js';
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

const run = promisify(execFile);
const PUBLIC = 'https://lgsp.example.vn/cong';
const KEY = newKey();

describe('token endpoint', () => {
  let test: TestDatabase;
  let node: IdentityNode;
  const register = new Register();
  const logged: string[] = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void logged.push(line) });
  register.add('app', {
    credentials: [secretCredential('s', 'hush'), { id: 'k', kind: 'key', publicJwk: KEY.publicJwk }],
  });

  before(async () => {
    test = await embedded.create();
    node = await startIdentityNode({ database: test.database, clients: register, publicUrl: PUBLIC, log });
  });
  beforeEach(() => {
    logged.length = 0;
  });
  after(async () => {
    await node.close();
    await test.drop();
  });

  /** A request by hand: fetch would not send a foreign Host header or such a body. */
  async function raw(
    options: { method?: string; path: string; headers?: Record<string, string> },
    body: Buffer | string = '',
  ): Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }> {
    const request = httpRequest(`${node.base}${options.path}`, {
      method: options.method ?? 'POST',
      headers: options.headers ?? {},
    });
    // The refusal may close the connection while the body is still on its way.
    request.on('error', () => undefined);
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    return { status: response.statusCode ?? 0, body: text, headers: response.headers };
  }

  const form = 'application/x-www-form-urlencoded';
  const good = 'grant_type=client_credentials&client_id=app&client_secret=hush';

  it('answers what `curl -u app:hush -d grant_type=client_credentials` sends', async () => {
    const headers = {
      'content-type': form,
      accept: '*/*',
      'user-agent': 'curl/8.5.0',
      ...basic('app', 'hush'),
    };
    const answer = await raw({ path: '/oidc/token', headers }, 'grant_type=client_credentials');
    assert.equal((JSON.parse(answer.body) as { token_type: string }).token_type, 'Bearer');
  });

  describe('refuses', () => {
    const cases: [
      name: string,
      status: number,
      error: string,
      headers: Record<string, string>,
      body: string,
    ][] = [
      [
        'a body in JSON',
        400,
        'invalid_request',
        { 'content-type': 'application/json' },
        '{"grant_type":"client_credentials"}',
      ],
      ['a body without a type', 400, 'invalid_request', {}, good],
      ['an empty body', 400, 'invalid_request', { 'content-type': form }, ''],
      ['no client', 400, 'invalid_request', { 'content-type': form }, 'grant_type=client_credentials'],
      ['no grant type', 400, 'invalid_request', { 'content-type': form }, 'client_id=app&client_secret=hush'],
      [
        'another grant type',
        400,
        'unsupported_grant_type',
        { 'content-type': form },
        good.replace('client_credentials', 'password'),
      ],
      [
        'authorization codes',
        400,
        'invalid_request',
        { 'content-type': form },
        `${good.replace('client_credentials', 'authorization_code')}&code=x`,
      ],
      [
        'refresh tokens',
        400,
        'invalid_request',
        { 'content-type': form },
        `${good.replace('client_credentials', 'refresh_token')}&refresh_token=x`,
      ],
      [
        'the grant type twice',
        400,
        'invalid_request',
        { 'content-type': form },
        `${good}&grant_type=client_credentials`,
      ],
      ['the client twice', 400, 'invalid_request', { 'content-type': form }, `${good}&client_id=other`],
      ['the secret twice', 400, 'invalid_request', { 'content-type': form }, `${good}&client_secret=hush`],
      ['the scope twice', 400, 'invalid_request', { 'content-type': form }, `${good}&scope=a&scope=b`],
      [
        'two ways of authentication',
        400,
        'invalid_request',
        { 'content-type': form, ...basic('app', 'hush') },
        good,
      ],
      [
        'two different clients',
        400,
        'invalid_request',
        { 'content-type': form, ...basic('app', 'hush') },
        'grant_type=client_credentials&client_id=other',
      ],
      [
        'broken Basic',
        400,
        'invalid_request',
        { 'content-type': form, authorization: 'Basic %%%' },
        'grant_type=client_credentials',
      ],
      [
        'another scheme',
        400,
        'invalid_request',
        { 'content-type': form, authorization: 'Digest x' },
        'grant_type=client_credentials',
      ],
      [
        'an assertion that is none',
        400,
        'invalid_request',
        { 'content-type': form },
        `grant_type=client_credentials&client_assertion_type=${ASSERTION_TYPE}&client_assertion=x`,
      ],
      [
        'an assertion of nobody',
        401,
        'invalid_client',
        { 'content-type': form },
        'grant_type=client_credentials&client_assertion_type=x&client_assertion=e30.e30.x',
      ],
      [
        'a scope that is none',
        400,
        'invalid_scope',
        { 'content-type': form },
        `${good}&scope=${encodeURIComponent('"\u0001')}`,
      ],
      [
        'names of prototypes',
        401,
        'invalid_client',
        { 'content-type': form },
        'grant_type=client_credentials&client_id=__proto__&client_secret=x',
      ],
    ];
    for (const [name, status, error, headers, body] of cases)
      it(name, async () => {
        const answer = await raw({ path: '/oidc/token', headers }, body);
        assert.equal(answer.status, status, answer.body);
        assert.equal((JSON.parse(answer.body) as { error: string }).error, error);
        assert.doesNotMatch(answer.body, /hush|node_modules|    at /);
      });

    for (const [name, bytes] of [
      ['just over the limit', 56 * 1024 + 1],
      ['of ten megabytes', 10_000_000],
    ] as const) {
      it(`a body ${name}, which says its length`, async () => {
        const body = Buffer.alloc(bytes, 'a');
        const headers = { 'content-type': form, 'content-length': String(bytes) };
        assert.equal((await raw({ path: '/oidc/token', headers }, body)).status, 413);
      });
      it(`a body ${name}, in pieces`, async () => {
        const headers = { 'content-type': form, 'transfer-encoding': 'chunked' };
        const answer = await raw({ path: '/oidc/token', headers }, Buffer.alloc(bytes, 'a'));
        assert.equal(answer.status, 400);
        assert.match(answer.body, /failed to parse the request body/);
      });
    }

    for (const [method, path, status] of [
      ['GET', '/oidc/token', 405],
      ['DELETE', '/oidc/token', 405],
      ['POST', '/oidc/jwks', 405],
      ['POST', '/oidc/.well-known/openid-configuration', 405],
      ['DELETE', '/oidc/auth', 405],
      ['PUT', '/oidc/session/end', 405],
      ['GET', '/oidc/session/end/confirm', 405],
      ['PATCH', '/oidc/sign-in/x', 405],
      ['GET', '/oidc/sign-in/x/y', 404],
      ['POST', '/oidc/reg', 404],
      ['POST', '/oidc/token/introspection', 404],
      ['POST', '/oidc/token/revocation', 404],
      ['POST', '/oidc/request', 404],
      ['GET', '/oidc/me', 404],
      ['GET', '/oidc/constructor', 404],
      ['GET', '/oidc/', 404],
    ] as const)
      it(`${method} ${path}`, async () => {
        const answer = await raw({ method, path });
        assert.equal(answer.status, status);
        // A path that is not its own is left to the application around it.
        if (status === 404) assert.match(answer.body, /Cannot (?:GET|POST)/);
        else assert.match(answer.headers.allow ?? '', /OPTIONS|POST/);
      });
  });

  it('takes every address from the settings, whatever the request says', async () => {
    const headers = {
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      forwarded: 'host=evil.example',
    };
    for (const path of ['openid-configuration', 'oauth-authorization-server']) {
      const answer = await raw({ method: 'GET', path: `/oidc/.well-known/${path}`, headers });
      assert.deepEqual(JSON.parse(answer.body), node.server.metadata());
      assert.doesNotMatch(answer.body + JSON.stringify(answer.headers), /evil/);
    }
    const { issuer, token_endpoint: endpoint, jwks_uri: jwks } = node.server.metadata();
    assert.deepEqual(
      [issuer, endpoint, jwks],
      [`${PUBLIC}/oidc`, `${PUBLIC}/oidc/token`, `${PUBLIC}/oidc/jwks`],
    );
  });

  for (const [name, audience, status] of [
    ['its public address', `${PUBLIC}/oidc/token`, 200],
    ['the address in a foreign Host header', 'http://evil.example/oidc/token', 401],
  ] as const)
    it(`behind a proxy, takes an assertion for ${name}: ${status}`, async () => {
      const body = new URLSearchParams({
        ...GRANT,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await assertion('app', { key: KEY, audience }),
      });
      const headers = { 'content-type': form, host: 'evil.example' };
      assert.equal((await raw({ path: '/oidc/token', headers }, body.toString())).status, status);
    });

  it('publishes its keys, public halves only', async () => {
    const answer = await raw({ method: 'GET', path: '/oidc/jwks' });
    const { keys } = JSON.parse(answer.body) as { keys: Record<string, string>[] };
    assert.deepEqual(
      keys,
      node.keyRing.publicJwks().keys.map((key) => ({ ...key })),
    );
    assert.equal(answer.body.includes('"d"'), false);
  });

  for (const [origin, status] of [
    ['https://lgsp.example.vn', 200],
    ['https://evil.example', 400],
  ] as const)
    it(`lets a page of ${origin} ask for a token: ${status}`, async () => {
      const answer = await raw({ path: '/oidc/token', headers: { 'content-type': form, origin } }, good);
      assert.equal(answer.status, status);
    });

  it('gives no token at all to one whose DPoP proof cannot be read', async () => {
    const answer = await raw(
      { path: '/oidc/token', headers: { 'content-type': form, dpop: 'e30.e30.x' } },
      good,
    );
    assert.equal(answer.status, 400);
    const { error, access_token: token } = JSON.parse(answer.body) as Record<string, string>;
    assert.deepEqual([error, token], ['invalid_dpop_proof', undefined]);
  });

  for (const id of ['bo\u0000th', 'b'.repeat(129), 'với dấu', 'a b'])
    it(`asks no directory for the name ${JSON.stringify(id.slice(0, 10))}, which no client can have`, async () => {
      const asked: string[] = [];
      register.find = (name) => Promise.resolve(void asked.push(name));
      try {
        assert.equal((await node.token({ ...GRANT, client_id: id, client_secret: 'x' })).status, 401);
        assert.deepEqual(asked, []);
        assert.equal(
          (await node.token({ ...GRANT, client_id: 'b'.repeat(128), client_secret: 'x' })).status,
          401,
        );
        assert.deepEqual(asked, ['b'.repeat(128)]);
      } finally {
        register.find = Register.prototype.find.bind(register);
      }
    });

  it('answers in JSON even to a browser', async () => {
    const answer = await raw(
      { path: '/oidc/token', headers: { accept: 'text/html', 'content-type': form } },
      'a=b',
    );
    assert.match(answer.headers['content-type'] ?? '', /^application\/json/);
  });

  it('says nothing of what failed inside, and logs it', async () => {
    register.find = () => Promise.reject(new Error('internal detail'));
    try {
      const answer = await raw({ path: '/oidc/token', headers: { 'content-type': form } }, good);
      assert.equal(answer.status, 500);
      assert.equal((JSON.parse(answer.body) as { error: string }).error, 'server_error');
      assert.doesNotMatch(answer.body, /internal detail|    at /);
      assert.match(logged.join(''), /internal detail/);
    } finally {
      register.find = Register.prototype.find.bind(register);
    }
  });

  it('logs why a client was refused, never with what', async () => {
    await raw(
      { path: '/oidc/token', headers: { 'content-type': form } },
      good.replace('hush', 'wrong-secret'),
    );
    assert.match(logged.join(''), /invalid secret provided/);
    assert.doesNotMatch(logged.join(''), /wrong-secret/);
  });

  it('writes nothing to the console, from import to answer', async () => {
    const { execArgv, path } = ownModule(import.meta.url, './quiet-start');
    const { stdout, stderr } = await run(process.execPath, [...execArgv, path], {
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    assert.deepEqual([stdout, stderr], ['done\n', '']);
  });
});
