import Negotiator from 'negotiator';
import { Problem } from '../base/problem.js';
import { bodyKind, type DeclaredBody } from './body-kind.js';
import type { ApiDocument, Place } from './document.js';
import { fault } from './faults.js';
import { isObject, objectMember, pointerOf } from './json-tree.js';
import { isJsonType } from './media-types.js';
import type { OperationSource } from './operation-source.js';
import type { ParameterPlan } from './parameters.js';
import { type DeclaredResponse, isBodiless, type ResponseCheck, responseFor } from './response-check.js';
import type { SchemaSamples } from './schema-samples.js';

/** What a caller asks of a made answer. What the document cannot meet is passed over (RFC 7240, section 2). */
export interface SampleWish {
  readonly status: number | null;
  /** Name of one of the `examples`. */
  readonly example: string | null;
  readonly accept: string | undefined;
}

export interface SampleAnswer {
  readonly status: number;
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly applied: { readonly status: boolean; readonly example: boolean };
}

/** A media type that a body can be made in. */
interface Offer {
  readonly essence: string;
  readonly body: DeclaredBody;
}

const NOTHING = Buffer.alloc(0);
const SENDABLE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Types that stand for a range: the first that suits is made. */
const OF_RANGE: Readonly<Record<string, readonly string[]>> = {
  '*/*': ['application/json', 'text/plain', 'text/csv', 'application/xml'],
  'application/*': ['application/json', 'application/xml'],
  'text/*': ['text/plain', 'text/csv', 'text/xml'],
};

