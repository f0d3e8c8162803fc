import type { IncomingMessage } from 'node:http';

const MOST_BYTES = 8192;

export class FormError extends Error {
  override readonly name = 'FormError';
}

/**
 * The fields of a posted form.
 *
 * @throws FormError when it is none, is too large, or comes from a page of somebody else
 */
export async function readForm(request: IncomingMessage, origin: string): Promise<URLSearchParams> {
  const { headers } = request;
  // A browser says where a form stood; what says nothing is no browser, and holds no cookie of one.
  if (headers.origin !== undefined && headers.origin !== origin) throw new FormError('the form is not ours');
  if (headers['sec-fetch-site'] === 'cross-site') throw new FormError('the form is not ours');
  if (headers['content-type']?.split(';')[0]?.trim() !== 'application/x-www-form-urlencoded')
    throw new FormError('not a form');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new FormError('the form is too large');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
