import type { Stage } from '../../base/exchange.js';
import type { Logger } from '../../base/log.js';
import { Problem } from '../../base/problem.js';
import type { AdminExchange } from '../exchanges.js';

/** Our own answers are held against our own contract: an answer that `openapi.yaml` does not promise is our fault. */
export function checkControlResponse({ log }: { log: Logger }): Stage<AdminExchange> {
  return {
    name: 'check-response',
    needs: ['answer', 'operation'],
    gives: ['answer'],
    run({ answer, operation }) {
      if (answer === null || operation === null) throw new Problem('internal_error');
      const contentType = answer.headers['content-type'] ?? null;
      const faults = operation.validateResponse({ ...answer, contentType });
      if (faults === null) return;
      log.error({ operation: operation.id, faults }, 'the management API broke its own contract');
      throw new Problem('internal_error');
    },
  };
}
