import type { ApiDocument } from './document.js';
import { isObject, localPointer, member } from './json-tree.js';
import { LinearPattern } from './patterns.js';
import { sampleOfPattern } from './sample-pattern.js';
import { sampleNumber, sampleText } from './sample-scalar.js';
import { type Shape, ShapeReader, Unmakeable } from './sample-shape.js';
import { isUntyped, type JsonType, seenKeyword, typesOf } from './schema-types.js';

/** How rich a sample is. */
export interface SampleStyle {
  /** Whether examples and defaults of the schemas are taken, rather than made. */
  readonly examples: boolean;
  /** Whether members and items are made that need not be there. */
  readonly optional: boolean;
}

/** A message nests no deeper (`json-guard.ts`), with room for what stands around it. */
const MAX_DEPTH = 60;
const MAX_NODES = 5000;
const MAX_BYTES = 262_144;
/** Past these only what must be there is made. */
const ENOUGH_DEPTH = 10;
const ENOUGH_NODES = 1000;
/** Of more alternatives than these the rest is not tried. */
const MAX_TRIED = 16;

/** Where in the sample a value stands. */
interface Spot {
  readonly depth: number;
  /** References that lead here: a schema that contains itself is met again. */
  readonly refs: ReadonlySet<string>;
  /** Which of several values that must differ this one is. */
  readonly turn: number;
}

const SCALAR_ORDER: readonly JsonType[] = [
  'string',
  'number',
  'integer',
  'boolean',
  'object',
  'array',
  'null',
];

/** Makes one value of a schema. The same schema always gives the same value. */
export class SchemaSample {
  readonly #document: ApiDocument;
  readonly #reader: ShapeReader;
  readonly #accepts: (schema: unknown, value: unknown) => boolean;
  readonly #style: SampleStyle;
  #nodes = 0;
  #bytes = 0;

  /** @param accepts whether a value holds under a schema; asked where alternatives are tried */
  constructor(
    document: ApiDocument,
    style: SampleStyle,
    accepts: (schema: unknown, value: unknown) => boolean,
  ) {
    this.#document = document;
    this.#reader = new ShapeReader(document);
    this.#style = style;
    this.#accepts = accepts;
  }

  /** @throws Unmakeable when nothing is found within the bounds */
  make(schema: unknown): unknown {
    return this.#value(this.#reader.read(schema), { depth: 0, refs: new Set(), turn: 0 });
  }

