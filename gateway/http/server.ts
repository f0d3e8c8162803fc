import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Express } from 'express';
import { Problem } from '../base/problem.js';
import type { ClientCertificates } from './client-certificate.js';
import type { Gate } from './gate.js';

const HEADER_BYTES = 16_384;
/** A whole request must arrive within this time, however slowly it is sent. */
const REQUEST_TIMEOUT_MS = 60_000;
const HEADERS_TIMEOUT_MS = 15_000;
/** Longer than a proxy keeps an idle connection, so that it is the proxy that closes it. */
const KEEP_ALIVE_MS = 65_000;

function unreadable(error: NodeJS.ErrnoException): Problem | null {
  if (error.code === 'HPE_INVALID_EOF_STATE') return null;
  if (error.code === 'HPE_HEADER_OVERFLOW') return new Problem('headers_too_large');
  if (error.code?.startsWith('HPE_') === true || error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new Problem('request_malformed');
  return null;
}

async function refuseUnreadable(
  gate: Gate,
  error: NodeJS.ErrnoException,
  socket: Socket,
  busy: boolean,
): Promise<void> {
  const problem = unreadable(error);
  // In the middle of a call, the call itself learns that its caller is gone, and is recorded once.
  if (problem === null || busy || !socket.writable) {
    socket.destroy();
    return;
  }
  const { answer } = await gate.unreadable(socket.remoteAddress ?? 'unknown', problem);
  if (answer === null || !socket.writable) {
    socket.destroy();
    return;
  }
  const head = [
    `HTTP/1.1 ${answer.status} Refused`,
    'Connection: close',
    `Content-Length: ${answer.body.length}`,
  ];
  for (const [name, value] of Object.entries(answer.headers)) head.push(`${name}: ${value}`);
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), answer.body]));
}

/** What the listener needs to speak TLS itself; PEM. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Issuers of callers' certificates. */
  readonly ca?: Buffer;
}

export interface ListenerParts {
  readonly gate: Gate;
  readonly app: Express;
  readonly certificates: ClientCertificates;
  readonly tls: TlsMaterial | null;
  readonly onError: (error: unknown) => void;
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

const TIMES = {
  maxHeaderSize: HEADER_BYTES,
  requestTimeout: REQUEST_TIMEOUT_MS,
  headersTimeout: HEADERS_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
};

function openServer(tls: TlsMaterial | null, listener: Listener): Server {
  if (tls === null) return createServer(TIMES, listener);
  // Asked for and not demanded: most callers have no certificate, and a bound token is refused without it anyway.
  return createTlsServer({ ...TIMES, ...tls, requestCert: true, rejectUnauthorized: false }, listener);
}

/**
 * The listener. Data and sandbox calls are taken straight from `node:http`: express changes the prototypes of every request
 * and response, which alone costs a third of the throughput. Everything else is express's.
 */
export function createListener({ gate, app, certificates, tls, onError }: ListenerParts): Server {
  const busy = new WeakSet<Socket>();
  const server = openServer(tls, (request, response) => {
    const { socket } = request;
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
    certificates.admit(request);
    const { url = '' } = request;
    if (url.startsWith('/data/')) gate.data(request, response).catch(onError);
    else if (url.startsWith('/sandbox/')) gate.sandbox(request, response).catch(onError);
    else app(request, response);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    refuseUnreadable(gate, error, socket, busy.has(socket)).catch(onError);
  });
  return server;
}

/** Stops listening, lets open calls end, then closes what is left. */
export async function drain(server: Server, patienceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), patienceMs);
  await closed;
  clearTimeout(timer);
}
