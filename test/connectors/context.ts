import { createEgress, type EgressOptions } from '../../connectors/allow-list.js';
import type { ConnectorContext, ConnectorRequest, OperationFacts } from '../../connectors/connector.js';
import { createLog } from '../../gateway/base/log.js';

export const silent = createLog('silent');

export const openEgress = (options: Partial<EgressOptions> = {}) =>
  createEgress({ addresses: ['127.0.0.0/8', 'localhost'], folders: [], ...options });

export function context(parts: Partial<ConnectorContext> = {}): ConnectorContext {
  return { egress: openEgress(), log: silent, credentials: {}, ...parts };
}

export function facts(parts: Partial<OperationFacts> = {}): OperationFacts {
  return { operationId: 'op', method: 'GET', pathTemplate: '/', parameters: [], hasBody: false, ...parts };
}

export function call(parts: Partial<ConnectorRequest> = {}): ConnectorRequest {
  return {
    operationId: 'op',
    method: 'GET',
    path: {},
    query: {},
    headers: {},
    contentType: null,
    body: null,
    json: undefined,
    caller: { agency: 'H35.10', system: 'he-thong', user: 'canbo01', case: 'HS-1' },
    requestId: '0192f7c4-3a1b-7c2d-9e4f-0a1b2c3d4e5f',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    deadline: Date.now() + 60_000,
    maxResponseBytes: 1_000_000,
    ...parts,
  };
}

export const forever = (): AbortSignal => new AbortController().signal;
