import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks that answers as it is told. */
export class Receiver {
  readonly url: string;
  readonly got: Received[] = [];
  /** The status of each answer, one after the other; the last stays. 0 never answers. */
  statuses: number[] = [204];
  readonly close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.close = close;
  }

  static async start(): Promise<Receiver> {
    let receiver: Receiver | null = null;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        receiver?.got.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
        const [status = 204] = receiver?.statuses ?? [];
        if ((receiver?.statuses.length ?? 0) > 1) receiver?.statuses.shift();
        if (status === 0) return;
        response.writeHead(status, status === 302 ? { location: 'http://127.0.0.1:1/elsewhere' } : {});
        response.end('đã nhận');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    receiver = new Receiver(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/nhan?khoa=1`,
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return receiver;
  }
}

export interface Mail {
  readonly to: readonly string[];
  readonly text: string;
}

export interface MailServerOptions {
  /** PEM of its certificate and key; without them it speaks no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Who may send; anybody unless given. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** A mail server that keeps what it is given. */
export async function startMailServer({ tls, login }: MailServerOptions = {}): Promise<{
  port: number;
  mails: Mail[];
  close(): Promise<void>;
}> {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    ...(tls ?? { disabledCommands: ['STARTTLS'] }),
    authOptional: login === undefined,
    onAuth({ username, password }, _session, callback) {
      if (username === login?.user && password === login?.password) callback(null, { user: username });
      else callback(new Error('535 no'));
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ to, text: Buffer.concat(chunks).toString('utf8') });
        callback();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
