import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Connector, SourceError, type SourceFault } from '../../../connectors/connector.js';
import { call, forever, openEgress } from '../context.js';
import { type Given, httpConnector } from './make.js';
import { type RawSource, rawSource, until } from './raw-source.js';

type Say = (socket: Socket, nth: number, text: string) => void;

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}';
const say =
  (...texts: (string | Buffer)[]): Say =>
  (socket) => {
    for (const text of texts) socket.write(text);
  };

async function fault(work: Promise<unknown>): Promise<SourceError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SourceError) return error;
    throw error;
  }
  return assert.fail('it was answered');
}

describe('http connector: what a source can do wrong', () => {
  let source: RawSource | null = null;
  let connector: Connector | null = null;

  async function open(answer: Say, given: Given = {}): Promise<{ source: RawSource; connector: Connector }> {
    const opened = await rawSource(answer);
    source = opened;
    connector = httpConnector(opened.url, given);
    return { source: opened, connector };
  }

  afterEach(async () => {
    await source?.close();
    await connector?.close();
    source = null;
    connector = null;
  });

  const cases: readonly [title: string, answer: Say, expected: SourceFault | number][] = [
    ['no HTTP at all', say('SSH-2.0-OpenSSH_9.2\r\n'), 'failed'],
    ['a status that is none', say('HTTP/1.1 abc OK\r\n\r\n'), 'failed'],
    ['closes without a word', (socket) => socket.end(), 'failed'],
    ['resets without a word', (socket) => socket.resetAndDestroy(), 'failed'],
    ['closes inside the headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'), 'failed'],
    [
      'closes inside the body',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
      'failed',
    ],
    [
      'closes inside a chunk',
      (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nabc'),
      'failed',
    ],
    ['a chunk of no size', say('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'), 'failed'],
    ['two lengths', say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'), 'failed'],
    [
      'a length and chunks',
      say('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
      'failed',
    ],
    ['a negative length', say('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'), 'failed'],
    ['a length beyond the limit', say('HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n'), 'failed'],
    ['headers without end', say(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`), 'failed'],
    [
      'an upgrade nobody asked for',
      say('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
      'failed',
    ],
    [
      'an encoding nobody knows',
      say('HTTP/1.1 200 OK\r\nContent-Encoding: zip\r\nContent-Length: 2\r\n\r\n{}'),
      'failed',
    ],
    [
      'gzip that is none',
      say('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}'),
      'failed',
    ],
    ['early hints before the answer', say('HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n', OK), 200],
    ['102 before the answer', say('HTTP/1.1 102 Processing\r\n\r\n', OK), 200],
    ['a body until the end of the connection', (socket) => socket.end('HTTP/1.0 200 OK\r\n\r\n{}'), 200],
    ['a 500', say('HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n'), 500],
    [
      'a redirect is not followed',
      say('HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n'),
      302,
    ],
    ['no content', say('HTTP/1.1 204 No Content\r\n\r\n'), 204],
  ];
  for (const [title, answer, expected] of cases)
    it(`${title}: ${expected}`, async () => {
      const { connector } = await open(answer);
      const work = connector.call(call({ maxResponseBytes: 1000 }), forever());
      if (typeof expected === 'number') {
        const answered = await work;
        assert.equal(answered.status, expected);
        assert.equal(answered.headers['location'], undefined);
      } else assert.equal((await fault(work)).fault, expected);
    });

  it('cuts an endless body off and lets go of the socket', async () => {
    const { connector, source } = await open((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const more = (): void => {
        if (!socket.destroyed) socket.write('3e8\r\n' + 'x'.repeat(1000) + '\r\n', () => setImmediate(more));
      };
      more();
    });
    const error = await fault(connector.call(call({ maxResponseBytes: 50_000 }), forever()));
    assert.equal(error.fault, 'failed');
    await until(() => source.ended() > 0);
    assert.ok(source.ended() > 0);
  });

  for (const [size, ok] of [
    [999, true],
    [1000, true],
    [1001, false],
  ] as const)
    it(`takes a body of ${size} bytes with a limit of 1000: ${ok}`, async () => {
      const { connector } = await open(
        say(
          `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`,
        ),
      );
      const work = connector.call(call({ maxResponseBytes: 1000 }), forever());
      if (ok) assert.equal((await work).body.length, size);
      else assert.equal((await fault(work)).fault, 'failed');
    });

  it('decodes a compressed answer', async () => {
    const body = gzipSync('{"ten":"Hẻo"}');
    const { connector } = await open((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
    const answer = await connector.call(call(), forever());
    assert.equal(answer.body.toString(), '{"ten":"Hẻo"}');
    assert.equal(answer.headers['content-encoding'], undefined);
  });

  it('refuses a small body that unfolds beyond the limit', async () => {
    const body = gzipSync(Buffer.alloc(1_000_000));
    const { connector } = await open((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body);
    });
    assert.equal(
      (await fault(connector.call(call({ maxResponseBytes: 10_000 }), forever()))).fault,
      'failed',
    );
  });

  it('is unreachable when nobody listens', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    connector = httpConnector(`http://127.0.0.1:${port}`, { method: 'POST', settings: { retries: 1 } });
    const error = await fault(connector.call(call({ method: 'POST', body: Buffer.from('{}') }), forever()));
    assert.deepEqual([error.fault, error.mayHaveActed], ['unreachable', false]);
  });

  it('is unreachable when the name leads to an address that is not allowed', async () => {
    const opened = await rawSource(say(OK));
    source = opened;
    const egress = openEgress({
      addresses: ['localhost'],
      resolver: () => Promise.resolve([{ address: '10.0.0.5', family: 4 }]),
    });
    connector = httpConnector(`http://localhost:${opened.port}`, { context: { egress } });
    assert.equal((await fault(connector.call(call(), forever()))).fault, 'unreachable');
    assert.equal(opened.connections(), 0);
  });

  it('is unreachable when the literal address is not allowed', async () => {
    const opened = await rawSource(say(OK));
    source = opened;
    connector = httpConnector(opened.url, { context: { egress: openEgress({ addresses: [] }) } });
    assert.equal((await fault(connector.call(call(), forever()))).fault, 'unreachable');
    assert.equal(opened.connections(), 0);
  });

  for (const [reason, expected] of [
    ['deadline', 'timeout'],
    ['caller', 'aborted'],
  ] as const)
    for (const when of ['before the request', 'while the source is silent', 'inside the body'] as const)
      it(`ends with ${expected} when the ${reason} ends it ${when}`, async () => {
        const ending = new AbortController();
        const { connector, source } = await open((socket) => {
          if (when === 'inside the body') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc');
          setTimeout(() => ending.abort(reason), 20);
        });
        if (when === 'before the request') ending.abort(reason);
        const error = await fault(connector.call(call(), ending.signal));
        assert.equal(error.fault, expected);
        await until(() => source.ended() === source.requests.length);
        assert.equal(source.ended(), source.requests.length);
      });

  it('says that a POST which was lost on the way back may have acted', async () => {
    const { connector, source } = await open((socket) => socket.destroy(), {
      method: 'POST',
      settings: { retries: 3 },
    });
    const error = await fault(connector.call(call({ method: 'POST', body: Buffer.from('{}') }), forever()));
    assert.deepEqual([error.fault, error.mayHaveActed], ['failed', true]);
    assert.equal(source.requests.length, 1);
  });
});

describe('http connector: another try', () => {
  let source: RawSource | null = null;
  let connector: Connector | null = null;
  afterEach(async () => {
    await source?.close();
    await connector?.close();
  });

  const cases: readonly [
    title: string,
    method: string,
    retries: number,
    drops: number,
    status: number | null,
    requests: number,
  ][] = [
    ['GET, lost once', 'GET', 1, 1, 200, 2],
    ['HEAD, lost once', 'HEAD', 1, 1, 200, 2],
    ['GET, lost more often than it is tried', 'GET', 1, 2, null, 2],
    ['GET, no retries wanted', 'GET', 0, 1, null, 1],
    ['POST is never tried again', 'POST', 3, 1, null, 1],
    ['PUT is never tried again', 'PUT', 3, 1, null, 1],
    ['DELETE is never tried again', 'DELETE', 3, 1, null, 1],
  ];
  for (const [title, method, retries, drops, status, requests] of cases)
    it(title, async () => {
      const opened = await rawSource((socket, nth) =>
        nth < drops ? socket.resetAndDestroy() : socket.write(OK),
      );
      source = opened;
      connector = httpConnector(opened.url, { method, settings: { retries } });
      const work = connector.call(call({ method }), forever());
      if (status === null) assert.equal((await fault(work)).fault, 'failed');
      else assert.equal((await work).status, status);
      assert.equal(opened.requests.length, requests);
    });

  it('tries a GET again when a kept connection turns out to be closed', async () => {
    const opened = await rawSource((socket, nth) =>
      nth === 1 ? socket.resetAndDestroy() : socket.write(OK),
    );
    source = opened;
    connector = httpConnector(opened.url, { settings: { retries: 1 } });
    assert.equal((await connector.call(call(), forever())).status, 200);
    assert.equal((await connector.call(call(), forever())).status, 200);
    assert.deepEqual([opened.requests.length, opened.connections()], [3, 2]);
  });

  it('takes no interim answer for the beginning of an answer', async () => {
    const opened = await rawSource((socket, nth) => {
      if (nth > 0) socket.write(OK);
      else
        socket.write('HTTP/1.1 103 Early Hints\r\n\r\n', () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        );
    });
    source = opened;
    connector = httpConnector(opened.url, { settings: { retries: 1 } });
    assert.equal((await connector.call(call(), forever())).status, 200);
    assert.equal(opened.requests.length, 2);
  });

  it('does not try again once an answer has begun', async () => {
    const opened = await rawSource((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'),
    );
    source = opened;
    connector = httpConnector(opened.url, { settings: { retries: 3 } });
    assert.equal((await fault(connector.call(call(), forever()))).fault, 'failed');
    assert.equal(opened.requests.length, 1);
  });

  it('does not try again after the deadline', async () => {
    const opened = await rawSource((socket) => socket.resetAndDestroy());
    source = opened;
    connector = httpConnector(opened.url, { settings: { retries: 3 } });
    await fault(connector.call(call({ deadline: Date.now() - 1 }), forever()));
    assert.equal(opened.requests.length, 1);
  });
});

describe('http connector: the breaker', () => {
  let source: RawSource | null = null;
  let connector: Connector | null = null;
  afterEach(async () => {
    await source?.close();
    await connector?.close();
  });
  const breaker = { calls: 3, percent: 50, resetMs: 50 };

  it('opens after repeated 5xx answers, which themselves pass, and closes after a good trial', async () => {
    let healthy = false;
    const opened = await rawSource((socket) =>
      socket.write(healthy ? OK : 'HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n'),
    );
    source = opened;
    connector = httpConnector(opened.url, { settings: { breaker } });
    for (let i = 0; i < 3; i += 1) assert.equal((await connector.call(call(), forever())).status, 503);
    const busy = await fault(connector.call(call(), forever()));
    assert.equal(busy.fault, 'busy');
    assert.equal(busy.retryAfter, 1);
    assert.equal(opened.requests.length, 3);
    assert.equal((await connector.probe(forever())).ok, false);
    healthy = true;
    await new Promise((resolve) => setTimeout(resolve, 70));
    assert.equal((await connector.call(call(), forever())).status, 200);
    assert.equal((await connector.call(call(), forever())).status, 200);
  });

  it('never opens because callers leave', async () => {
    const opened = await rawSource(() => undefined);
    source = opened;
    connector = httpConnector(opened.url, { settings: { breaker } });
    for (let i = 0; i < 6; i += 1) {
      const leaving = new AbortController();
      const work = fault(connector.call(call(), leaving.signal));
      leaving.abort('caller');
      assert.equal((await work).fault, 'aborted');
    }
  });

  it('is not closed by a trial whose caller left', async () => {
    const opened = await rawSource((socket, nth) => {
      if (nth < 3) socket.resetAndDestroy();
    });
    source = opened;
    const ending = new AbortController();
    connector = httpConnector(opened.url, { settings: { breaker: { ...breaker, resetMs: 200 } } });
    for (let i = 0; i < 3; i += 1) {
      const late = new AbortController();
      late.abort('deadline');
      await fault(connector.call(call(), late.signal));
    }
    assert.equal((await fault(connector.call(call(), forever()))).fault, 'busy');
    await new Promise((resolve) => setTimeout(resolve, 230));
    const trial = fault(connector.call(call(), ending.signal));
    ending.abort('caller');
    assert.equal((await trial).fault, 'aborted');
    assert.equal((await fault(connector.call(call(), forever()))).fault, 'busy');
  });

  it('is busy with more calls in progress than it may have, which does not open it', async () => {
    const waiting: Socket[] = [];
    const opened = await rawSource((socket) => void waiting.push(socket));
    source = opened;
    connector = httpConnector(opened.url, { settings: { maxConcurrent: 2, breaker } });
    const first = connector.call(call(), forever());
    const second = connector.call(call(), forever());
    for (let i = 0; i < 8; i += 1)
      assert.equal((await fault(connector.call(call(), forever()))).fault, 'busy');
    await until(() => waiting.length === 2);
    for (const socket of waiting) socket.write(OK);
    assert.deepEqual([(await first).status, (await second).status], [200, 200]);
    const third = connector.call(call(), forever());
    await until(() => waiting.length === 3);
    waiting[2]?.write(OK);
    assert.equal((await third).status, 200);
  });
});
