import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { CallRequest } from '../base/exchange.js';
import { Problem } from '../base/problem.js';
import type { ClientCertificates } from './client-certificate.js';

const EMPTY = Buffer.alloc(0);

function tooLarge(limit: number): Problem {
  return new Problem('body_too_large', {
    detail: { vi: `Nội dung không được quá ${limit} byte.`, en: `The body may have at most ${limit} bytes.` },
    rule: { kind: 'limit', id: 'requestBytes', state: 'exceeded', bytes: limit },
  });
}

/** Why a body could not be read to its end: the caller hung up, or its socket broke. */
export class BodyCut extends Error {
  override readonly name = 'BodyCut';
}

async function collect(request: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  return await new Promise((resolve, reject) => {
    const stop = (error: Error): void => {
      request.removeListener('data', take);
      // The rest is not read: the connection is closed after the refusal.
      request.pause();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) stop(tooLarge(limit));
      else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.once('error', (error) => stop(new BodyCut('the body broke off', { cause: error })));
    request.once('close', () => stop(new BodyCut('the body broke off')));
  });
}

/** A request of `node:http` as the corridor sees it. */
export class NodeRequest implements CallRequest {
  readonly method: string;
  readonly path: string;
  readonly search: string;
  readonly headers: IncomingMessage['headers'];
  readonly address: string;
  readonly #request: IncomingMessage;
  readonly #certificates: ClientCertificates;
  #body: Buffer | Promise<Buffer> | null = null;

  constructor(request: IncomingMessage, url: string, address: string, certificates: ClientCertificates) {
    const mark = url.indexOf('?');
    this.method = request.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.search = mark < 0 ? '' : url.slice(mark + 1);
    this.headers = request.headers;
    this.address = address;
    this.#request = request;
    this.#certificates = certificates;
  }

  readBody(limit: number): Buffer | Promise<Buffer> {
    this.#body ??= this.#read(limit);
    return this.#body;
  }

  clientCertificate(): X509Certificate | null {
    return this.#certificates.of(this.#request);
  }

  #read(limit: number): Buffer | Promise<Buffer> {
    const { 'content-length': length, 'transfer-encoding': encoding } = this.headers;
    if (encoding === undefined && (length === undefined || length === '0')) return EMPTY;
    if (length !== undefined && Number(length) > limit) return Promise.reject(tooLarge(limit));
    return collect(this.#request, limit);
  }
}
