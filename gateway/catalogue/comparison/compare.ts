import { type ApiDocument, parseDocument, type Place } from '../document.js';
import { isObject, member, pointerOf } from '../json-tree.js';
import { Changes, type ContractChange } from './findings.js';
import { type FoundOperation, OperationComparison } from './operations.js';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** By method and path, without the names of path parameters: those are the document's own affair. */
function operationsOf(document: ApiDocument): Map<string, FoundOperation> {
  const found = new Map<string, FoundOperation>();
  const paths = member(document.root, 'paths');
  if (!isObject(paths)) return found;
  for (const [template, value] of Object.entries(paths)) {
    const pathPlace: Place = document.resolve({ pointer: `/paths${pointerOf(template)}`, value }) ?? {
      pointer: `/paths${pointerOf(template)}`,
      value,
    };
    for (const method of METHODS) {
      const operation = member(pathPlace.value, method);
      if (!isObject(operation)) continue;
      const place = { pointer: `${pathPlace.pointer}/${method}`, value: operation };
      const id = member(operation, 'operationId');
      const key = `${method} ${template.replace(/\{[^}]*\}/g, '{}')}`;
      const pathNames = [...template.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name);
      found.set(key, { id: typeof id === 'string' ? id : key, place, pathPlace, pathNames });
    }
  }
  return found;
}

/**
 * Compares two versions of a contract, from the point of view of those who call: what is asked must still be taken,
 * what is answered must still be what was promised. What this comparison does not understand counts as breaking.
 *
 * Descriptions, examples and titles are nobody's contract and are not compared.
 *
 * @example compareDocuments(old, next).filter(({ breaking }) => breaking)
 */
export function compareDocuments(before: ApiDocument, after: ApiDocument): readonly ContractChange[] {
  const changes = new Changes();
  const comparison = new OperationComparison({ before, after }, changes);
  const [was, is] = [operationsOf(before), operationsOf(after)];
  for (const [key, old] of was) {
    changes.operation = old.id;
    const now = is.get(key);
    if (now === undefined) changes.add(old.place.pointer, 'operation-removed', true, '');
    else comparison.compare(old, now);
  }
  changes.operation = null;
  for (const [key, now] of is)
    if (!was.has(key)) changes.add(now.place.pointer, 'operation-added', false, null);
  return unique(changes.found);
}

/** The same of their texts; one that cannot be read any more counts as breaking. */
export function compareDocumentTexts(before: string, after: string): readonly ContractChange[] {
  const [was, is] = [parseDocument(before).document, parseDocument(after).document];
  if (was !== null && is !== null) return compareDocuments(was, is);
  const changes = new Changes();
  changes.add('', 'unreadable', true, '');
  return changes.found;
}

/** The same schema may be met in several places of one operation: said once. */
function unique(found: readonly ContractChange[]): readonly ContractChange[] {
  const said = new Map(
    found.map((change) => [
      [change.pointer, change.rule, change.operation, change.field, change.breaking].join(' '),
      change,
    ]),
  );
  return [...said.values()];
}
