import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface SyslogMessage {
  readonly priority: number;
  readonly time: string;
  readonly host: string;
  readonly app: string;
  readonly id: string;
  readonly data: string;
  readonly body: Buffer;
}

const HEADER =
  /^<(\d{1,3})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) - ([!-~]{1,32}) (\[(?:[^"\]]|"(?:[^"\\\]]|\\.)*")*\])/s;

/** One message by RFC 5424. @throws Error when it is none */
export function parseSyslog(message: Buffer): SyslogMessage {
  const text = message.toString('latin1');
  const found = HEADER.exec(text);
  if (found === null) throw new Error(`no RFC 5424 message: ${text.slice(0, 200)}`);
  const [whole, priority, time = '', host = '', app = '', id = '', data = ''] = found;
  const rest = message.subarray(whole.length);
  if (rest.length > 0 && rest[0] !== 0x20) throw new Error('no space before the message');
  return { priority: Number(priority), time, host, app, id, data, body: rest.subarray(1) };
}

/** Takes whole frames off the front, by RFC 6587 3.4.1. @throws Error on anything else */
function framesOf(bytes: Buffer): { frames: Buffer[]; rest: Buffer } {
  const frames: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const space = rest.indexOf(0x20);
    const length = rest.subarray(0, space < 0 ? rest.length : space).toString('latin1');
    if (length !== '' && !/^[1-9]\d{0,8}$/.test(length))
      throw new Error(`not a length: ${length.slice(0, 40)}`);
    if (space < 0 || rest.length < space + 1 + Number(length)) return { frames, rest };
    frames.push(rest.subarray(space + 1, space + 1 + Number(length)));
    rest = rest.subarray(space + 1 + Number(length));
  }
}

/** A receiver of syslog over TCP or TLS that reads strictly. */
export class SyslogReceiver {
  readonly messages: SyslogMessage[] = [];
  readonly faults: Error[] = [];
  /** Reads nothing more from any connection, and keeps them open. */
  hanging = false;
  connections = 0;
  port = 0;
  readonly #tls: TlsOptions | undefined;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;

  private constructor(tls: TlsOptions | undefined) {
    this.#tls = tls;
  }

  static async start(tls?: TlsOptions, port = 0): Promise<SyslogReceiver> {
    const receiver = new SyslogReceiver(tls);
    await receiver.listen(port);
    return receiver;
  }

  async listen(port = this.port): Promise<void> {
    const take = (socket: Socket): void => this.#take(socket);
    const server = this.#tls === undefined ? createServer(take) : createTlsServer(this.#tls, take);
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  /** As a crash would: connections are reset, nothing listens. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await this.close();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) =>
      this.#server === null ? resolve() : this.#server.close(() => resolve()),
    );
    this.#server = null;
  }

  /** The places in the log of what came, in the order of coming. */
  indexes(): number[] {
    return this.messages.map(({ data }) => Number(/ index="(\d+)"/.exec(data)?.[1]));
  }

  #take(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    let rest: Buffer = Buffer.alloc(0);
    socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    if (this.hanging) {
      socket.pause();
      return;
    }
    socket.on('data', (chunk: Buffer) => {
      if (this.hanging) socket.pause();
      try {
        const found = framesOf(Buffer.concat([rest, chunk]));
        rest = found.rest;
        for (const frame of found.frames) this.messages.push(parseSyslog(frame));
      } catch (error) {
        this.faults.push(error as Error);
        socket.destroy();
      }
    });
  }
}
