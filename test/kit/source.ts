import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** A department system that behaves, or misbehaves, as the path asks. */
export interface Source {
  readonly url: string;
  /** Requests it got, newest last. */
  readonly seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];
  /** Sockets that a caller closed before the answer was complete. */
  readonly cut: () => number;
  close(): Promise<void>;
}

export const GOOD = { code: '03532', name: 'Pu Sam Cáp' };

type Act = (request: IncomingMessage, response: ServerResponse) => void;

const json = (response: ServerResponse, status: number, value: unknown, type = 'application/json'): void => {
  response.writeHead(status, { 'content-type': type });
  response.end(JSON.stringify(value));
};

const socketOf = (response: ServerResponse): Socket => response.socket as Socket;

const ACTS: Readonly<Record<string, Act>> = {
  ok: (_request, response) => json(response, 200, GOOD),
  created: (_request, response) => json(response, 201, GOOD),
  'wrong-schema': (_request, response) => json(response, 200, { code: 3532, secret: 'x' }),
  'wrong-status': (_request, response) => json(response, 418, GOOD),
  'wrong-type': (_request, response) => json(response, 200, GOOD, 'text/html'),
  broken: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('{"code": "03532", "name": ');
  },
  fails: (_request, response) => json(response, 500, { error_code: 1 }),
  slow: (_request, response) => void setTimeout(() => json(response, 200, GOOD), 30_000).unref(),
  reset: (_request, response) => socketOf(response).resetAndDestroy(),
  garbage: (_request, response) => void socketOf(response).end('this is not HTTP\r\n\r\n'),
  half: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"code":');
    setTimeout(() => socketOf(response).destroy(), 20).unref();
  },
  endless: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const chunk = Buffer.alloc(65_536, 'x');
    const pump = (): void => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', pump);
    };
    pump();
  },
  wait: (_request, response) => void setTimeout(() => json(response, 200, GOOD), 150),
};

export async function startSource(): Promise<Source> {
  const seen: Source['seen'] = [];
  let cut = 0;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => undefined);
    response.once('close', () => {
      if (!response.writableFinished) cut += 1;
    });
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      const name = new URL(request.url ?? '/', 'http://source').pathname.split('/')[1] ?? '';
      (ACTS[name] ?? ((_request, answer) => json(answer, 404, {})))(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    cut: () => cut,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
