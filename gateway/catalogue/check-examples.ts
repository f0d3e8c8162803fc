import type { Fault } from '../base/problem.js';
import type { Contract } from './contract.js';
import { FaultList } from './faults.js';

/** Advice must not cost what the check itself is given: past this nothing more is looked at. */
const PATIENCE_MS = 5000;

/**
 * What would go wrong in the sandbox alone: examples that do not fit their own schema, and schemas that nothing can
 * be made for. Neither keeps a service from being published.
 */
export function examineExamples(contract: Contract): Fault[] {
  const warnings = new FaultList();
  const until = performance.now() + PATIENCE_MS;
  for (const operation of contract.operations.values()) {
    if (performance.now() > until) break;
    operation.inspectExamples((pointer, vi, en) => warnings.add(pointer, 'example', vi, en));
  }
  return warnings.all();
}
