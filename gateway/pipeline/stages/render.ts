import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { OpenExchange } from '../exchanges.js';

/** Makes the public document. */
export function render(): Stage<OpenExchange> {
  return {
    name: 'forward',
    needs: ['counted'],
    gives: ['answer'],
    async run(exchange) {
      if (exchange.render === null) throw new Problem('object_not_found');
      const { status, contentType, body, headers } = await exchange.render();
      exchange.answer = {
        status,
        headers: { 'content-type': contentType, ...headers },
        body: typeof body === 'string' ? Buffer.from(body) : body,
      };
    },
  };
}
