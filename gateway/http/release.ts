import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Answer, AnswerStream, Exchange } from '../base/exchange.js';
import { Problem } from '../base/problem.js';
import { CallerGone } from '../pipeline/run.js';

/** Shorter than what a starting node takes for the sign of a call that lost its node (`main.ts`). */
const LONGEST_STREAM_MS = 240_000;

/** Answers hold data of agencies: nothing on the way may keep or reinterpret them. */
const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** Sends what the corridor left in the exchange; nothing when the caller is gone. */
export function release(exchange: Exchange, request: IncomingMessage, response: ServerResponse): void {
  exchange.stage = 'release';
  const { answer } = exchange;
  if (exchange.callerGone || answer === null || response.destroyed) {
    response.destroy();
    return;
  }
  writeHead(exchange, answer, request, response);
  response.end(answer.body);
}

/** Sends an answer that is made while it leaves, as fast as it is taken, and notes how it ended. */
export async function releaseStream(
  exchange: Exchange,
  { answer, stream }: { readonly answer: Answer; readonly stream: AnswerStream },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  exchange.stage = 'release';
  const digest = createHash('sha256');
  let bytes = 0;
  async function* counted(): AsyncGenerator<Buffer> {
    for await (const chunk of stream.chunks()) {
      bytes += chunk.length;
      digest.update(chunk);
      yield chunk;
    }
  }
  try {
    if (response.destroyed) throw new CallerGone();
    writeHead(exchange, answer, request, response);
    await pipeline(counted, response, { signal: AbortSignal.timeout(LONGEST_STREAM_MS) });
  } catch (error) {
    exchange.callerGone = exchange.ended === 'caller' || error instanceof CallerGone;
    if (!exchange.callerGone) exchange.problem = new Problem('internal_error', { cause: error });
    response.destroy();
  }
  exchange.streamed = { bytes, sha256: digest.digest('base64url') };
  exchange.act = stream.act();
}

function writeHead(
  exchange: Exchange,
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const headers: Record<string, string | number> = Object.assign(
    { ...ALWAYS },
    exchange.extraHeaders,
    answer.headers,
  );
  headers['X-Request-Id'] = exchange.id;
  headers['traceparent'] = exchange.traceparent;
  // A body that was refused unread would otherwise be read to its end only to be thrown away.
  if (!request.complete) headers['connection'] = 'close';
  const bodiless = answer.status === 204 || answer.status === 304 || answer.stream !== undefined;
  if (!bodiless) headers['content-length'] = answer.body.length;
  response.writeHead(answer.status, headers);
}
