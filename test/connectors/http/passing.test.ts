import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Connector, type ConnectorRequest, SourceError } from '../../../connectors/connector.js';
import { Problem } from '../../../gateway/base/problem.js';
import { call, forever } from '../context.js';
import { type Given, httpConnector } from './make.js';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

describe('http connector: what passes', () => {
  let server: Server;
  let base = '';
  let seen: Seen | null = null;
  let reply: (response: ServerResponse) => void = (response) => response.end('{}');
  let connector: Connector | null = null;

  before(async () => {
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        seen = { method, url, headers, body: Buffer.concat(chunks).toString() };
        reply(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });
  afterEach(async () => {
    await connector?.close();
    seen = null;
    reply = (response) => response.end('{}');
  });

  async function ask(given: Given, request: Partial<ConnectorRequest> = {}, prefix = '') {
    connector = httpConnector(base + prefix, given);
    const answer = await connector.call(call({ method: given.method ?? 'GET', ...request }), forever());
    assert.ok(seen !== null);
    return { answer, seen };
  }

  const paths: readonly [
    title: string,
    given: Given,
    request: Partial<ConnectorRequest>,
    prefix: string,
    url: string,
  ][] = [
    ['the published path', { pathTemplate: '/ho-so/{ma}' }, { path: { ma: 'HS-1' } }, '', '/ho-so/HS-1'],
    ['below the path of the address', { pathTemplate: '/a' }, {}, '/goc/', '/goc/a'],
    [
      'a value is one segment',
      { pathTemplate: '/ho-so/{ma}' },
      { path: { ma: '../x/y?z#' } },
      '',
      '/ho-so/..%2Fx%2Fy%3Fz%23',
    ],
    [
      'letters with accents',
      { pathTemplate: '/hồ-sơ/{ma}' },
      { path: { ma: 'Hẻo (1)' } },
      '',
      '/h%E1%BB%93-s%C6%A1/H%E1%BA%BBo%20%281%29',
    ],
    [
      'a path of its own',
      { binding: { path: '/api/{path.ma}/x' }, pathTemplate: '/a/{ma}' },
      { path: { ma: 5 } },
      '',
      '/api/5/x',
    ],
    ['escaped literal text stays', { binding: { path: '/a%20b' } }, {}, '', '/a%20b'],
    [
      'the query, encoded anew',
      {},
      { query: { a: 'x&y=z', b: [1, 'hai'], c: true, d: null, e: undefined } },
      '',
      '/?a=x%26y%3Dz&b=1&b=hai&c=true',
    ],
    [
      'an object in the query',
      {},
      { query: { loc: { ten: 'a', tuoi: 3 } } },
      '',
      '/?loc%5Bten%5D=a&loc%5Btuoi%5D=3',
    ],
    [
      'a query of its own',
      {
        binding: {
          query: {
            Ma: '{query.ma}',
            Loai: 'x y',
            Ngay: { from: 'query.ngay', as: 'compact-date' },
            So: { from: 'query.so', default: 20 },
          },
        },
      },
      { query: { ma: 'a+b', ngay: '2025-08-01' } },
      '',
      '/?Ma=a%2Bb&Loai=x%20y&Ngay=20250801&So=20',
    ],
    [
      'a missing value leaves its parameter out',
      { binding: { query: { Ma: '{query.ma}', Ten: 'x{query.ten}' } } },
      { query: {} },
      '',
      '/',
    ],
    [
      'an own query beside the caller’s',
      { binding: { query: { v: '2' }, forwardQuery: true } },
      { query: { a: '1' } },
      '',
      '/?a=1&v=2',
    ],
    ['no query', { binding: { forwardQuery: false } }, { query: { a: '1' } }, '', '/'],
  ];
  for (const [title, given, request, prefix, url] of paths)
    it(`asks for ${title}`, async () => assert.equal((await ask(given, request, prefix)).seen.url, url));

  for (const ma of ['', '.', '..', '\ud800'])
    it(`refuses ${JSON.stringify(ma)} as a segment, and says where`, async () => {
      const work = ask({ pathTemplate: '/ho-so/{ma}' }, { path: { ma } });
      await assert.rejects(
        work,
        (error) =>
          error instanceof Problem &&
          error.code === 'request_invalid' &&
          error.parts.errors?.[0]?.pointer === '/path/ma',
      );
      assert.equal(seen, null);
    });

  it('refuses dots that only together with the text around them are a segment', async () => {
    await assert.rejects(ask({ binding: { path: '/a/.{query.x}' } }, { query: { x: '.' } }), Problem);
  });

  it('sends the caller’s bytes as they are, with their type', async () => {
    const body = Buffer.from('{ "ten":\t"Hẻo" }\n');
    const { seen } = await ask(
      { method: 'POST' },
      { body, contentType: 'application/json; charset=utf-8', json: {} },
    );
    assert.equal(seen.body, body.toString());
    assert.equal(seen.headers['content-type'], 'application/json; charset=utf-8');
    assert.equal(seen.headers['content-length'], String(body.length));
  });

  it('sends a mapped body, from everything a request has', async () => {
    const { seen } = await ask(
      {
        method: 'POST',
        binding: {
          body: {
            fields: {
              service: { const: 'DongBoHoSoMC' },
              session: 'credential.phien',
              MaCanBo: 'caller.user',
              MaYeuCau: 'request.id',
              ma: 'path.ma',
              data: {
                from: 'body.hoSo',
                as: 'array',
                items: { fields: { NgayTra: { from: 'ngayTra', as: 'to-vn-datetime' } } },
              },
            },
          },
        },
        pathTemplate: '/{ma}',
        context: { credentials: { phien: 's1' } },
      },
      {
        path: { ma: 'm' },
        json: { hoSo: { ngayTra: '2025-08-01T01:30:00Z' } },
        body: Buffer.from('x'),
        contentType: 'text/plain',
      },
    );
    assert.deepEqual(JSON.parse(seen.body), {
      service: 'DongBoHoSoMC',
      session: 's1',
      MaCanBo: 'canbo01',
      MaYeuCau: '0192f7c4-3a1b-7c2d-9e4f-0a1b2c3d4e5f',
      ma: 'm',
      data: [{ NgayTra: '20250801083000' }],
    });
    assert.equal(seen.headers['content-type'], 'application/json; charset=utf-8');
  });

  it('says which value of the request does not fit the mapping, not what it is', async () => {
    await assert.rejects(
      ask(
        { method: 'POST', binding: { body: { fields: { n: { from: 'body.ngay', as: 'to-vn-date' } } } } },
        { json: { ngay: 'bí mật' } },
      ),
      (error) =>
        error instanceof Problem &&
        error.parts.errors?.[0]?.pointer === '/body/ngay' &&
        !JSON.stringify([error.message, error.parts]).includes('bí mật'),
    );
  });

  it('sets its own headers and keeps the caller’s business with the gateway to itself', async () => {
    const { seen } = await ask(
      {
        settings: { headers: { 'X-Api-Key': '{credential.khoa}', 'X-Don-Vi': '{caller.agency}' } },
        binding: { headers: { 'X-Can-Bo': '{caller.user}', 'x-don-vi': 'khac' } },
        context: { credentials: { khoa: 'k-1' } },
      },
      {
        headers: {
          'x-rieng': 'a',
          'idempotency-key': 'i-1',
          authorization: 'Bearer t',
          cookie: 'c=1',
          'lgsp-user': 'u',
          'lgsp-case': 'c',
          host: 'evil',
          connection: 'close',
          'transfer-encoding': 'chunked',
          'content-length': '5',
          te: 'trailers',
          expect: '100-continue',
        },
      },
    );
    const { headers } = seen;
    assert.equal(headers['x-api-key'], 'k-1');
    assert.equal(headers['x-don-vi'], 'khac');
    assert.equal(headers['x-can-bo'], 'canbo01');
    assert.equal(headers['x-rieng'], 'a');
    assert.equal(headers['idempotency-key'], 'i-1');
    assert.equal(headers['x-request-id'], '0192f7c4-3a1b-7c2d-9e4f-0a1b2c3d4e5f');
    assert.match(String(headers['traceparent']), /^00-0af7/);
    assert.equal(headers['accept-encoding'], 'identity');
    assert.equal(headers.host, base.slice('http://'.length));
    for (const name of [
      'authorization',
      'cookie',
      'lgsp-user',
      'lgsp-case',
      'te',
      'expect',
      'transfer-encoding',
      'content-length',
    ])
      assert.equal(headers[name], undefined, name);
  });

  for (const value of ['a\r\nX-Evil: 1', 'a\nb', 'a\0b', 'Hẻo'])
    it(`refuses ${JSON.stringify(value)} in a header`, () =>
      assert.rejects(
        ask({ binding: { headers: { 'x-a': '{query.a}' } } }, { query: { a: value } }),
        Problem,
      ));

  for (const [auth, expected] of [
    [
      { type: 'basic', username: 'u', password: '{credential.mk}' },
      `Basic ${Buffer.from('u:m:k').toString('base64')}`,
    ],
    [{ type: 'bearer', token: '{credential.mk}' }, 'Bearer m:k'],
  ] as const)
    it(`signs in with ${auth.type}`, async () => {
      const { seen } = await ask(
        { settings: { auth }, context: { credentials: { mk: 'm:k' } } },
        { headers: { authorization: 'x' } },
      );
      assert.equal(seen.headers.authorization, expected);
    });

  it('passes the source’s bytes and end-to-end headers back', async () => {
    const bytes = Buffer.from('{ "a": 1 }\r\n');
    reply = (response) => {
      response.writeHead(206, [
        'Content-Type',
        'application/json',
        'ETag',
        '"1"',
        'X-Nhieu',
        'a',
        'X-Nhieu',
        'b',
        'Set-Cookie',
        's=1',
        'Server',
        'IIS',
        'X-Powered-By',
        'PHP',
        'Location',
        'http://10.0.0.1/',
        'Connection',
        'X-Rieng, keep-alive',
        'X-Rieng',
        '1',
        'Keep-Alive',
        'timeout=5',
        'X-Ten',
        Buffer.from('Hẻo').toString('latin1'),
      ]);
      response.end(bytes);
    };
    const { answer } = await ask({});
    assert.equal(answer.status, 206);
    assert.deepEqual(answer.body, bytes);
    const { date, ...headers } = answer.headers;
    assert.equal(date, undefined);
    assert.deepEqual(
      { ...headers },
      {
        'content-type': 'application/json',
        etag: '"1"',
        'x-nhieu': 'a, b',
        'x-ten': Buffer.from('Hẻo').toString('latin1'),
      },
    );
    assert.equal(answer.success, null);
  });

  it('passes only the headers that a binding lists', async () => {
    reply = (response) => {
      response.writeHead(201, {
        'content-type': 'text/plain',
        etag: '"1"',
        location: '/x',
        'set-cookie': 'a=1',
        'x-a': '1',
      });
      response.end();
    };
    const { answer } = await ask({ binding: { response: { headers: ['Location', 'Set-Cookie', 'X-A'] } } });
    assert.deepEqual({ ...answer.headers }, { 'content-type': 'text/plain', location: '/x', 'x-a': '1' });
  });

  it('maps the answer and its status', async () => {
    reply = (response) => {
      response.writeHead(200, { etag: '"1"', 'content-type': 'text/json' });
      response.end('\uFEFF{"data":{"NgayTra":"20250801083000","Xong":"True"}}');
    };
    const { answer } = await ask({
      binding: {
        response: {
          status: { 200: 203 },
          body: {
            from: 'data',
            fields: {
              ngayTra: { from: 'NgayTra', as: 'vn-datetime' },
              xong: { from: 'Xong', as: 'boolean' },
            },
          },
        },
      },
    });
    assert.equal(answer.status, 203);
    assert.equal(answer.body.toString(), '{"ngayTra":"2025-08-01T08:30:00+07:00","xong":true}');
    assert.deepEqual(answer.headers, { 'content-type': 'application/json; charset=utf-8' });
  });

  it('does not map an error of the source', async () => {
    reply = (response) => {
      response.writeHead(404);
      response.end('{"loi":1}');
    };
    const { answer } = await ask({ binding: { response: { body: 'data' } } });
    assert.deepEqual([answer.status, answer.body.toString()], [404, '{"loi":1}']);
  });

  for (const [title, body] of [
    ['is not JSON', '<html>bí mật'],
    ['lacks a value', '{"x":"bí mật"}'],
    ['has a value of another kind', '{"a":"bí mật"}'],
  ] as const)
    it(`fails when the answer ${title}, without quoting it`, async () => {
      reply = (response) => response.end(body);
      await assert.rejects(
        ask({ binding: { response: { body: { fields: { a: { from: 'a', as: 'integer' } } } } } }),
        (error) =>
          error instanceof SourceError && error.fault === 'failed' && !error.message.includes('bí mật'),
      );
    });

  it('says that a POST whose answer could not be mapped did act', async () => {
    reply = (response) => response.end('[]');
    await assert.rejects(
      ask({ method: 'POST', binding: { response: { body: 'a' } } }),
      (error) => error instanceof SourceError && error.mayHaveActed,
    );
  });

  const rule = { pointer: '/error_code', equals: [0, '00'] };
  const successes: readonly [status: number, body: string, expected: boolean][] = [
    [200, '{"error_code":0}', true],
    [200, '{"error_code":"00"}', true],
    [200, '{"error_code":"0"}', false],
    [200, '{"error_code":5}', false],
    [200, '{}', false],
    [200, 'x', false],
    [500, '{"error_code":0}', false],
  ];
  for (const [status, body, expected] of successes)
    it(`${status} ${body} is ${expected ? 'a' : 'no'} success by the service’s rule`, async () => {
      reply = (response) => {
        response.writeHead(status);
        response.end(body);
      };
      const { answer } = await ask({ success: rule });
      assert.equal(answer.success, expected);
      assert.equal(answer.body.toString(), body);
    });

  it('prefers the binding’s rule, judged before the mapping', async () => {
    reply = (response) => response.end('{"maKetQua":"00","x":1}');
    const { answer } = await ask({
      success: rule,
      binding: {
        success: { pointer: '/maKetQua', equals: ['00'] },
        response: { body: { fields: { y: 'x' } } },
      },
    });
    assert.deepEqual([answer.success, answer.body.toString()], [true, '{"y":1}']);
  });

  it('makes no success a fault where the binding says so', async () => {
    reply = (response) => response.end('{"error_code":5}');
    await assert.rejects(
      ask({ success: rule, binding: { failure: 'source_failed' } }),
      (error) => error instanceof SourceError && error.fault === 'failed',
    );
  });

  it('answers a HEAD without a body', async () => {
    reply = (response) => {
      response.writeHead(200, { 'content-length': '5000000', 'content-type': 'text/plain' });
      response.end();
    };
    const { answer } = await ask({ method: 'HEAD' });
    assert.deepEqual([answer.status, answer.body.length], [200, 0]);
  });

  it('sees by a probe whether the source listens, without asking it anything', async () => {
    connector = httpConnector(base);
    assert.deepEqual((await connector.probe(forever())).ok, true);
    assert.equal(seen, null);
  });

  it('lets calls in progress end when it is closed, and takes no more', async () => {
    let finish = (): void => undefined;
    reply = (response) => {
      finish = () => void response.end('{"a":1}');
    };
    const closing = httpConnector(base);
    const work = closing.call(call(), forever());
    for (let turn = 0; turn < 400 && seen === null; turn += 1)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const closed = closing.close();
    await assert.rejects(closing.call(call(), forever()), SourceError);
    finish();
    assert.equal((await work).body.toString(), '{"a":1}');
    await closed;
  });
});
