import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A server that says exactly these bytes: what a real HTTP server would never let us send. */
export interface RawSource {
  readonly port: number;
  readonly url: string;
  /** Each request as it came, headers and what of the body came with them. */
  readonly requests: string[];
  /** Connections that were ever opened. */
  readonly connections: () => number;
  /** Connections that have come to their end. */
  readonly ended: () => number;
  close(): Promise<void>;
}

/** `answer` is asked for each request: the `nth` from 0 over all connections. */
export async function rawSource(
  answer: (socket: Socket, nth: number, text: string) => void,
): Promise<RawSource> {
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server: Server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      if (!/^[A-Z]+ \S+ HTTP\/1\.1\r\n/.test(text)) return;
      requests.push(text);
      answer(socket, requests.length - 1, text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    requests,
    connections: () => connections,
    ended: () => connections - sockets.size,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Waits, for a bounded number of turns, until something holds. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !holds(); turn += 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
}
