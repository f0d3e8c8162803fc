import { isObject, member, pointerOf } from '../json-tree.js';
import { EACH } from '../secrecy-marks.js';
import type { Changes } from './findings.js';
import { compareLimits } from './limits.js';
import type { Direction, Documents, Pair } from './pair.js';

const ALL_TYPES = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] as const;

/** Keywords that this comparison does not understand: any change of them may break somebody. */
const OPAQUE = [
  'not',
  'if',
  'then',
  'else',
  'patternProperties',
  'propertyNames',
  'contains',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'unevaluatedProperties',
  'unevaluatedItems',
  'discriminator',
  '$dynamicRef',
];

function typesOf(schema: unknown): ReadonlySet<string> {
  if (schema === false) return new Set();
  const type = member(schema, 'type');
  const named = Array.isArray(type) ? type.map(String) : typeof type === 'string' ? [type] : [...ALL_TYPES];
  const nullable = typeof type === 'string' && member(schema, 'nullable') === true ? ['null'] : [];
  const all = new Set([...named, ...nullable]);
  // Every integer is a number.
  if (all.has('number')) all.add('integer');
  return all;
}

const subset = (part: ReadonlySet<string>, whole: ReadonlySet<string>): boolean =>
  [...part].every((one) => whole.has(one));

function compareTypes({ before, after, direction, pointer, field }: Pair, changes: Changes): void {
  const [was, is] = [typesOf(before), typesOf(after)];
  if (subset(was, is) && subset(is, was)) return;
  const fits = direction === 'request' ? subset(was, is) : subset(is, was);
  changes.add(`${pointer}/type`, 'type', !fits, field);
}

const propertiesOf = (schema: unknown): Readonly<Record<string, unknown>> => {
  const properties = member(schema, 'properties');
  return isObject(properties) ? properties : {};
};

const requiredOf = (schema: unknown): ReadonlySet<string> => {
  const required = member(schema, 'required');
  return new Set(Array.isArray(required) ? required.map(String) : []);
};

const isClosed = (schema: unknown): boolean => member(schema, 'additionalProperties') === false;

/** Two schemas that are larger than this, written out, are not understood any more. */
const MOST_WALKS = 20_000;

/** Walks two schemas side by side, everywhere they are used: the same schema may stand behind several fields. */
export class SchemaComparison {
  readonly #documents: Documents;
  readonly #changes: Changes;
  /** Pairs that are being walked now: met again below themselves, they are a circle. */
  readonly #open = new Set<string>();
  #walks = 0;

  constructor(documents: Documents, changes: Changes) {
    this.#documents = documents;
    this.#changes = changes;
  }

  /** Schemas in a position: what stands there in each document, maybe by reference. */
  compare(
    before: { readonly pointer: string; readonly value: unknown },
    after: { readonly pointer: string; readonly value: unknown },
    direction: Direction,
  ): void {
    this.#walks = 0;
    this.#walk(before, after, direction, direction === 'response' ? '' : null);
  }

