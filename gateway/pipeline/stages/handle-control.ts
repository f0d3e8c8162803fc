import type { Recorder } from '../../audit/record.js';
import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { ControlCall } from '../../control/handler.js';
import type { AdminExchange } from '../exchanges.js';
import { unlessModified } from '../not-modified.js';
import { writeOpening } from '../opening.js';

const EMPTY = Buffer.alloc(0);

function bytesOf(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** What the contract takes as it is: a file, whose meaning is its handler's affair. */
function fileOf({ body, valid, request }: AdminExchange): Pick<ControlCall, 'file'> {
  if (body === null || valid?.json !== null) return {};
  return { file: { bytes: body, type: String(request.headers['content-type'] ?? '') } };
}

/** Does what the management call asks for; what changes something leaves its opening record first. */
export function handleControl({
  recorder,
  clock,
}: {
  recorder: Recorder;
  clock: Clock;
}): Stage<AdminExchange> {
  return {
    name: 'forward',
    needs: ['operation', 'handler', 'caller', 'valid'],
    gives: ['answer'],
    async run(exchange) {
      const { operation, handler, caller, valid } = exchange;
      if (operation === null || handler === null || caller === null || valid === null)
        throw new Problem('internal_error');
      if (operation.mutating) await writeOpening(exchange, recorder, clock);
      const result = await handler({
        operationId: operation.id,
        path: valid.path as Record<string, string>,
        query: valid.query,
        body: valid.json,
        caller,
        ...fileOf(exchange),
      });
      exchange.act = result.act ?? null;
      exchange.subjects = result.subjects ?? null;
      const headers = {
        ...(result.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
        ...result.headers,
      };
      const body = result.body === undefined ? EMPTY : bytesOf(result.body);
      exchange.answer = unlessModified(exchange.request, { status: result.status, headers, body });
      if (result.stream !== undefined) exchange.answer.stream = result.stream;
    },
  };
}
