import { readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Egress } from '../../connectors/egress.js';
import type { SyslogSink } from '../base/config-feed.js';
import type { Entry, OpenSink, Place } from './entry.js';
import { Sent } from './sent.js';
import { framed } from './syslog-message.js';

const CONNECT_MS = 10_000;
const GOODBYE_MS = 2000;
const KEEP_ALIVE_MS = 15_000;

export interface SyslogParts {
  readonly egress: Egress;
  readonly sendTimeoutMs: number;
  readonly from: Place;
}

function tlsOptions({ tls = {}, host }: SyslogSink) {
  const { caFile, certFile, keyFile, serverName } = tls;
  const name = serverName ?? (isIP(host) === 0 ? host : undefined);
  return {
    ...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === undefined || keyFile === undefined
      ? {}
      : { cert: readFileSync(certFile), key: readFileSync(keyFile) }),
    ...(name === undefined ? {} : { servername: name }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
  };
}

function dial(sink: SyslogSink, egress: Egress): { socket: Socket; ready: string } {
  const { host, port, tls } = sink;
  // Literal addresses never reach `lookup`: this is where they are vetted.
  egress.assertHost(host, port);
  const where = { host, port, lookup: egress.lookup(port) };
  if (tls === undefined) return { socket: connect(where), ready: 'connect' };
  return { socket: connectTls({ ...where, ...tlsOptions(sink) }), ready: 'secureConnect' };
}

async function connected(socket: Socket, ready: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(new Error('no connection in time')), CONNECT_MS);
    socket.once(ready, () => {
      clearTimeout(late);
      resolve();
    });
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('no connection'));
    });
    socket.once('error', reject);
  });
}

class SyslogConnection implements OpenSink {
  readonly lost: Promise<never>;
  readonly #sink: SyslogSink;
  readonly #socket: Socket;
  readonly #sent: Sent;
  readonly #timeoutMs: number;
  #whole = true;

  constructor(sink: SyslogSink, socket: Socket, { sendTimeoutMs, from }: SyslogParts) {
    this.#sink = sink;
    this.#socket = socket;
    this.#timeoutMs = sendTimeoutMs;
    this.#sent = new Sent(from, sink);
    this.lost = new Promise((_, reject) => {
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the receiver closed the connection')));
    });
    // Whoever is interested waits for it; nobody may be.
    this.lost.catch(() => {
      this.#whole = false;
    });
    socket.on('error', () => undefined);
    // A receiver says nothing; what it says all the same must not fill a buffer and hide its good-bye.
    socket.resume();
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  get place(): Place {
    return this.#sent.place(performance.now());
  }

  async send(entries: readonly Entry[]): Promise<void> {
    const last = entries.at(-1);
    if (last === undefined) return;
    const bytes = Buffer.concat(entries.map((entry) => framed(entry, this.#sink)));
    // A connection that is lost fails what was being written.
    await this.#flush(bytes);
    this.#sent.flushed(last.seq, bytes.length, performance.now());
  }

  async #flush(bytes: Buffer): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#whole = false;
        this.#socket.destroy();
        reject(new Error('the receiver takes nothing'));
      }, this.#timeoutMs);
      this.#socket.write(bytes, (error) => {
        clearTimeout(late);
        if (error === undefined || error === null) resolve();
        else reject(error);
      });
    });
  }

  /** A receiver that answers our end with its own has read all that came before it. */
  async close(): Promise<boolean> {
    if (!this.#whole || this.#socket.destroyed) {
      this.#socket.destroy();
      return false;
    }
    const ended = new Promise<boolean>((resolve) => {
      this.#socket.once('end', () => resolve(true));
      this.#socket.once('error', () => resolve(false));
      setTimeout(() => resolve(false), GOODBYE_MS).unref();
    });
    this.#socket.end();
    const whole = await ended;
    this.#socket.destroy();
    if (whole) this.#sent.allReceived();
    return whole;
  }
}

/**
 * Connects to a receiver of syslog.
 *
 * @throws EgressDenied, or whatever the connection failed of; a certificate that does not fit is such a failure
 */
export async function openSyslog(sink: SyslogSink, parts: SyslogParts): Promise<OpenSink> {
  const { socket, ready } = dial(sink, parts.egress);
  try {
    await connected(socket, ready);
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
  return new SyslogConnection(sink, socket, parts);
}