  #walk(
    before: { readonly pointer: string; readonly value: unknown },
    after: { readonly pointer: string; readonly value: unknown },
    direction: Direction,
    field: string | null,
  ): void {
    const was = this.#documents.before.resolve(before);
    const is = this.#documents.after.resolve(after);
    const pair: Pair = {
      ...{ before: was?.value, after: is?.value, direction, field },
      pointer: is?.pointer ?? after.pointer,
    };
    this.#walks += 1;
    if (was === null || is === null || this.#walks === MOST_WALKS) {
      this.#changes.add(pair.pointer, 'composition', true, field);
      return;
    }
    const key = `${was.pointer} ${is.pointer}`;
    if (this.#open.has(key) || this.#walks > MOST_WALKS) return;
    this.#open.add(key);
    compareTypes(pair, this.#changes);
    compareLimits(pair, this.#changes);
    this.#properties(pair, was.pointer);
    this.#items(pair, was.pointer);
    this.#alternatives(pair, was.pointer);
    this.#opaque(pair);
    this.#open.delete(key);
  }

  #properties(pair: Pair, from: string): void {
    const { before, after, direction, pointer, field } = pair;
    const [was, is] = [propertiesOf(before), propertiesOf(after)];
    const below = (name: string): string | null => (field === null ? null : field + pointerOf(name));
    for (const name of Object.keys(was))
      if (Object.hasOwn(is, name))
        this.#walk(
          { pointer: `${from}/properties${pointerOf(name)}`, value: was[name] },
          { pointer: `${pointer}/properties${pointerOf(name)}`, value: is[name] },
          direction,
          below(name),
        );
      else
        this.#changes.add(
          `${from}/properties${pointerOf(name)}`,
          'property-removed',
          // Who sends it is refused where only listed properties are taken; who reads it misses it in any case.
          direction === 'response' || isClosed(after),
          below(name),
        );
    for (const name of Object.keys(is))
      if (!Object.hasOwn(was, name))
        this.#changes.add(`${pointer}/properties${pointerOf(name)}`, 'property-added', false, below(name));
    this.#required(pair, below);
    this.#additional(pair, from);
  }

  #required({ before, after, direction, pointer }: Pair, below: (name: string) => string | null): void {
    const [was, is] = [requiredOf(before), requiredOf(after)];
    for (const name of is)
      if (!was.has(name))
        this.#changes.add(`${pointer}/required`, 'required', direction === 'request', below(name));
    const kept = propertiesOf(after);
    for (const name of was)
      if (!is.has(name) && Object.hasOwn(kept, name))
        this.#changes.add(`${pointer}/required`, 'optional', direction === 'response', below(name));
  }

  #additional(pair: Pair, from: string): void {
    const { before, after, direction, pointer, field } = pair;
    const [was, is] = [
      member(before, 'additionalProperties') ?? true,
      member(after, 'additionalProperties') ?? true,
    ];
    const [before3, after3] = [isObject(was), isObject(is)];
    if (before3 && after3)
      this.#walk(
        { pointer: `${from}/additionalProperties`, value: was },
        { pointer: `${pointer}/additionalProperties`, value: is },
        direction,
        field === null ? null : `${field}/${EACH}`,
      );
    else if (was !== is) {
      const narrower = is === false || (after3 && was === true);
      this.#changes.add(
        `${pointer}/additionalProperties`,
        'additional-properties',
        // Further properties in an answer hurt nobody who reads what was promised.
        direction === 'request' && narrower,
        field,
      );
    }
  }

  #items({ before, after, direction, pointer, field }: Pair, from: string): void {
    const [was, is] = [member(before, 'items'), member(after, 'items')];
    const each = field === null ? null : `${field}/${EACH}`;
    if (was !== undefined || is !== undefined)
      this.#walk(
        { pointer: `${from}/items`, value: was ?? true },
        { pointer: `${pointer}/items`, value: is ?? true },
        direction,
        each,
      );
    this.#lists('prefixItems', { before, after, direction, pointer, field: each }, from, 'strict');
  }

  #alternatives(pair: Pair, from: string): void {
    this.#lists('allOf', pair, from, 'strict');
    for (const name of ['oneOf', 'anyOf']) this.#lists(name, pair, from, 'choice');
  }

  /** Lists of schemas, by place: a longer list of alternatives is wider, any other change of length is not understood. */
  #lists(name: string, pair: Pair, from: string, kind: 'strict' | 'choice'): void {
    const { before, after, direction, pointer, field } = pair;
    const list = (schema: unknown): readonly unknown[] => {
      const found = member(schema, name);
      return Array.isArray(found) ? found : [];
    };
    const [was, is] = [list(before), list(after)];
    const shared = Math.min(was.length, is.length);
    for (let i = 0; i < shared; i += 1)
      this.#walk(
        { pointer: `${from}/${name}/${i}`, value: was[i] },
        { pointer: `${pointer}/${name}/${i}`, value: is[i] },
        direction,
        field,
      );
    if (was.length === is.length) return;
    const wider = kind === 'choice' && shared > 0 && is.length > was.length;
    const narrower = kind === 'choice' && shared > 0 && is.length < was.length;
    const harmless = direction === 'request' ? wider : narrower;
    this.#changes.add(`${pointer}/${name}`, 'composition', !harmless, field);
  }

  #opaque({ before, after, pointer, field }: Pair): void {
    for (const name of OPAQUE)
      if (JSON.stringify(member(before, name)) !== JSON.stringify(member(after, name)))
        this.#changes.add(`${pointer}/${name}`, 'composition', true, field);
  }
}
