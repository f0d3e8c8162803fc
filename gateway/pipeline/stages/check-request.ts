import Negotiator from 'negotiator';
import type { Exchange, Stage } from '../../base/exchange.js';
import { type Fault, Problem } from '../../base/problem.js';
import type { Operation, ValidRequest } from '../../catalogue/contract.js';

interface Checkable extends Exchange {
  operation: Operation | null;
  params: Readonly<Record<string, string>>;
  valid: ValidRequest | null;
}

/** Headers of ours that name the official and the case: they go into the record, so they must be short and printable. */
const NAMING_HEADERS = ['lgsp-user', 'lgsp-case'] as const;
const NAMING_VALUE = /^[\x20-\x7e\u0080-\u00ff]{1,128}$/;

function namingFaults(exchange: Exchange): Fault[] {
  return NAMING_HEADERS.filter((name) => {
    const value = exchange.header(name);
    return value !== undefined && !NAMING_VALUE.test(value);
  }).map((name) => ({
    pointer: `/header/${name}`,
    keyword: 'pattern',
    message: {
      vi: 'chỉ gồm từ 1 đến 128 ký tự in được',
      en: 'must be 1 to 128 printable characters',
    },
  }));
}

/** Whether any answer of the operation could be what the caller accepts. */
function assertAcceptable(exchange: Exchange, operation: Operation): void {
  const accept = exchange.header('accept');
  if (accept === undefined || accept === '*/*' || operation.answerMediaTypes.length === 0) return;
  const negotiator = new Negotiator({ headers: { accept } });
  if (operation.answerMediaTypes.some((type) => type.includes('*'))) return;
  if (negotiator.mediaTypes([...operation.answerMediaTypes]).length > 0) return;
  const offered = operation.answerMediaTypes.join(', ');
  throw new Problem('not_acceptable', {
    detail: { vi: `Thao tác này chỉ trả về: ${offered}.`, en: `This operation answers only: ${offered}.` },
    rule: { kind: 'schema', id: operation.id, offered: [...operation.answerMediaTypes] },
  });
}

function hold(exchange: Checkable, operation: Operation, body: Buffer): void {
  exchange.body = body.length === 0 ? null : body;
  exchange.valid = operation.validateRequest({
    params: exchange.params,
    rawQuery: exchange.request.search,
    headers: exchange.request.headers,
    body: exchange.body,
    contentType: exchange.header('content-type') ?? null,
  });
}

/**
 * Reads the body within its bound and holds the request against the published contract; `assure` sees what fits.
 */
export function checkRequest<X extends Checkable>(
  bodyLimit: (exchange: X) => number,
  assure: (exchange: X) => void = () => undefined,
): Stage<X> {
  return {
    name: 'check-request',
    needs: ['operation', 'allowed', 'counted'],
    gives: ['valid'],
    run(exchange) {
      const { operation, request } = exchange;
      if (operation === null) throw new Problem('internal_error');
      assertAcceptable(exchange, operation);
      const errors = namingFaults(exchange);
      if (errors.length > 0) throw new Problem('request_invalid', { errors });
      const body = request.readBody(bodyLimit(exchange));
      if (body instanceof Promise)
        return body.then((bytes) => {
          hold(exchange, operation, bytes);
          assure(exchange);
        });
      hold(exchange, operation, body);
      assure(exchange);
      return undefined;
    },
  };
}