  get #spent(): boolean {
    return this.#nodes > MAX_NODES || this.#bytes > MAX_BYTES;
  }

  #count(bytes: number): void {
    this.#nodes += 1;
    this.#bytes += bytes;
    if (this.#spent) throw new Unmakeable('the sample becomes too large');
  }

  #counted<T>(value: T): T {
    this.#count(JSON.stringify(value).length);
    return value;
  }

  /** Whether a schema that contains itself has come round, or there is enough: time to end. */
  #isEnough(shape: Shape, spot: Spot): boolean {
    return spot.depth > ENOUGH_DEPTH || this.#nodes > ENOUGH_NODES || comesRound(shape, spot);
  }

  #value(shape: Shape, spot: Spot): unknown {
    this.#count(4);
    if (shape.never || spot.depth > MAX_DEPTH) throw new Unmakeable('nothing fits');
    const types = typesOf(shape.origin, this.#document);
    const { values } = shape;
    if (this.#isEnough(shape, spot) && types.has('null') && (values?.includes(null) ?? true)) return null;
    if (this.#style.examples && shape.examples.length > spot.turn)
      return this.#counted(shape.examples[spot.turn]);
    if (values !== null) return this.#counted(oneOf(values, spot.turn));
    if (shape.choices.length > 0) return this.#chosen(shape, spot);
    return this.#ofType(typeFor(shape, types), shape, spot);
  }

  #ofType(type: JsonType, shape: Shape, spot: Spot): unknown {
    const inside = { ...spot, depth: spot.depth + 1, refs: new Set([...spot.refs, ...shape.refs]) };
    if (type === 'object') return this.#object(shape, inside, this.#isEnough(shape, spot));
    if (type === 'array') return this.#list(shape, inside, this.#isEnough(shape, spot));
    if (type === 'string') return this.#text(shape, spot.turn);
    if (type === 'boolean') return spot.turn % 2 === 0;
    return type === 'null' ? null : this.#counted(sampleNumber(shape, type === 'integer', spot.turn));
  }

  /** Where no text can be made for a pattern, the schema's own example is the last resort. */
  #text(shape: Shape, turn: number): unknown {
    const made = this.#attempt(() => sampleText(shape, turn)) ?? shape.examples[turn];
    if (made === undefined) throw new Unmakeable('no text was found');
    return this.#counted(made);
  }

  /** The first alternative that holds; where none does, the first that could be made. */
  #chosen(shape: Shape, spot: Spot): unknown {
    const branches = [...(shape.choices[0] ?? [])];
    const enough = this.#isEnough(shape, spot);
    const rank = (branch: unknown): number => this.#rank(branch, spot, enough);
    const inside = { ...spot, depth: spot.depth + 1 };
    const sorted = branches.sort((a, b) => rank(a) - rank(b)).slice(0, MAX_TRIED);
    let first: { readonly value: unknown } | null = null;
    for (const branch of sorted) {
      const value = this.#attempt(() => this.#value(this.#reader.chosen(shape, branch), inside));
      if (value === undefined) continue;
      if (branches.length === 1 || this.#accepts(shape.origin, value)) return value;
      first ??= { value };
    }
    if (first === null) throw new Unmakeable('no alternative can be made');
    return first.value;
  }

  /**
   * What ends sooner comes first, once it is time to end; until then null shows nothing of the others. What comes round
   * comes last always.
   */
  #rank(branch: unknown, { refs }: Spot, enough: boolean): number {
    const pointer = localPointer(member(branch, '$ref'));
    if (pointer !== null && refs.has(pointer)) return 4;
    const types = typesOf(branch, this.#document);
    if (!enough) return types.size === 1 && types.has('null') ? 3 : 0;
    if (types.has('null')) return 0;
    return types.has('object') ? 3 : types.has('array') ? 2 : 1;
  }

  /** Undefined where it cannot be made; what is used up is used up for all. */
  #attempt(make: () => unknown): unknown {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof Unmakeable) || this.#spent) throw error;
      return undefined;
    }
  }

  #object(shape: Shape, inside: Spot, enough: boolean): Record<string, unknown> {
    const made: Record<string, unknown> = {};
    const max = shape.bound('maxProperties') ?? Infinity;
    const put = (name: string, value: unknown): void => {
      // A name that reaches for the prototype would be no member at all.
      if (name === '__proto__') throw new Unmakeable('a name that no object may have');
      this.#count(name.length);
      if (value !== undefined) made[name] = value;
    };
    const hidden = (schema: unknown): boolean => seenKeyword(schema, 'writeOnly', this.#document) === true;
    const optional = Math.max(0, max - shape.required.size);
    let taken = 0;
    for (const [name, schema] of shape.properties) {
      if (hidden(schema)) continue;
      const property = this.#reader.read(schema);
      if (shape.required.has(name)) put(name, this.#value(property, inside));
      else if (this.#style.optional && !enough && taken < optional && !comesRound(property, inside)) {
        const value = this.#attempt(() => this.#value(property, inside));
        if (value !== undefined) taken += 1;
        put(name, value);
      }
    }
    for (const name of shape.required) {
      if (Object.hasOwn(made, name) || hidden(shape.properties.get(name))) continue;
      put(name, this.#value(this.#reader.read(extraSchema(shape, name)), inside));
    }
    this.#extras(shape, inside, made, put, this.#style.optional && !enough && max > 0);
    return made;
  }

  /** Members without a declared name: as many as must be there, and one to show what they are like. */
  #extras(
    shape: Shape,
    inside: Spot,
    made: Record<string, unknown>,
    put: (name: string, value: unknown) => void,
    show: boolean,
  ): void {
    const open = isObject(shape.extra) || shape.named.length > 0;
    const empty = shape.properties.size === 0 && Object.keys(made).length === 0;
    const wanted = Math.max(shape.bound('minProperties') ?? 0, show && open && empty ? 1 : 0);
    for (let turn = 0; Object.keys(made).length < wanted; turn += 1) {
      this.#count(0);
      const name = this.#attempt(() => this.#extraName(shape, turn));
      if (typeof name !== 'string' || Object.hasOwn(made, name)) continue;
      put(name, this.#value(this.#reader.read(extraSchema(shape, name)), { ...inside, turn }));
    }
  }

  #extraName(shape: Shape, turn: number): string {
    const [first] = shape.named;
    if (shape.names !== undefined) return sampleText(this.#reader.read(shape.names), turn);
    if (first === undefined || isObject(shape.extra)) return `mau${turn + 1}`;
    const pattern = new LinearPattern(first[0]);
    const wish = { fits: (text: string) => pattern.test(text), minLength: 0, turn };
    return sampleOfPattern(first[0], wish) ?? `mau${turn + 1}`;
  }

  #list(shape: Shape, inside: Spot, enough: boolean): unknown[] {
    const made: unknown[] = [];
    const min = shape.bound('minItems') ?? 0;
    const contained = shape.contains === undefined ? 0 : (shape.bound('minContains') ?? 1);
    const needed = Math.max(min, contained + shape.prefix.length * Number(contained > 0));
    const shown = this.#style.optional && !enough ? Math.max(1, shape.prefix.length) : 0;
    const wanted = Math.min(Math.max(needed, shown), shape.bound('maxItems') ?? Infinity);
    const seen = new Set<string>();
    for (let i = 0; i < wanted; i += 1) {
      const item = this.#reader.read(itemSchema(shape, i, contained));
      if (i >= needed && comesRound(item, inside)) break;
      const value = this.#item(item, inside, shape.unique, seen, i < needed);
      if (value === undefined) break;
      made.push(value);
    }
    return made;
  }

  /** One item, unlike those before it where they must differ; undefined where the list may end here. */
  #item(shape: Shape, inside: Spot, unique: boolean, seen: Set<string>, needed: boolean): unknown {
    const first = unique ? seen.size : inside.turn;
    for (let turn = first; turn < first + 8; turn += 1) {
      const make = (): unknown => this.#value(shape, { ...inside, turn });
      const value = needed ? make() : this.#attempt(make);
      const text = unique && value !== undefined ? JSON.stringify(value) : '';
      if (value === undefined || !unique) return value;
      if (!seen.has(text)) {
        seen.add(text);
        return value;
      }
    }
    if (needed) throw new Unmakeable('the items would be alike');
    return undefined;
  }
}

