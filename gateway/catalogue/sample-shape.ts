import type { ApiDocument } from './document.js';
import { isObject, type JsonObject, listMember, localPointer, objectMember } from './json-tree.js';

/** Nothing can be made for a schema within the bounds of a sample, or nothing fits it at all. */
export class Unmakeable extends Error {
  override readonly name = 'Unmakeable';
}

const MAX_HOPS = 32;

/** Bounds, by which of two wins where both apply. */
const LOWER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const UPPER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];

/** What a value must be, gathered from a schema and all that surely applies with it. */
export class Shape {
  /** The schema that was read, for what sees through compositions itself. */
  origin: unknown;
  /** Pointers of the references that were followed. */
  readonly refs = new Set<string>();
  readonly bounds = new Map<string, number>();
  readonly patterns: string[] = [];
  readonly formats: string[] = [];
  readonly steps: number[] = [];
  readonly properties = new Map<string, unknown>();
  readonly required = new Set<string>();
  /** `patternProperties`. */
  readonly named: (readonly [pattern: string, schema: unknown])[] = [];
  readonly prefix: unknown[] = [];
  /** Lists of alternatives, of each of which one must be chosen. */
  readonly choices: (readonly unknown[])[] = [];
  /** Examples and defaults that the schema itself gives, the outermost first. */
  readonly examples: unknown[] = [];
  values: readonly unknown[] | null = null;
  items: unknown = true;
  contains: unknown = undefined;
  extra: unknown = undefined;
  names: unknown = undefined;
  unique = false;
  /** `false` somewhere: no value is right. */
  never = false;

  constructor(origin: unknown) {
    this.origin = origin;
  }

  bound(keyword: string): number | undefined {
    return this.bounds.get(keyword);
  }
}

const both = (a: unknown, b: unknown): unknown => (a === true || a === undefined ? b : { allOf: [a, b] });

/** Reads schemas of one document into shapes. */
export class ShapeReader {
  readonly #document: ApiDocument;

  constructor(document: ApiDocument) {
    this.#document = document;
  }

  read(schema: unknown): Shape {
    const shape = new Shape(schema);
    this.#into(shape, schema, 0);
    return shape;
  }

  /** The same value under one more schema, and without the choice that it was chosen from. */
  chosen(shape: Shape, branch: unknown): Shape {
    const [, ...others] = shape.choices;
    const narrowed = this.read(shape.origin);
    narrowed.origin = { allOf: [shape.origin, branch] };
    narrowed.choices.splice(0, narrowed.choices.length, ...others);
    this.#into(narrowed, branch, 0);
    return narrowed;
  }

  #into(shape: Shape, schema: unknown, hops: number): void {
    if (schema === false) shape.never = true;
    if (!isObject(schema)) return;
    if (hops > MAX_HOPS) throw new Unmakeable('references lead too far');
    const pointer = localPointer(schema['$ref']);
    if (pointer !== null) {
      shape.refs.add(pointer);
      this.#into(shape, this.#document.at(pointer), hops + 1);
      if (this.#document.dialect === '3.0') return;
    }
    for (const part of listMember(schema, 'allOf')) this.#into(shape, part, hops + 1);
    this.#numbers(shape, schema);
    this.#members(shape, schema);
    this.#lists(shape, schema);
    this.#values(shape, schema);
    for (const keyword of ['anyOf', 'oneOf']) {
      const list = listMember(schema, keyword);
      if (list.length > 0) shape.choices.push(list);
    }
  }

  #numbers(shape: Shape, schema: JsonObject): void {
    const put = (keyword: string, value: unknown, better: (a: number, b: number) => number): void => {
      if (typeof value !== 'number') return;
      const known = shape.bounds.get(keyword);
      shape.bounds.set(keyword, known === undefined ? value : better(known, value));
    };
    for (const keyword of LOWER) put(keyword, schema[keyword], Math.max);
    for (const keyword of UPPER) put(keyword, schema[keyword], Math.min);
    // OpenAPI 3.0 says with a boolean whether the bound itself is excluded.
    if (schema['exclusiveMinimum'] === true) put('exclusiveMinimum', schema['minimum'], Math.max);
    if (schema['exclusiveMaximum'] === true) put('exclusiveMaximum', schema['maximum'], Math.min);
    if (typeof schema['multipleOf'] === 'number') shape.steps.push(schema['multipleOf']);
    if (typeof schema['pattern'] === 'string') shape.patterns.push(schema['pattern']);
    if (typeof schema['format'] === 'string') shape.formats.push(schema['format']);
  }

  #members(shape: Shape, schema: JsonObject): void {
    for (const [name, property] of Object.entries(objectMember(schema, 'properties')))
      shape.properties.set(name, both(shape.properties.get(name), property));
    for (const name of listMember(schema, 'required')) if (typeof name === 'string') shape.required.add(name);
    shape.named.push(...Object.entries(objectMember(schema, 'patternProperties')));
    if (schema['additionalProperties'] !== undefined)
      shape.extra = shape.extra === false ? false : both(shape.extra, schema['additionalProperties']);
    if (schema['propertyNames'] !== undefined) shape.names = both(shape.names, schema['propertyNames']);
  }

  #lists(shape: Shape, schema: JsonObject): void {
    if (schema['items'] !== undefined) shape.items = both(shape.items, schema['items']);
    if (schema['contains'] !== undefined) shape.contains = both(shape.contains, schema['contains']);
    listMember(schema, 'prefixItems').forEach((item, i) => {
      shape.prefix[i] = both(shape.prefix[i], item);
    });
    shape.unique ||= schema['uniqueItems'] === true;
  }

  #values(shape: Shape, schema: JsonObject): void {
    const values = Object.hasOwn(schema, 'const') ? [schema['const']] : schema['enum'];
    if (Array.isArray(values)) {
      const known = shape.values?.map((value) => JSON.stringify(value));
      shape.values = values.filter((value) => known?.includes(JSON.stringify(value)) ?? true) as unknown[];
    }
    const given = [
      ...(Object.hasOwn(schema, 'example') ? [schema['example']] : []),
      ...listMember(schema, 'examples'),
      ...(Object.hasOwn(schema, 'default') ? [schema['default']] : []),
    ];
    shape.examples.unshift(...given);
  }
}
