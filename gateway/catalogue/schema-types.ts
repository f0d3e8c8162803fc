import type { ApiDocument } from './document.js';
import { isObject, type JsonObject, listMember, localPointer, member } from './json-tree.js';

export type JsonType = 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'array' | 'object';
export type Types = ReadonlySet<JsonType>;

const ALL: readonly JsonType[] = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];
const MAX_HOPS = 16;

/** True for the set that excludes nothing: the schema does not say what it wants. */
export function isUntyped(types: Types): boolean {
  return types.size === ALL.length;
}

function typeOfValue(value: unknown): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value as 'boolean' | 'string' | 'object';
}

function declared(type: unknown): Set<JsonType> | null {
  const names = typeof type === 'string' ? [type] : Array.isArray(type) ? type : null;
  if (names === null) return null;
  const types = new Set(ALL.filter((known) => names.includes(known)));
  if (types.has('number')) types.add('integer');
  return types;
}

function intersect(a: Types, b: Types): Set<JsonType> {
  return new Set([...a].filter((type) => b.has(type)));
}

function target(schema: JsonObject, document: ApiDocument): unknown {
  const pointer = localPointer(schema['$ref']);
  return pointer === null ? undefined : document.at(pointer);
}

/** The types that a value of this schema can have, seen through `$ref`, `allOf`, `anyOf`, `oneOf`, `enum` and `const`. */
export function typesOf(schema: unknown, document: ApiDocument, hops = 0): Types {
  if (!isObject(schema) || hops > MAX_HOPS) return new Set(ALL);
  if (schema['$ref'] !== undefined && document.dialect === '3.0') {
    return typesOf(target(schema, document), document, hops + 1);
  }
  let types: Types = declared(schema['type']) ?? new Set(ALL);
  if (schema['nullable'] === true && document.dialect === '3.0') types = new Set([...types, 'null']);
  if (schema['$ref'] !== undefined)
    types = intersect(types, typesOf(target(schema, document), document, hops + 1));
  const values = Array.isArray(schema['enum'])
    ? schema['enum']
    : 'const' in schema
      ? [schema['const']]
      : null;
  if (values !== null) types = intersect(types, new Set(values.map(typeOfValue)));
  for (const part of listMember(schema, 'allOf')) types = intersect(types, typesOf(part, document, hops + 1));
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = listMember(schema, keyword);
    if (branches.length === 0) continue;
    types = intersect(types, new Set(branches.flatMap((branch) => [...typesOf(branch, document, hops + 1)])));
  }
  return types;
}

/** A keyword of a schema, looked for through `$ref` and `allOf`. */
export function seenKeyword(schema: unknown, keyword: string, document: ApiDocument, hops = 0): unknown {
  if (!isObject(schema) || hops > MAX_HOPS) return undefined;
  const own =
    schema['$ref'] !== undefined && document.dialect === '3.0' ? undefined : member(schema, keyword);
  if (own !== undefined) return own;
  const places = [target(schema, document), ...listMember(schema, 'allOf')];
  for (const place of places) {
    const found = seenKeyword(place, keyword, document, hops + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Names and schemas of the declared properties, seen through `$ref` and `allOf`. */
export function propertiesOf(schema: unknown, document: ApiDocument, hops = 0): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (!isObject(schema) || hops > MAX_HOPS) return found;
  const parts = [target(schema, document)];
  if (schema['$ref'] === undefined || document.dialect === '3.1') {
    parts.push(...listMember(schema, 'allOf'));
    for (const [name, property] of Object.entries(
      isObject(schema['properties']) ? schema['properties'] : {},
    )) {
      found.set(name, property);
    }
  }
  for (const part of parts) {
    for (const [name, property] of propertiesOf(part, document, hops + 1)) {
      if (!found.has(name)) found.set(name, property);
    }
  }
  return found;
}

const SCALARS: Types = new Set(['null', 'boolean', 'integer', 'number', 'string'] as const);

/** The scalar types a schema is confined to, as a `type` keyword; null when it also admits objects or arrays. */
export function scalarTypes(schema: unknown, document: ApiDocument): JsonType[] | null {
  const types = typesOf(schema, document);
  if (![...types].every((type) => SCALARS.has(type))) return null;
  return [...types].filter((type) => !(type === 'integer' && types.has('number')));
}
