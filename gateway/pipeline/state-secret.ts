import { Problem } from '../base/problem.js';
import { parseGuarded } from '../catalogue/json-guard.js';
import { isJsonType, parseMediaType } from '../catalogue/media-types.js';
import type { SecrecyMarks } from '../catalogue/secrecy-marks.js';
import type { DataExchange } from './exchanges.js';

function stopped(exchange: DataExchange, where: 'request' | 'response', pointer: string): Problem {
  return new Problem('state_secret', {
    detail: {
      vi: 'Thông điệp mang dấu chỉ độ mật nên đã bị chặn; nội dung không được ghi lại.',
      en: 'The message carries a mark of secrecy and was stopped; its content was not kept.',
    },
    rule: {
      kind: 'service',
      id: exchange.service?.id ?? '',
      state: 'marked',
      message: where,
      clause: 'QĐ 491/QĐ-UBND, 3.6–3.7',
    },
    errors: [
      {
        pointer,
        keyword: 'stateSecret',
        message: {
          vi: 'trường này khai một độ mật của bí mật nhà nước',
          en: 'this field declares a degree of state secrecy',
        },
      },
    ],
  });
}

/** Stops a request that says itself to be a state secret, before anything of it reaches the source. */
export function stopSecretRequest(exchange: DataExchange): void {
  const { valid, service } = exchange;
  const marks = service?.marks ?? null;
  if (marks === null || valid === null) return;
  const { path, query, headers, json } = valid;
  const found = marks.inRequest({ path, query, header: headers, body: json });
  if (found !== null) throw stopped(exchange, 'request', found);
}

/** What of an answer can be looked at. An answer whose marks cannot be read is stopped like one that carries them. */
function bodyOf(exchange: DataExchange): { readonly known: boolean; readonly body: unknown } {
  const { source } = exchange;
  if (source === null || source.body.length === 0) return { known: true, body: undefined };
  const type = parseMediaType(source.headers['content-type'] ?? '');
  if (type === null || !isJsonType(type.essence)) return { known: false, body: undefined };
  const parsed = parseGuarded(source.body);
  return parsed.ok ? { known: true, body: parsed.value } : { known: false, body: undefined };
}

/** Stops an answer that says itself to be a state secret: nothing of it is released. */
export function stopSecretAnswer(exchange: DataExchange, marks: SecrecyMarks): void {
  const { known, body } = bodyOf(exchange);
  if (!known) throw stopped(exchange, 'response', '/body');
  const found = marks.inResponse({ header: exchange.source?.headers, body });
  if (found !== null) throw stopped(exchange, 'response', found);
}
