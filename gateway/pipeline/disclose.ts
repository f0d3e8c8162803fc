import { Problem } from '../base/problem.js';
import { isJsonType, parseMediaType } from '../catalogue/media-types.js';
import type { Disclosure } from '../catalogue/disclosure.js';
import type { DataExchange } from './exchanges.js';
import { passedHeaders } from './passed-headers.js';

/** Headers that say something of the whole answer, which is not what leaves. */
const OF_THE_WHOLE = new Set(['etag', 'content-disposition', 'last-modified']);

function unreadable(exchange: DataExchange): Problem {
  return new Problem('response_invalid', {
    detail: {
      vi: 'Phê duyệt chỉ cho phép một số trường, nhưng câu trả lời không phải JSON nên không thu hẹp được.',
      en: 'The grant lets only some fields pass, and an answer that is no JSON cannot be narrowed.',
    },
    rule: { kind: 'grant', id: exchange.grantId ?? '', state: 'narrowed' },
  });
}

/**
 * Replaces the answer by what the grant lets pass of it. Whatever its status: an error text may hold data as well.
 *
 * @throws Problem `response_invalid` when the answer cannot be narrowed: then nothing of it leaves
 */
export function disclose(exchange: DataExchange, disclosure: Disclosure): void {
  const { answer, source } = exchange;
  if (answer === null || source === null) throw new Problem('internal_error');
  const passed = Object.entries(passedHeaders(source.headers, new Set()));
  const headers = Object.fromEntries(passed.filter(([name]) => !OF_THE_WHOLE.has(name)));
  if (source.body.length === 0) {
    exchange.disclosed = [];
    exchange.answer = { ...answer, headers };
    return;
  }
  const type = parseMediaType(source.headers['content-type'] ?? '');
  if (type === null || !isJsonType(type.essence)) throw unreadable(exchange);
  const { body, disclosed } = disclosure.narrow(source.body);
  exchange.disclosed = disclosed;
  exchange.answer = { ...answer, headers, body };
}
