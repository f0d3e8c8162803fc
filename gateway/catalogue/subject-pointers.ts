import { isObject } from './json-tree.js';
import type { Manifest, SubjectKind } from './manifest.js';
import { EACH, type MarkedParts, stepsOf } from './secrecy-marks.js';

type Declared = NonNullable<Manifest['subjects']>;

interface Pointer {
  readonly steps: readonly string[];
  readonly kind: SubjectKind;
  /** Null where it holds for every operation. */
  readonly operations: ReadonlySet<string> | null;
}

/** Somebody's identifier, as a message carries it. */
export interface FoundSubject {
  readonly kind: SubjectKind;
  readonly identifier: string;
}

function pointersOf(declared: Declared['request']): Pointer[] {
  return declared.map(({ pointer, kind, operations }) => ({
    steps: stepsOf(pointer),
    kind,
    operations: operations === undefined ? null : new Set(operations),
  }));
}

/**
 * What stands one step further in. Sources write one as an object and many as a list: a step into a list looks into
 * each item, and `*` into an object looks at the object itself too.
 */
function* under(value: unknown, step: string): Iterable<readonly [child: unknown, done: boolean]> {
  if (Array.isArray(value)) {
    for (const [i, item] of (value as readonly unknown[]).entries()) {
      if (step === EACH || step === String(i)) yield [item, true];
      else if (!/^[0-9]+$/.test(step)) yield [item, false];
    }
  } else if (isObject(value)) {
    if (step === EACH) {
      yield [value, true];
      for (const child of Object.values(value)) yield [child, true];
    } else if (Object.hasOwn(value, step)) yield [value[step], true];
  } else if (step === EACH && value !== null && value !== undefined) yield [value, true];
}

function* identifiersIn(value: unknown): Iterable<string> {
  if (Array.isArray(value)) for (const item of value) yield* identifiersIn(item);
  else if (typeof value === 'string') yield value;
  else if (typeof value === 'number' || typeof value === 'bigint') yield String(value);
}

function* walk(value: unknown, steps: readonly string[], at: number): Iterable<string> {
  const step = steps[at];
  if (step === undefined) {
    yield* identifiersIn(value);
    return;
  }
  for (const [child, done] of under(value, step)) yield* walk(child, steps, done ? at + 1 : at);
}

/** Where the messages of a service name the persons and enterprises whose data they carry. */
export class SubjectPointers {
  readonly #request: readonly Pointer[];
  readonly #response: readonly Pointer[];

  constructor({ request, response }: Declared) {
    this.#request = pointersOf(request);
    this.#response = pointersOf(response);
  }

  inRequest(operation: string, parts: MarkedParts): Iterable<FoundSubject> {
    return this.#find(this.#request, operation, parts);
  }

  /** Whether answers of the operation have to be looked into. */
  looksInto(operation: string): boolean {
    return this.#response.some((pointer) => pointer.operations?.has(operation) !== false);
  }

  inResponse(operation: string, body: unknown): Iterable<FoundSubject> {
    return this.#find(this.#response, operation, { body });
  }

  *#find(pointers: readonly Pointer[], operation: string, parts: MarkedParts): Iterable<FoundSubject> {
    for (const { steps, kind, operations } of pointers) {
      if (operations?.has(operation) === false) continue;
      for (const identifier of walk(parts, steps, 0)) yield { kind, identifier };
    }
  }
}
