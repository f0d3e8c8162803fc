import type { Dialect } from './document.js';

/** Keywords whose value is one schema, a list of schemas, or schemas by name. */
export const SINGLE = [
  'not',
  'if',
  'then',
  'else',
  'items',
  'additionalProperties',
  'unevaluatedItems',
  'unevaluatedProperties',
  'contains',
  'propertyNames',
] as const;
export const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems'] as const;
export const MAPS = ['properties', 'patternProperties', 'dependentSchemas', '$defs'] as const;

/** Keywords that speak of the same value as the schema they stand in. */
export const IN_PLACE_SINGLE = ['not', 'if', 'then', 'else'] as const;
export const IN_PLACE_LISTS = ['allOf', 'anyOf', 'oneOf'] as const;

export const ASSERTIONS: ReadonlySet<string> = new Set([
  'type',
  'enum',
  'const',
  'multipleOf',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'maxContains',
  'minContains',
  'maxProperties',
  'minProperties',
  'required',
  'dependentRequired',
  'format',
]);

const ANNOTATIONS = [
  'title',
  'description',
  'default',
  'deprecated',
  'readOnly',
  'writeOnly',
  'example',
  'discriminator',
  'externalDocs',
  'xml',
];

const ONLY_3_1 = ['examples', '$comment', 'contentMediaType', 'contentEncoding', 'contentSchema', '$defs'];
const NOT_3_0 = new Set([
  'const',
  'maxContains',
  'minContains',
  'dependentRequired',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
  'contains',
  'propertyNames',
  'prefixItems',
  'patternProperties',
  'dependentSchemas',
  '$defs',
]);

const EVERY = [...ASSERTIONS, ...SINGLE, ...LISTS, ...MAPS, ...ANNOTATIONS, '$ref'];

/** Everything a schema may say. A word outside this list would be passed over in silence, so it is a fault. */
export const KNOWN: Readonly<Record<Dialect, ReadonlySet<string>>> = {
  '3.0': new Set([...EVERY.filter((keyword) => !NOT_3_0.has(keyword)), 'nullable']),
  '3.1': new Set([...EVERY, ...ONLY_3_1]),
};

export function isKnownKeyword(keyword: string, dialect: Dialect): boolean {
  return KNOWN[dialect].has(keyword) || keyword.startsWith('x-');
}
