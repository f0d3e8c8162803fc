import type { Dispatcher, Pool } from 'undici';
import { SourceError, type EndSignal } from '../connector.js';
import { type SourceHeaders, single } from './headers.js';

/** A request as it goes over the wire. */
export interface Outgoing {
  readonly method: string;
  readonly path: string;
  /** name, value, name, value … */
  readonly headers: string[];
  readonly body: Buffer | null;
}

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: SourceHeaders;
  readonly body: Buffer;
}

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export const isSafe = (method: string): boolean => SAFE.has(method);

/** The connection failed before an answer began: the one case in which a safe request may be tried again. */
export class ConnectionLost extends SourceError {}

const EMPTY = Buffer.alloc(0);

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  return typeof code === 'string' ? code : 'unknown';
}

const TIMEOUTS: ReadonlySet<string> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);
const LOST: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/**
 * One request on one connection. It listens to the signal itself: an `AbortSignal.any` or a timer for each call
 * would cost more than the rest of it.
 */
class SourceCall implements Dispatcher.DispatchHandler {
  readonly #settle: { resolve(answer: RawAnswer): void; reject(error: Error): void };
  readonly #signal: EndSignal;
  readonly #method: string;
  readonly #limit: number;
  readonly #onAbort = (): void => this.#end(this.#ended());
  #controller: Dispatcher.DispatchController | null = null;
  #settled = false;
  #status = 0;
  #headers: SourceHeaders = {};
  #chunks: Buffer[] = [];
  #size = 0;

  constructor(
    settle: { resolve(answer: RawAnswer): void; reject(error: Error): void },
    signal: EndSignal,
    method: string,
    limit: number,
  ) {
    this.#settle = settle;
    this.#signal = signal;
    this.#method = method;
    this.#limit = limit;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settled) controller.abort(new Error('nobody waits any more'));
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status < 200) return;
    this.#status = status;
    this.#headers = headers;
    if (Number(single(headers['content-length'])) > this.#limit && !this.#bodiless())
      this.#end(this.#tooLarge());
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size > this.#limit) this.#end(this.#tooLarge());
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    if (this.#settled) return;
    this.#release();
    const [first = EMPTY] = this.#chunks;
    const body = this.#chunks.length > 1 ? Buffer.concat(this.#chunks, this.#size) : first;
    this.#settle.resolve({ status: this.#status, headers: this.#headers, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error);
  }

  fail(error: Error): void {
    this.#end(this.#fault(error));
  }

  /** Settles at once and lets go of the socket: an endless answer ends with it. */
  #end(error: SourceError): void {
    if (this.#settled) return;
    this.#release();
    this.#chunks = [];
    this.#controller?.abort(error);
    this.#settle.reject(error);
  }

  #release(): void {
    this.#settled = true;
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #bodiless(): boolean {
    return this.#method === 'HEAD' || this.#status === 204 || this.#status === 304;
  }

  get #mayHaveActed(): boolean {
    return !isSafe(this.#method) && this.#controller !== null;
  }

  #ended(): SourceError {
    const late = this.#signal.reason !== 'caller';
    return new SourceError(late ? 'timeout' : 'aborted', late ? 'the deadline passed' : 'the caller left', {
      mayHaveActed: this.#mayHaveActed,
    });
  }

  #tooLarge(): SourceError {
    return new SourceError('failed', `the answer is larger than ${this.#limit} bytes`, {
      mayHaveActed: this.#mayHaveActed,
    });
  }

  #fault(cause: Error): SourceError {
    const code = codeOf(cause);
    const options = { mayHaveActed: this.#mayHaveActed, cause };
    if (this.#controller === null)
      return new ConnectionLost('unreachable', `no connection to the source: ${code}`, options);
    if (TIMEOUTS.has(code)) return new SourceError('timeout', `the source went silent: ${code}`, options);
    if (this.#status === 0 && LOST.has(code))
      return new ConnectionLost('failed', `the connection was lost before an answer: ${code}`, options);
    return new SourceError('failed', `the answer could not be read: ${code}`, options);
  }
}

/**
 * Sends one request.
 *
 * @throws SourceError `unreachable`, `timeout`, `failed` or `aborted`; a `ConnectionLost` when no answer had begun
 */
export function sendOnce(
  pool: Pool,
  outgoing: Outgoing,
  signal: EndSignal,
  limit: number,
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const call = new SourceCall({ resolve, reject }, signal, outgoing.method, limit);
    try {
      pool.dispatch(
        { path: outgoing.path, method: outgoing.method, headers: outgoing.headers, body: outgoing.body },
        call,
      );
    } catch (error) {
      call.fail(error instanceof Error ? error : new Error('dispatch failed'));
    }
  });
}
