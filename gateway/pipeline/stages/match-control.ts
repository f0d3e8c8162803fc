import type { Stage } from '../../base/exchange.js';
import type { ManagementApi } from '../management-api.js';
import type { AdminExchange } from '../exchanges.js';

const PREFIX_LENGTH = '/api'.length;

/** Which operation of `openapi.yaml` is meant, and which handler does it. */
export function matchControl({ api }: { api: ManagementApi }): Stage<AdminExchange> {
  return {
    name: 'match',
    needs: [],
    gives: ['operation', 'handler'],
    run(exchange) {
      const { path, method } = exchange.request;
      const found = api.match(method, path.slice(PREFIX_LENGTH) || '/');
      exchange.operation = found.operation;
      exchange.params = found.params;
      exchange.handler = found.handler;
      exchange.roles = found.roles;
      exchange.takesFile = found.takesFile;
      const facts = { provider: null, service: null, version: null, sharing: null };
      exchange.route = {
        ...facts,
        operation: found.operation.id,
        template: `/api${found.operation.template}`,
      };
    },
  };
}
