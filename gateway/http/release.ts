import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange } from '../base/exchange.js';

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
  const headers: Record<string, string | number> = Object.assign(
    { ...ALWAYS },
    exchange.extraHeaders,
    answer.headers,
  );
  headers['X-Request-Id'] = exchange.id;
  headers['traceparent'] = exchange.traceparent;
  // A body that was refused unread would otherwise be read to its end only to be thrown away.
  if (!request.complete) headers['connection'] = 'close';
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = answer.body.length;
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}
