import type { ApiDocument } from './document.js';
import { isObject, type JsonObject, listMember, member } from './json-tree.js';
import { contentOf, type OperationSource } from './operation-source.js';
import { propertiesOf, seenKeyword } from './schema-types.js';
import { EACH, stepsOf } from './secrecy-marks.js';

/** A schema that says in words what it is, without referring anywhere. */
export type PlainSchema = JsonObject | true;

const KEPT = [
  'type',
  'nullable',
  'format',
  'title',
  'description',
  'enum',
  'const',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
] as const;
const MAX_DEPTH = 24;

/** Pointers by their first step; null where one ends here. */
function byFirstStep(paths: readonly (readonly string[])[]): Map<string, (readonly string[])[]> | null {
  const groups = new Map<string, (readonly string[])[]>();
  for (const [first, ...rest] of paths) {
    if (first === undefined) return null;
    groups.set(first, [...(groups.get(first) ?? []), rest]);
  }
  return groups;
}

function plain(document: ApiDocument, schema: unknown): JsonObject {
  const kept = KEPT.map((keyword) => [keyword, seenKeyword(schema, keyword, document)] as const);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}

/** The whole of a schema with its references followed, as deep as somebody would read. */
function whole(document: ApiDocument, schema: unknown, depth: number): PlainSchema {
  if (!isObject(schema) || depth > MAX_DEPTH) return true;
  const properties = propertiesOf(schema, document);
  const items = seenKeyword(schema, 'items', document);
  return {
    ...plain(document, schema),
    ...(properties.size === 0
      ? {}
      : {
          properties: Object.fromEntries(
            [...properties].map(([name, inner]) => [name, whole(document, inner, depth + 4)]),
          ),
        }),
    ...(items === undefined ? {} : { items: whole(document, items, depth + 4) }),
  };
}

function branchesOf(document: ApiDocument, schema: unknown): unknown[] {
  return ['oneOf', 'anyOf'].flatMap((keyword) =>
    listMember({ branches: seenKeyword(schema, keyword, document) }, 'branches'),
  );
}

function narrowed(
  document: ApiDocument,
  schema: unknown,
  paths: readonly (readonly string[])[],
  depth = 0,
): PlainSchema {
  const groups = byFirstStep(paths);
  if (groups === null) return whole(document, schema, depth);
  if (depth > MAX_DEPTH) return true;
  const branches = branchesOf(document, schema);
  if (branches.length > 0)
    return { oneOf: branches.map((branch) => narrowed(document, branch, paths, depth + 1)) };
  const items = seenKeyword(schema, 'items', document);
  const each = groups.get(EACH);
  if (items !== undefined && each !== undefined)
    return { type: 'array', items: narrowed(document, items, each, depth + 1) };
  const properties: [string, PlainSchema][] = [];
  for (const [name, inner] of propertiesOf(schema, document)) {
    const below = groups.get(name) ?? each;
    if (below !== undefined) properties.push([name, narrowed(document, inner, below, depth + 1)]);
  }
  const additional = seenKeyword(schema, 'additionalProperties', document);
  const open =
    each !== undefined && isObject(additional)
      ? narrowed(document, additional, each, depth + 1)
      : (false as const);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: open,
  };
}

/**
 * What is left of the answers of an operation when only these fields pass: a JSON Schema for each success status,
 * with its references followed, so that a person can read and approve it.
 */
export function narrowedSchemas(
  document: ApiDocument,
  source: OperationSource,
  pointers: readonly string[],
): Record<string, PlainSchema> {
  const paths = pointers.map(stepsOf);
  const schemas: [string, PlainSchema][] = [];
  for (const [status, response] of source.responses) {
    if (!status.startsWith('2')) continue;
    const [media] = [...contentOf(response).values()];
    const schema = media === undefined ? undefined : member(media.value, 'schema');
    if (schema !== undefined) schemas.push([status, narrowed(document, schema, paths)]);
  }
  return Object.fromEntries(schemas);
}
