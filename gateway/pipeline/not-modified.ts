import type { Answer, CallRequest } from '../base/exchange.js';

const EMPTY = Buffer.alloc(0);

/** `W/` aside, as RFC 9110 13.1.2 compares: what is in hand is good enough, byte for byte or not. */
function names(header: string, etag: string): boolean {
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag);
}

/** The answer, or 304 in its place where the caller of a GET has it already. */
export function unlessModified({ method, headers }: CallRequest, answer: Answer): Answer {
  const etag = answer.headers['etag'];
  const known = headers['if-none-match'];
  if (method !== 'GET' || answer.status !== 200 || etag === undefined || typeof known !== 'string')
    return answer;
  if (!names(known, etag)) return answer;
  const { 'content-type': _, ...kept } = answer.headers;
  return { status: 304, headers: kept, body: EMPTY };
}
