import type { ApiDocument, Place } from './document.js';
import { isObject, type JsonObject, listMember, member, objectMember, pointerOf } from './json-tree.js';

export const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/** Extension of an operation that holds its binding, where the manifest has none. */
export const BINDING = 'x-lgsp-binding';

export type ParameterIn = 'path' | 'query' | 'header' | 'cookie';

export interface ParameterSource {
  /** Where it is written: in the operation, the path, or the components. */
  readonly pointer: string;
  readonly node: JsonObject;
  /** Header names in lower case. */
  readonly name: string;
  readonly in: ParameterIn;
}

/** One operation as the document writes it, with its references followed. Nothing of it has been checked. */
export interface OperationSource {
  readonly id: string;
  readonly method: string;
  readonly template: string;
  readonly pointer: string;
  readonly node: JsonObject;
  readonly parameters: readonly ParameterSource[];
  readonly requestBody: Place | null;
  /** Status key of the document (`200`, `2XX`, `default`) → response. */
  readonly responses: ReadonlyMap<string, Place>;
}

/** Headers that OpenAPI says to ignore as parameters: other parts of the document describe them. */
const NOT_PARAMETERS = new Set(['accept', 'content-type', 'authorization']);
const LOCATIONS: readonly string[] = ['path', 'query', 'header', 'cookie'];

/**
 * The id of an operation that gives none: its method and path, so that it stays the same from one revision to the next.
 *
 * @example generatedId('get', '/ho-so/{ma}') // 'get_ho-so_by_ma'
 */
export function generatedId(method: string, template: string): string {
  const words = template
    .replaceAll('{', '/by/')
    .split(/[^\p{L}\p{N}-]+/u)
    .filter((word) => word !== '');
  return [method, ...words].join('_');
}

function parameterSource(document: ApiDocument, place: Place): ParameterSource | null {
  const resolved = document.resolve(place);
  const name = member(resolved?.value, 'name');
  const where = member(resolved?.value, 'in');
  if (resolved === null || !isObject(resolved.value)) return null;
  if (typeof name !== 'string' || typeof where !== 'string' || !LOCATIONS.includes(where)) return null;
  const key = where === 'header' ? name.toLowerCase() : name;
  if (where === 'header' && NOT_PARAMETERS.has(key)) return null;
  return { pointer: resolved.pointer, node: resolved.value, name: key, in: where as ParameterIn };
}

/** The parameters of the path, replaced or joined by those of the operation. */
function parametersOf(document: ApiDocument, item: Place, operation: Place): ParameterSource[] {
  const found = new Map<string, ParameterSource>();
  for (const holder of [item, operation]) {
    listMember(holder.value, 'parameters').forEach((value, i) => {
      const one = parameterSource(document, { pointer: `${holder.pointer}/parameters/${i}`, value });
      if (one !== null) found.set(`${one.in} ${one.name}`, one);
    });
  }
  return [...found.values()];
}

function responsesOf(document: ApiDocument, operation: Place): Map<string, Place> {
  const found = new Map<string, Place>();
  for (const [status, value] of Object.entries(objectMember(operation.value, 'responses'))) {
    if (status.startsWith('x-')) continue;
    const place = document.resolve({ pointer: operation.pointer + pointerOf('responses', status), value });
    if (place !== null)
      found.set(status.toUpperCase() === 'DEFAULT' ? 'default' : status.toUpperCase(), place);
  }
  return found;
}

function operationSource(
  document: ApiDocument,
  template: string,
  method: string,
  item: Place,
): OperationSource | null {
  const node = member(item.value, method);
  if (!isObject(node)) return null;
  const place = { pointer: `${item.pointer}/${method}`, value: node };
  const body = member(node, 'requestBody');
  const declared = node['operationId'];
  return {
    id: typeof declared === 'string' && declared !== '' ? declared : generatedId(method, template),
    method: method.toUpperCase(),
    template,
    pointer: place.pointer,
    node,
    parameters: parametersOf(document, item, place),
    requestBody:
      body === undefined ? null : document.resolve({ pointer: `${place.pointer}/requestBody`, value: body }),
    responses: responsesOf(document, place),
  };
}

/** Every operation of the document, in its order. Broken parts are left out: the check names them. */
export function readOperations(document: ApiDocument): OperationSource[] {
  const found: OperationSource[] = [];
  for (const [template, value] of Object.entries(objectMember(document.root, 'paths'))) {
    if (template.startsWith('x-')) continue;
    const item = document.resolve({ pointer: pointerOf('paths', template), value });
    if (item === null) continue;
    for (const method of METHODS) {
      const operation = operationSource(document, template, method, item);
      if (operation !== null) found.push(operation);
    }
  }
  return found;
}

/** The media types of a request body, response or parameter: lower-cased range → media type object. */
export function contentOf(holder: Place): Map<string, Place> {
  const found = new Map<string, Place>();
  for (const [range, value] of Object.entries(objectMember(holder.value, 'content'))) {
    const essence = (range.split(';')[0] ?? '').trim().toLowerCase();
    if (!found.has(essence))
      found.set(essence, { pointer: holder.pointer + pointerOf('content', range), value });
  }
  return found;
}

/** The parameters named in a path template, in order. */
export function templateNames(template: string): string[] {
  return [...template.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '');
}
