import { Problem } from '../base/problem.js';
import type { Contract, Operation } from '../catalogue/contract.js';

export interface OperationMatch {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * Finds the operation of a contract, or says why there is none.
 *
 * @throws Problem `operation_not_found`, or `method_not_allowed` with `Allow`
 */
export function matchOperation(contract: Contract, method: string, path: string): OperationMatch {
  const found = contract.match(method, path);
  if (found === null) throw new Problem('operation_not_found');
  if ('allow' in found) {
    const allow = found.allow.join(', ');
    throw new Problem('method_not_allowed', {
      detail: { vi: `Đường dẫn này chỉ nhận: ${allow}.`, en: `This path takes only: ${allow}.` },
      headers: { Allow: allow },
    });
  }
  return found;
}
