import type { OperationFacts } from '../../connectors/connector.js';
import type { Fault } from '../base/problem.js';
import { examineExamples } from './check-examples.js';
import { type Marks, marksAstray, NO_MARKS } from './check-marks.js';
import { checkMethods, checkOperations } from './check-operations.js';
import { checkExtensions, checkReferences, Places } from './check-places.js';
import { checkSchemas } from './check-schemas.js';
import { checkMetaSchema, checkStructure } from './check-structure.js';
import { Contract, factsOf } from './contract.js';
import { type ApiDocument, parseDocument } from './document.js';
import { bounded, FaultList } from './faults.js';
import { isObject, type JsonObject, member, objectMember, pointerOf } from './json-tree.js';
import { BINDING, type OperationSource, readOperations } from './operation-source.js';
import { Validators } from './validators.js';

/** One operation of a document that was checked. */
export interface OperationSummary {
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  readonly template: string;
  /** Pointer to the operation in the document. */
  readonly pointer: string;
  readonly facts: OperationFacts;
  /** What the operation's `x-lgsp-binding` says; null when it has none. */
  readonly binding: JsonObject | null;
}

export interface DocumentReport {
  /** Pointers from the document's root, sorted, at most 200 and a note. */
  readonly faults: readonly Fault[];
  /** What is worth mending and keeps nothing from being published; only looked for where there is no fault. */
  readonly warnings: readonly Fault[];
  readonly operations: readonly OperationSummary[];
  /** `info.version`, where it is a text. */
  readonly version: string | null;
  /** Pointers into the manifest to marks of secrecy that lead nowhere in this document. */
  readonly astray: readonly string[];
}

function summary(source: OperationSource): OperationSummary {
  const binding = source.node[BINDING];
  return {
    id: source.id,
    method: source.method,
    template: source.template,
    pointer: source.pointer,
    facts: factsOf(source),
    binding: isObject(binding) ? binding : null,
  };
}

/**
 * Finds every fault of an OpenAPI document, then compiles all of it. Takes as long as the document needs and blocks:
 * `checkService` runs it in a worker.
 */
export async function checkDocument(text: string, marks: Marks = NO_MARKS): Promise<DocumentReport> {
  const { document, faults: unreadable } = parseDocument(text);
  if (document === null)
    return { faults: bounded(unreadable), warnings: [], operations: [], version: null, astray: [] };
  const faults = new FaultList();
  const places = new Places(document);
  const sources = readOperations(document);
  checkReferences(document, places, faults);
  checkExtensions(places, faults);
  checkSchemas(document, places, faults);
  checkMethods(places, faults);
  checkOperations(document, places, sources, faults);
  checkMetaSchema(document, places, faults);
  await checkStructure(document, faults);
  // What is already known to be wrong would not compile either, with a worse message.
  const contract = faults.size === 0 ? compileEverything(document, faults) : null;
  const warnings = contract === null || faults.size > 0 ? [] : examineExamples(contract);
  const version = member(document.root['info'], 'version');
  return {
    faults: bounded(faults.all()),
    warnings: bounded(warnings),
    operations: sources.map(summary),
    version: typeof version === 'string' ? version : null,
    astray: marksAstray(document, sources, marks),
  };
}

function compileEverything(document: ApiDocument, faults: FaultList): Contract {
  const report = (pointer: string, error: unknown): void => {
    const reason = (error instanceof Error ? error.message : String(error)).slice(0, 300);
    faults.add(pointer, 'compile', `không biên dịch được: ${reason}`, `does not compile: ${reason}`);
  };
  const attempt = (pointer: string, run: () => unknown): void => {
    try {
      run();
    } catch (error) {
      report(pointer, error);
    }
  };
  const contract = new Contract(document);
  attempt('/paths', () => contract.match('GET', '/'));
  contract.compileAll(report);
  // Components that no operation uses are published too.
  const validators = new Validators(document);
  for (const name of Object.keys(objectMember(document.root['components'], 'schemas'))) {
    const pointer = pointerOf('components', 'schemas', name);
    attempt(pointer, () => validators.response({ $ref: `#${encodeURI(pointer)}` }));
  }
  return contract;
}
