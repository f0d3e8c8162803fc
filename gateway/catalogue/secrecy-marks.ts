import { fold } from '../base/fold.js';
import { isObject, pointerOf } from './json-tree.js';
import { isStateSecret, type Manifest } from './manifest.js';

/** The parts of a message in which a mark may stand, by the names that faults use for them. */
export interface MarkedParts {
  readonly path?: unknown;
  readonly query?: unknown;
  readonly header?: unknown;
  readonly body?: unknown;
}

type Declared = NonNullable<Manifest['secrecyMarks']>;

/** Every item of a list, or every member of an object. */
export const EACH = '*';

/** The steps of a pointer, unescaped. */
export function stepsOf(pointer: string): string[] {
  return pointer
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function* childrenOf(
  value: unknown,
  step: string,
): Iterable<readonly [name: string | number, child: unknown]> {
  if (Array.isArray(value)) {
    if (step === EACH) yield* value.entries();
    else if (/^(0|[1-9][0-9]{0,8})$/.test(step) && Number(step) < value.length)
      yield [step, (value as readonly unknown[])[Number(step)]];
  } else if (isObject(value)) {
    if (step === EACH) yield* Object.entries(value);
    else if (Object.hasOwn(value, step)) yield [step, value[step]];
  }
}

/** Header names are looked up in lower case. */
function markSteps(pointer: string): string[] {
  const [section = '', ...steps] = stepsOf(pointer);
  return [section, ...(section === 'header' ? steps.map((step) => step.toLowerCase()) : steps)];
}

/** The fields of a service's messages that say how secret their content is, and what they say when it is. */
export class SecrecyMarks {
  readonly #request: readonly (readonly string[])[];
  readonly #response: readonly (readonly string[])[];
  readonly #values: ReadonlySet<string>;

  constructor({ request, response, values }: Declared) {
    this.#request = request.map(markSteps);
    this.#response = response.map(markSteps);
    this.#values = new Set(values.map(fold));
  }

  /** Whether answers have to be looked at. */
  get inResponses(): boolean {
    return this.#response.length > 0;
  }

  /** Pointer to the first mark of a state secret in a request; null when it carries none. */
  inRequest(parts: MarkedParts): string | null {
    return this.#find(this.#request, parts);
  }

  inResponse(parts: MarkedParts): string | null {
    return this.#find(this.#response, parts);
  }

  #find(marks: readonly (readonly string[])[], parts: MarkedParts): string | null {
    for (const steps of marks) {
      const found = this.#walk(parts, steps, 0, '');
      if (found !== null) return found;
    }
    return null;
  }

  #walk(value: unknown, steps: readonly string[], at: number, pointer: string): string | null {
    const step = steps[at];
    if (step === undefined) return this.#isMark(value) ? pointer : null;
    for (const [name, child] of childrenOf(value, step)) {
      const found = this.#walk(child, steps, at + 1, pointer + pointerOf(name));
      if (found !== null) return found;
    }
    return null;
  }

  /** A list of marks carries each of them. */
  #isMark(value: unknown): boolean {
    if (Array.isArray(value)) return value.some((item) => this.#isMark(item));
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return false;
    const text = String(value);
    return isStateSecret(text) || this.#values.has(fold(text));
  }
}
