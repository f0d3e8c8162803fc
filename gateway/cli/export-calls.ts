import { parse } from 'yaml';

type Node = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

function resolved(document: Node, node: unknown): Node {
  if (!isNode(node)) return {};
  const { $ref: ref } = node;
  if (typeof ref !== 'string' || !ref.startsWith('#/')) return node;
  let at: unknown = document;
  for (const part of ref.slice(2).split('/'))
    at = isNode(at) ? at[part.replace(/~1/g, '/').replace(/~0/g, '~')] : null;
  return isNode(at) ? at : {};
}

/** A value that the contract itself gives for a parameter. */
function sampleOf(document: Node, parameter: Node): string | null {
  const schema = resolved(document, parameter['schema']);
  const list = Array.isArray(schema['enum']) ? (schema['enum'] as unknown[]) : [];
  const [value] = [parameter['example'], schema['example'], schema['default'], ...list].filter(
    (found) => found !== undefined,
  );
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null;
}

function callOf(document: Node, template: string, item: Node, operation: Node): string | null {
  const listed = [item['parameters'], operation['parameters']].flatMap((list) =>
    Array.isArray(list) ? (list as unknown[]) : [],
  );
  const parameters = listed.map((one) => resolved(document, one));
  let path = template;
  const query: string[] = [];
  for (const parameter of parameters) {
    const needed = parameter['in'] === 'path' || parameter['required'] === true;
    if (!needed) continue;
    const value = sampleOf(document, parameter);
    if (value === null || (parameter['in'] !== 'path' && parameter['in'] !== 'query')) return null;
    const [name, text] = [String(parameter['name']), encodeURIComponent(value)];
    if (parameter['in'] === 'path') path = path.replace(`{${name}}`, text);
    else query.push(`${encodeURIComponent(name)}=${text}`);
  }
  if (path.includes('{')) return null;
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/**
 * The calls by which a receiving system tries these operations in the sandbox, as far as the contract says how:
 * reading operations whose parameters have an example, a default or a list of values.
 *
 * @param text the OpenAPI document of the service
 */
export function tryCallsOf(text: string, operations: readonly string[]): string[] {
  const document = parse(text) as Node;
  const calls: string[] = [];
  for (const [template, item] of Object.entries(resolved(document, document['paths']))) {
    const path = resolved(document, item);
    const operation = resolved(document, path['get']);
    if (!operations.includes(String(operation['operationId']))) continue;
    const call = callOf(document, template, path, operation);
    if (call !== null) calls.push(call);
  }
  return calls;
}