function comesRound(shape: Shape, { refs }: Spot): boolean {
  for (const pointer of shape.refs) if (refs.has(pointer)) return true;
  return false;
}

function oneOf(values: readonly unknown[], turn: number): unknown {
  const telling = values.filter((value) => value !== null);
  if (values.length === 0) throw new Unmakeable('no value is allowed');
  return telling.length === 0 ? null : telling[turn % telling.length];
}

/** The type to make: what the keywords speak of, then what says most. */
function typeFor(shape: Shape, types: ReadonlySet<JsonType>): JsonType {
  const has = (...keywords: string[]): boolean => keywords.some((keyword) => shape.bounds.has(keyword));
  const spoken: readonly (readonly [JsonType, boolean])[] = [
    ['object', shape.properties.size + shape.required.size + shape.named.length > 0],
    ['object', shape.extra !== undefined || has('minProperties', 'maxProperties')],
    ['array', shape.items !== true || shape.prefix.length > 0 || shape.contains !== undefined],
    ['array', shape.unique || has('minItems', 'maxItems')],
    ['string', shape.patterns.length > 0 || has('minLength', 'maxLength')],
    ['number', shape.steps.length > 0 || has('minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum')],
  ];
  const said = spoken.find(([type, is]) => is && types.has(type))?.[0];
  if (said !== undefined && (isUntyped(types) || said === 'object' || said === 'array')) return said;
  const found = SCALAR_ORDER.find((type) => types.has(type));
  if (found === undefined) throw new Unmakeable('no type is left');
  return found;
}

function extraSchema(shape: Shape, name: string): unknown {
  const named = shape.named.filter(([pattern]) => new LinearPattern(pattern).test(name));
  if (named.length > 0) return { allOf: named.map(([, schema]) => schema) };
  return shape.extra ?? true;
}

function itemSchema(shape: Shape, i: number, contained: number): unknown {
  if (i < shape.prefix.length) return shape.prefix[i];
  const containing = i - shape.prefix.length < contained;
  return containing ? { allOf: [shape.items, shape.contains] } : shape.items;
}
