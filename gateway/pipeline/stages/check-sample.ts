import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { DataExchange } from '../exchanges.js';
import { releasable } from './check-response.js';

/** Holds a made answer against the contract it was made from. One that does not fit is never passed off as an answer. */
export function checkSample(): Stage<DataExchange> {
  return {
    name: 'check-response',
    needs: ['source', 'operation', 'service'],
    gives: ['answer'],
    run(exchange) {
      const { source, operation, service } = exchange;
      if (source === null || operation === null || service === null) throw new Problem('internal_error');
      const contentType = source.headers['content-type'] ?? null;
      const faults = operation.validateResponse({ ...source, contentType });
      if (faults !== null) {
        throw new Problem('response_invalid', {
          detail: {
            vi: 'Ví dụ trong tài liệu của dịch vụ không khớp lược đồ của chính nó, nên không có câu trả lời mẫu.',
            en: "The example in the service's document does not match its own schema, so there is no sample answer.",
          },
          rule: { kind: 'schema', id: `${service.id} ${operation.id}`, state: 'sample' },
          errors: faults,
        });
      }
      exchange.answer = releasable(exchange, source, operation, service);
    },
  };
}
