import type { Config } from '../../base/config.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { Catalogue } from '../../catalogue/catalogue.js';
import type { DataExchange } from '../exchanges.js';
import { deprecationHeaders } from '../deprecation.js';
import { matchOperation } from '../match-operation.js';

interface ServicePath {
  /** `{provider}/{slug}/v{major}`. */
  readonly name: string;
  /** What is left for the service's own router, beginning with `/`. */
  readonly rest: string;
}

/** `{prefix}{provider}/{slug}/v{major}/…` in its parts, or null. Its cost is the path's length, never the number of services. */
function partsOf(path: string, prefix: string): ServicePath | null {
  if (!path.startsWith(prefix)) return null;
  const first = path.indexOf('/', prefix.length);
  const second = first < 0 ? -1 : path.indexOf('/', first + 1);
  if (second < 0) return null;
  const third = path.indexOf('/', second + 1);
  const end = third < 0 ? path.length : third;
  return {
    name: path.slice(prefix.length, end),
    rest: third < 0 ? '/' : path.slice(third),
  };
}

/** Which published service and which of its operations the path, below `prefix`, and the method mean. */
export function matchService(
  { catalogue, config }: { catalogue: Catalogue; config: Pick<Config, 'publicUrl'> },
  prefix: '/data/' | '/sandbox/',
): Stage<DataExchange> {
  return {
    name: 'match',
    needs: [],
    gives: ['service', 'operation'],
    run(exchange) {
      const { path, method } = exchange.request;
      const parts = partsOf(path, prefix);
      const service = parts === null ? undefined : catalogue.service(parts.name);
      if (parts === null || service === undefined) throw new Problem('service_not_found');
      exchange.service = service;
      exchange.route = service.route(null);
      if (service.row.deprecated_at != null)
        Object.assign(exchange.extraHeaders, deprecationHeaders(service, config.publicUrl));
      const { operation, params } = matchOperation(service.contract, method, parts.rest);
      exchange.operation = operation;
      exchange.params = params;
      exchange.route = service.route(operation);
    },
  };
}
