import type { ApiDocument } from './document.js';
import { SILENT_FORMATS } from './formats.js';
import { isObject, type JsonObject, listMember, localPointer, objectMember } from './json-tree.js';
import { ASSERTIONS, isKnownKeyword, LISTS, MAPS, SINGLE } from './schema-keywords.js';
import { scalarTypes } from './schema-types.js';

/** Which way a message goes: read-only members must not be sent, write-only members must not come back. */
export type Direction = 'request' | 'response';

type Names = ReadonlySet<string>;
type MutableSchema = Record<string, unknown>;

const NONE: Names = new Set();

/** Counts every referenced schema that is applied, so that one message cannot cost exponential work. */
export const STEP_KEYWORD = 'lgspStep';

/**
 * Translates the schemas of a document into JSON Schema 2020-12 for one direction. A `$ref` is not expanded (it may
 * be circular): its target is translated once and kept in `definitions` under an absolute URI.
 */
export class SchemaTranslator {
  /** Translated targets of references, in the order they were met. */
  readonly definitions: { readonly uri: string; readonly schema: MutableSchema }[] = [];
  readonly #document: ApiDocument;
  readonly #direction: Direction;
  readonly #uris = new Map<string, string>();
  readonly #waiting: { readonly uri: string; readonly value: unknown; readonly hidden: Names }[] = [];

  constructor(document: ApiDocument, direction: Direction) {
    this.#document = document;
    this.#direction = direction;
  }

