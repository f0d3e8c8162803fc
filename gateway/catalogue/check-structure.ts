import { Validator } from '@seriousme/openapi-schema-validator';
import type { ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { Places } from './check-places.js';
import type { ApiDocument } from './document.js';
import type { FaultList } from './faults.js';
import { FORMATS } from './formats.js';
import { isObject } from './json-tree.js';
import { LISTS, MAPS, SINGLE } from './schema-keywords.js';
import { describe } from './validation-messages.js';

/** Keywords that only pass on what failed inside them. */
const WRAPPERS = new Set([
  'oneOf',
  'anyOf',
  'allOf',
  'if',
  'not',
  'additionalProperties',
  'unevaluatedProperties',
]);
/** Of several errors at one place, the one that says most. */
const RANK: readonly string[] = ['required', 'enum', 'const', 'pattern', 'format', 'minimum', 'type'];

function rank(keyword: string): number {
  if (WRAPPERS.has(keyword)) return RANK.length + 1;
  const at = RANK.indexOf(keyword);
  return at < 0 ? RANK.length : at;
}

/** A schema of alternatives reports every alternative; kept is the best error of each place, deepest places first. */
function addBest(errors: readonly ErrorObject[], prefix: string, faults: FaultList): void {
  const described = errors
    .filter(({ keyword, params }) => !(keyword === 'required' && params['missingProperty'] === '$ref'))
    .map(describe)
    .sort((a, b) => rank(a.keyword) - rank(b.keyword) || b.pointer.length - a.pointer.length);
  for (const one of described) {
    const pointer = prefix + one.pointer;
    // A part that is missing is said once, by whoever knows the part that it is missing from.
    const said = one.keyword === 'required' && faults.at(pointer.slice(0, pointer.lastIndexOf('/')));
    if (!said && !faults.covers(pointer)) faults.push({ ...one, pointer });
  }
}

/** Compiles its schemas once a process. */
const structure = new Validator({ allErrors: true });

/** Holds the document against the OpenAPI Initiative's own schemas. Places that already have a fault are left alone. */
export async function checkStructure(document: ApiDocument, faults: FaultList): Promise<void> {
  const { errors } = await structure.validate(document.root);
  // A text means that it followed references itself; that has been done, with pointers.
  if (Array.isArray(errors)) addBest(errors, '', faults);
}

/**
 * OpenAPI 3.0 schemas differ from today's in two words that a meta-schema would trip over; everything else keeps its
 * place, so that pointers stay true.
 */
function asToday(schema: unknown): unknown {
  if (!isObject(schema)) return schema;
  if (schema['$ref'] !== undefined) return { $ref: schema['$ref'] };
  const out: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    const flag = keyword === 'exclusiveMinimum' || keyword === 'exclusiveMaximum';
    if (!(flag && typeof value === 'boolean')) out[keyword] = partsAsToday(keyword, value);
  }
  return out;
}

function partsAsToday(keyword: string, value: unknown): unknown {
  const among = (list: readonly string[]): boolean => list.includes(keyword);
  if (among(SINGLE)) return asToday(value);
  if (among(LISTS) && Array.isArray(value)) return value.map(asToday);
  if (!among(MAPS) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, asToday(one)]));
}

const META_SCHEMA = 'https://json-schema.org/draft/2020-12/schema';
const meta = new Ajv2020({
  strict: false,
  allErrors: true,
  logger: false,
  messages: false,
  formats: FORMATS,
});

/** Holds every schema against the meta-schema of JSON Schema 2020-12. */
export function checkMetaSchema(document: ApiDocument, places: Places, faults: FaultList): void {
  for (const { value, pointer, depth } of places.ofKind('schema')) {
    if (depth > 0 || !isObject(value)) continue;
    const schema = document.dialect === '3.0' ? asToday(value) : value;
    if (!meta.validate(META_SCHEMA, schema)) addBest(meta.errors ?? [], pointer, faults);
  }
}
