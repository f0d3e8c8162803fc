import { type Document, OpenAPIBackend } from 'openapi-backend';
import { Problem } from '../base/problem.js';
import type { Contract, Operation } from '../catalogue/contract.js';
import type { ControlHandler, ControlHandlers } from '../control/handler.js';
import { restFolder } from './rest-parameter.js';
import { matchOperation } from './match-operation.js';

export interface ControlMatch {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
  readonly handler: ControlHandler;
  readonly roles: readonly string[];
  /** Whether its body is a file rather than a message. */
  readonly takesFile: boolean;
}

export interface ManagementApi {
  /** @throws Problem when no operation has this path and method */
  match(method: string, path: string): ControlMatch;
}

interface RoleDocument {
  readonly paths?: Readonly<
    Record<string, Readonly<Record<string, { operationId?: string; 'x-roles'?: string[] }>>>
  >;
}

function rolesByOperation(document: RoleDocument): Map<string, readonly string[]> {
  const roles = new Map<string, readonly string[]>();
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item)) {
      if (operation.operationId !== undefined) roles.set(operation.operationId, operation['x-roles'] ?? []);
    }
  }
  return roles;
}

/**
 * `openapi.yaml` with its handlers. openapi-backend routes; it is given no chance to fail open: every operation
 * must have a handler and at least one role, or the gateway does not start.
 */
export async function createManagementApi(
  document: Document,
  contract: Contract,
  handlers: ControlHandlers,
): Promise<ManagementApi> {
  const roles = rolesByOperation(document as RoleDocument);
  const backend = new OpenAPIBackend({ definition: document, quick: true, strict: true, validate: false });
  await backend.init();
  // Its router lists all operations anew, twice for each call: most of what a call of the management API cost.
  const operations = backend.router.getOperations();
  backend.router.getOperations = () => operations;
  const faults = [...roles]
    .filter(([id, held]) => handlers[id] === undefined || held.length === 0)
    .map(([id]) => id);
  if (faults.length > 0) throw new Error(`openapi.yaml: no handler or no role for ${faults.join(', ')}`);
  const folded = restFolder(document as Parameters<typeof restFolder>[0]);
  return {
    match(method, sent) {
      const path = folded(sent);
      const matched = backend.matchOperation({ method, path, headers: {} });
      const id = matched?.operationId;
      const handler = id === undefined ? undefined : handlers[id];
      if (id === undefined || handler === undefined) {
        matchOperation(contract, method, path);
        throw new Problem('operation_not_found');
      }
      const found = matchOperation(contract, method, path);
      if (found.operation.id !== id) throw new Problem('operation_not_found');
      const { requestMediaTypes } = found.operation;
      const takesFile = requestMediaTypes.length > 0 && !requestMediaTypes.includes('application/json');
      return { ...found, handler, roles: roles.get(id) ?? [], takesFile };
    },
  };
}
