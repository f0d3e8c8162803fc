import type { Connector, ConnectorContext, SuccessRule } from '../../../connectors/connector.js';
import { createConnector } from '../../../connectors/registry.js';
import { context, facts } from '../context.js';

export interface Given {
  readonly settings?: Record<string, unknown>;
  readonly binding?: Record<string, unknown>;
  readonly method?: string;
  readonly pathTemplate?: string;
  readonly success?: SuccessRule;
  readonly context?: Partial<ConnectorContext>;
}

export function httpConnector(baseUrl: string, given: Given = {}): Connector {
  return createConnector(
    {
      kind: 'http',
      settings: { baseUrl, retries: 0, ...given.settings },
      operations: { op: given.binding ?? {} },
      facts: [facts({ method: given.method ?? 'GET', pathTemplate: given.pathTemplate ?? '/' })],
      success: given.success,
    },
    context(given.context),
  );
}
