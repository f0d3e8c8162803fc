import type { Stage } from '../../base/exchange.js';
import type { OpenExchange } from '../exchanges.js';
import type { Limits } from '../limits.js';

/** Public documents need no token, so the address is what counts. */
export function limitAddress({ limits }: { limits: Limits }): Stage<OpenExchange> {
  return {
    name: 'limit',
    needs: [],
    gives: ['counted'],
    run: ({ request }) => limits.stranger(request.address),
  };
}