/** The least that is plausible where the document gives no example. */
const PLAUSIBLE: readonly (readonly [RegExp, string])[] = [
  [/^text\/csv$/, 'ten,gia_tri\r\nmẫu,1\r\n'],
  [/^text\/html$/, '<!doctype html><title>mẫu</title>'],
  [/^(?:application|text)\/xml$|\+xml$/, '<?xml version="1.0" encoding="UTF-8"?>\n<mau/>\n'],
  [/^text\//, 'mẫu'],
  [/^application\/x-www-form-urlencoded$/, 'ten=mau'],
];

/** `example` under the empty name, then the `examples`. One that only links elsewhere is none: nothing is fetched. */
export function examplesOf(document: ApiDocument, holder: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>();
  if (isObject(holder) && Object.hasOwn(holder, 'example')) found.set('', holder['example']);
  for (const [name, value] of Object.entries(objectMember(holder, 'examples'))) {
    const example = document.resolve({ pointer: '', value })?.value;
    if (isObject(example) && Object.hasOwn(example, 'value')) found.set(name, example['value']);
  }
  return found;
}

/** Answers of one operation made from its examples and schemas, without any source. */
export class SampleAnswers {
  readonly #document: ApiDocument;
  readonly #source: OperationSource;
  readonly #check: ResponseCheck;
  readonly #samples: SchemaSamples;

  constructor(document: ApiDocument, source: OperationSource, check: ResponseCheck, samples: SchemaSamples) {
    this.#document = document;
    this.#source = source;
    this.#check = check;
    this.#samples = samples;
  }

  /**
   * The same wish always gives the same answer.
   *
   * @throws Problem `not_acceptable`, or `response_invalid` where the document's own schema gives nothing
   */
  make(wish: SampleWish): SampleAnswer {
    const wished = wish.status !== null && this.#check.declared(wish.status) !== undefined;
    const status = wished && wish.status !== null ? wish.status : this.#usualStatus();
    const declared = this.#check.declared(status);
    if (declared === undefined) throw new Problem('internal_error');
    const headers = this.#headers(status, declared);
    if (declared.bodies.size === 0 || isBodiless(this.#source.method, status))
      return { status, headers, body: NOTHING, applied: { status: wished, example: false } };
    const offer = this.#offer(declared, status, wish.accept);
    const made = this.#body(offer, wish.example);
    return {
      status,
      headers: { ...headers, 'content-type': contentType(offer.essence) },
      body: made.body,
      applied: { status: wished, example: made.named },
    };
  }

  /** The lowest documented success; `2XX` and `default` mean 200. */
  #usualStatus(): number {
    const keys = [...this.#source.responses.keys()];
    const successes = keys
      .map((key) => (key === '2XX' ? 200 : Number(key)))
      .filter((status) => status >= 200 && status < 300);
    return successes.length === 0 ? 200 : Math.min(...successes);
  }

  /** The media type that the caller likes best of those that something can be made in. */
  #offer(declared: DeclaredResponse, status: number, accept: string | undefined): Offer {
    const offers = [...declared.bodies.values()].flatMap((body) => this.#offersOf(body));
    const names = [...new Set(offers.map(({ essence }) => essence))];
    const liked = new Negotiator({ headers: { accept: accept ?? '*/*' } }).mediaTypes(names);
    // What went wrong is worth saying in any form.
    const [first] = liked.length === 0 && status >= 300 ? names : liked;
    const offer = offers.find(({ essence }) => essence === first);
    if (offer !== undefined) return offer;
    throw new Problem('not_acceptable', {
      detail: {
        vi: 'Tài liệu của dịch vụ không có ví dụ ở định dạng này, và không dựng được từ lược đồ.',
        en: 'The document of the service has no example in such a media type, and none can be made from its schema.',
      },
      rule: { kind: 'schema', id: this.#source.id, state: 'no_example', offered: names },
    });
  }

  #offersOf(body: DeclaredBody): Offer[] {
    return (OF_RANGE[body.range] ?? [body.range])
      .filter((essence) => !essence.includes('*') && bodyKind(body, essence) !== null)
      .filter(
        (essence) =>
          isJsonType(essence) || this.#examples(body, essence).size > 0 || plausible(essence) !== null,
      )
      .map((essence) => ({ essence, body }));
  }

  /** Outside JSON only a text can be sent as it stands. */
  #examples(body: DeclaredBody, essence: string): Map<string, unknown> {
    const examples = examplesOf(this.#document, this.#document.at(body.pointer));
    if (isJsonType(essence)) return examples;
    return new Map([...examples].filter(([, value]) => typeof value === 'string'));
  }

  #body({ essence, body }: Offer, wished: string | null): { body: Buffer; named: boolean } {
    const examples = this.#examples(body, essence);
    const named = wished !== null && wished !== '' && examples.has(wished);
    const [first] = examples.values();
    const example = named ? examples.get(wished) : first;
    if (examples.size > 0) {
      const text = isJsonType(essence) || typeof example !== 'string' ? JSON.stringify(example) : example;
      return { body: Buffer.from(text), named };
    }
    if (!isJsonType(essence)) return { body: Buffer.from(plausible(essence) ?? ''), named };
    const { text } = this.#samples.of(body.pointer, body.schema ?? true, (value) =>
      this.#check.admits(body, value),
    );
    if (text === null) throw unmade(this.#source.id, '/body');
    return { body: Buffer.from(text), named };
  }

  /** Those that every such answer has. */
  #headers(status: number, { headers }: DeclaredResponse): Record<string, string> {
    const made: Record<string, string> = {};
    const place = responseFor(this.#source.responses, status);
    for (const [name, value] of Object.entries(objectMember(place?.value, 'headers'))) {
      const plan = headers.find((one) => one.name === name.toLowerCase());
      if (plan?.required !== true || place === undefined) continue;
      const text = this.#header(plan, { pointer: place.pointer + pointerOf('headers', name), value });
      // A header that cannot be sent is missing, and the check of the answer says so.
      if (text !== null && SENDABLE.test(text)) made[plan.name] = text;
    }
    return made;
  }

  #header(plan: ParameterPlan, place: Place): string | null {
    const node = this.#document.resolve(place)?.value;
    const [example] = examplesOf(this.#document, node).values();
    if (example !== undefined) return headerText(plan, example);
    const fits = (value: unknown): boolean => SENDABLE.test(headerText(plan, value));
    const { text } = this.#samples.of(place.pointer, plan.schema, fits);
    return text === null ? null : headerText(plan, JSON.parse(text));
  }

  /**
   * Whether each body that the document shows or implies is what its own schema admits. `report` is told of those that
   * are not, with the pointer of the place in the document.
   */
  inspect(report: (pointer: string, vi: string, en: string) => void): void {
    for (const status of this.#source.responses.keys()) {
      const declared = this.#check.declared(numberOf(status));
      for (const body of declared?.bodies.values() ?? []) this.#inspectBody(body, report);
    }
  }

  #inspectBody(body: DeclaredBody, report: (pointer: string, vi: string, en: string) => void): void {
    if (!isJsonType(body.range) || body.schema === undefined) return;
    const examples = examplesOf(this.#document, this.#document.at(body.pointer));
    for (const [name, value] of examples) {
      if (this.#check.admits(body, value)) continue;
      const pointer = body.pointer + (name === '' ? '/example' : pointerOf('examples', name));
      report(pointer, 'ví dụ không khớp lược đồ của chính nó', 'the example does not fit its own schema');
    }
    if (examples.size > 0) return;
    const { fits } = this.#samples.of(body.pointer, body.schema, (value) => this.#check.admits(body, value));
    if (fits) return;
    const vi = 'không dựng được ví dụ từ lược đồ; nên ghi một example';
    report(body.pointer, vi, 'no example can be made from the schema; give one');
  }
}

/** A status that falls under a key of the document and under no more exact one. */
function numberOf(key: string): number {
  if (key === 'default') return 599;
  return key.endsWith('XX') ? Number(key[0]) * 100 + 99 : Number(key);
}

function plausible(essence: string): string | null {
  return PLAUSIBLE.find(([type]) => type.test(essence))?.[1] ?? null;
}

function contentType(essence: string): string {
  return /^text\/|xml$/.test(essence) ? `${essence}; charset=utf-8` : essence;
}

function headerText({ shape }: ParameterPlan, value: unknown): string {
  if (shape.kind === 'json' || isObject(value)) return JSON.stringify(value);
  return Array.isArray(value) ? value.map(String).join(',') : String(value);
}

function unmade(operation: string, pointer: string): Problem {
  return new Problem('response_invalid', {
    detail: {
      vi: 'Không dựng được câu trả lời mẫu từ lược đồ của dịch vụ, và tài liệu không có ví dụ.',
      en: 'No sample answer can be made from the schema of the service, and its document gives no example.',
    },
    rule: { kind: 'schema', id: operation, state: 'no_example' },
    errors: [
      fault(
        pointer,
        'example',
        'tài liệu cần có một example ở đây',
        'the document should give an example here',
      ),
    ],
  });
}