  /**
   * One schema of the document, and with it every schema that it refers to.
   *
   * @throws Error when something in it would not be enforced; the check at publication says so by pointer
   */
  translate(schema: unknown): MutableSchema {
    const translated = asObject(this.#schema(schema, NONE));
    this.#defineWaiting();
    return translated;
  }

  /**
   * Breadth first: a chain of thousands of references must not exhaust the stack. A target that cannot be translated
   * stays undefined, so that only what refers to it fails to compile.
   */
  #defineWaiting(): void {
    let failure: unknown;
    for (let next = this.#waiting.pop(); next !== undefined; next = this.#waiting.pop()) {
      const { uri, value, hidden } = next;
      try {
        const schema = asObject(this.#schema(value, hidden));
        this.definitions.push({ uri, schema: { ...schema, [STEP_KEYWORD]: true } });
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure as Error;
  }

  #schema(schema: unknown, inherited: Names): MutableSchema | boolean {
    if (typeof schema === 'boolean') return schema;
    if (!isObject(schema)) throw new Error('a schema must be an object or a boolean');
    if (schema['$ref'] !== undefined && this.#document.dialect === '3.0')
      return this.#reference(schema, inherited);
    const hidden = union(inherited, this.#hiddenNames(schema, new Set()));
    const out = schema['$ref'] === undefined ? {} : this.#reference(schema, hidden);
    for (const [keyword, value] of Object.entries(schema)) this.#keyword(out, keyword, value, hidden);
    this.#tidy(out, schema);
    return this.#document.dialect === '3.0' ? fromDialect30(out, schema) : out;
  }

  #reference(schema: JsonObject, hidden: Names): MutableSchema {
    const pointer = localPointer(schema['$ref']);
    const value = pointer === null ? undefined : this.#document.at(pointer);
    if (pointer === null || value === undefined) throw new Error('a reference leads nowhere');
    const key = `${pointer} ${[...hidden].sort().join(' ')}`;
    let uri = this.#uris.get(key);
    if (uri === undefined) {
      uri = `https://contract.invalid/${this.#direction}/${this.#uris.size}`;
      this.#uris.set(key, uri);
      this.#waiting.push({ uri, value, hidden });
    }
    return { $ref: uri };
  }

  #keyword(out: MutableSchema, keyword: string, value: unknown, hidden: Names): void {
    if (keyword === '$ref' || keyword === '$defs') return;
    if (keyword === 'required' && Array.isArray(value)) {
      out[keyword] = value.filter((name) => typeof name !== 'string' || !hidden.has(name));
    } else if (ASSERTIONS.has(keyword)) {
      out[keyword] = structuredClone(value);
    } else if (includes(SINGLE, keyword)) {
      out[keyword] = this.#schema(value, IN_PLACE.has(keyword) ? hidden : NONE);
    } else if (includes(LISTS, keyword)) {
      if (!Array.isArray(value)) throw new Error(`${keyword} must be a list`);
      out[keyword] = value.map((one) => this.#schema(one, IN_PLACE.has(keyword) ? hidden : NONE));
    } else if (includes(MAPS, keyword)) {
      out[keyword] = this.#map(keyword, value, hidden);
    } else if (!isKnownKeyword(keyword, this.#document.dialect)) {
      throw new Error(`unknown keyword ${keyword}`);
    }
  }

  #map(keyword: string, value: unknown, hidden: Names): MutableSchema {
    if (!isObject(value)) throw new Error(`${keyword} must be an object`);
    const out: MutableSchema = {};
    for (const [name, one] of Object.entries(value)) {
      const unsendable = keyword === 'properties' && this.#isHidden(one, new Set());
      out[name] = unsendable ? false : this.#schema(one, IN_PLACE.has(keyword) ? hidden : NONE);
    }
    return out;
  }

  /** Drops what has no effect, which a strict compiler would refuse, and says what it needs for speed. */
  #tidy(out: MutableSchema, schema: JsonObject): void {
    if (typeof out['format'] === 'string' && SILENT_FORMATS.has(out['format'])) drop(out, 'format');
    if (out['if'] === undefined || (out['then'] === undefined && out['else'] === undefined)) {
      drop(out, 'if', 'then', 'else');
    }
    if (out['contains'] === undefined) drop(out, 'minContains', 'maxContains');
    const items = out['items'];
    // Ajv compares items one with another, in quadratic time, unless their schema itself says that they are scalar.
    if (out['uniqueItems'] === true && isObject(items) && items['type'] === undefined) {
      const types = scalarTypes(schema['items'], this.#document);
      if (types !== null && types.length > 0) out['items'] = { ...items, type: types };
    }
  }

  /** Members that must not travel in this direction, by what a schema and all that surely applies with it say. */
  #hiddenNames(schema: unknown, seen: Set<unknown>): Names {
    if (!isObject(schema) || seen.has(schema)) return NONE;
    seen.add(schema);
    let names: Names = this.#hiddenNames(this.#target(schema), seen);
    if (schema['$ref'] !== undefined && this.#document.dialect === '3.0') return names;
    for (const part of listMember(schema, 'allOf')) names = union(names, this.#hiddenNames(part, seen));
    const own = Object.entries(objectMember(schema, 'properties')).filter(([, one]) =>
      this.#isHidden(one, new Set()),
    );
    return union(names, new Set(own.map(([name]) => name)));
  }

  #isHidden(schema: unknown, seen: Set<unknown>): boolean {
    if (!isObject(schema) || seen.has(schema)) return false;
    seen.add(schema);
    if (this.#isHidden(this.#target(schema), seen)) return true;
    if (schema['$ref'] !== undefined && this.#document.dialect === '3.0') return false;
    if (schema[this.#direction === 'request' ? 'readOnly' : 'writeOnly'] === true) return true;
    return listMember(schema, 'allOf').some((part) => this.#isHidden(part, seen));
  }

  #target(schema: JsonObject): unknown {
    const pointer = localPointer(schema['$ref']);
    return pointer === null ? undefined : this.#document.at(pointer);
  }
}

const IN_PLACE: Names = new Set(['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentSchemas']);

function asObject(schema: MutableSchema | boolean): MutableSchema {
  if (typeof schema === 'object') return schema;
  return schema ? {} : { not: {} };
}

function drop(out: MutableSchema, ...keywords: readonly string[]): void {
  for (const keyword of keywords) Reflect.deleteProperty(out, keyword);
}

function includes(list: readonly string[], word: string): boolean {
  return list.includes(word);
}

function union(a: Names, b: Names): Names {
  if (b.size === 0) return a;
  return a.size === 0 ? b : new Set([...a, ...b]);
}

function exclusiveBound(out: MutableSchema, exclusive: string, inclusive: string): void {
  if (typeof out[exclusive] !== 'boolean') return;
  if (out[exclusive] && out[inclusive] !== undefined) {
    out[exclusive] = out[inclusive];
    drop(out, inclusive);
  } else drop(out, exclusive);
}

/**
 * OpenAPI 3.0 words in today's: boolean exclusive bounds, and `nullable`. Beside a `type` it widens that type, as the
 * specification says; beside a composition, where the specification gives it no effect, its evident meaning is kept.
 */
function fromDialect30(out: MutableSchema, schema: JsonObject): MutableSchema {
  exclusiveBound(out, 'exclusiveMinimum', 'minimum');
  exclusiveBound(out, 'exclusiveMaximum', 'maximum');
  if (schema['nullable'] !== true) return out;
  if (typeof out['type'] === 'string') {
    out['type'] = [out['type'], 'null'];
    const composed = ['allOf', 'anyOf', 'oneOf', 'not'].some((keyword) => out[keyword] !== undefined);
    return composed ? { anyOf: [{ type: 'null' }, out] } : out;
  }
  return { anyOf: [{ type: 'null' }, out] };
}
