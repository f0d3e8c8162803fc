import { type Fault, Problem } from '../base/problem.js';
import { type BodyKind, bodyKind, type DeclaredBody, declaredBody } from './body-kind.js';
import type { ApiDocument } from './document.js';
import { TooMuchWork } from './engine.js';
import { fault } from './faults.js';
import { FormReader } from './form-body.js';
import { parseGuarded } from './json-guard.js';
import { member } from './json-tree.js';
import { bestRange, isUtf8Charset, parseMediaType } from './media-types.js';
import { contentOf, type OperationSource } from './operation-source.js';
import { type ParameterPlan, planParameter } from './parameters.js';
import {
  type HeaderMap,
  malformed,
  QueryReader,
  readCookies,
  readHeaders,
  readPath,
  type Values,
} from './request-reader.js';
import { describeAll, MAX_MESSAGE_FAULTS } from './validation-messages.js';
import type { Handle, Validators } from './validators.js';

export interface RequestInput {
  /** Path parameters as the router found them: decoded, still texts. */
  readonly params: Readonly<Record<string, string>>;
  /** The query as sent, without `?`. */
  readonly rawQuery: string;
  /** Lower-cased names. */
  readonly headers: HeaderMap;
  /** Null when the request has no body. */
  readonly body: Buffer | null;
  readonly contentType: string | null;
}

/** What passed: typed by the contract. Only declared headers are here. */
export interface ValidRequest {
  readonly path: Readonly<Values>;
  readonly query: Readonly<Values>;
  readonly headers: Readonly<Values>;
  /** The body parsed, where it is JSON or a form; null otherwise. */
  readonly json: unknown;
}

interface Body {
  readonly declared: DeclaredBody | null;
  readonly kind: BodyKind | 'none';
  readonly value: unknown;
  readonly fault: Fault | null;
}

const NO_BODY: Body = { declared: null, kind: 'none', value: undefined, fault: null };

export function requestBodies(document: ApiDocument, source: OperationSource): Map<string, DeclaredBody> {
  const bodies = new Map<string, DeclaredBody>();
  if (source.requestBody === null) return bodies;
  for (const [range, place] of contentOf(source.requestBody))
    bodies.set(range, declaredBody(document, range, place));
  return bodies;
}

/** Plans of the parameters; a document that was never checked and cannot be planned lets nothing pass. */
function plansOf(document: ApiDocument, source: OperationSource): ParameterPlan[] {
  return source.parameters.map((parameter) => {
    const { plan, fault: reason } = planParameter(document, parameter);
    if (plan === null) throw new Error(`${reason.pointer}: ${reason.message.en}`);
    return plan;
  });
}

/** Holds the requests of one operation against its contract. */
export class RequestCheck {
  readonly #document: ApiDocument;
  readonly #validators: Validators;
  readonly #id: string;
  readonly #bodies: ReadonlyMap<string, DeclaredBody>;
  readonly #bodyRequired: boolean;
  readonly #plans: readonly ParameterPlan[];
  readonly #path: readonly ParameterPlan[];
  readonly #headers: readonly ParameterPlan[];
  readonly #cookies: readonly ParameterPlan[];
  readonly #query: QueryReader;
  readonly #handles = new Map<DeclaredBody | null, Handle>();
  readonly #forms = new Map<DeclaredBody, FormReader>();

  constructor(document: ApiDocument, source: OperationSource, validators: Validators) {
    this.#document = document;
    this.#validators = validators;
    this.#id = source.id;
    this.#bodies = requestBodies(document, source);
    this.#bodyRequired = member(source.requestBody?.value, 'required') === true;
    this.#plans = plansOf(document, source);
    this.#path = this.#plans.filter((plan) => plan.in === 'path');
    this.#headers = this.#plans.filter((plan) => plan.in === 'header');
    this.#cookies = this.#plans.filter((plan) => plan.in === 'cookie');
    this.#query = new QueryReader(this.#plans.filter((plan) => plan.in === 'query'));
  }

  /** @throws Error when a part of the operation does not compile; `report` is told where, and then the rest goes on */
  compile(report: (pointer: string, error: unknown) => void): void {
    for (const declared of [null, ...this.#bodies.values()]) {
      try {
        this.#handle(declared);
      } catch (error) {
        report(declared?.pointer ?? '', error);
      }
    }
  }

  /** @throws Problem `request_malformed`, `request_invalid` or `media_type_unsupported` */
  check(input: RequestInput): ValidRequest {
    const { values: query, unknown } = this.#query.read(input.rawQuery);
    const path = readPath(this.#path, input.params);
    const header = readHeaders(this.#headers, input.headers);
    const cookie = readCookies(this.#cookies, input.headers['cookie']);
    const body = this.#body(input);
    const faults = body.fault === null ? unknown : [...unknown, body.fault];
    const parts = { path, query, header, cookie, body: body.value };
    const bytes = (input.body?.length ?? 0) + input.rawQuery.length;
    const found = this.#validate(body.declared, parts, bytes);
    if (found.length > 0 || faults.length > 0) throw this.#invalid([...faults, ...found], unknown.length > 0);
    return { path, query, headers: header, json: body.value === undefined ? null : body.value };
  }

  #validate(
    declared: DeclaredBody | null,
    parts: Parameters<Validators['checkRequest']>[1],
    bytes: number,
  ): Fault[] {
    try {
      const errors = this.#validators.checkRequest(this.#handle(declared), parts, bytes);
      return errors === null ? [] : describeAll(errors, inBody);
    } catch (error) {
      if (!(error instanceof TooMuchWork)) throw error;
      const vi = 'nội dung quá phức tạp để kiểm tra';
      return [fault('/body', 'complexity', vi, 'the content is too intricate to check')];
    }
  }

  #invalid(faults: readonly Fault[], unknownQuery: boolean): Problem {
    const names = this.#query.names;
    const known = names.join(', ');
    const remedy =
      names.length === 0
        ? { vi: 'Thao tác này không nhận tham số truy vấn.', en: 'This operation takes no query parameters.' }
        : { vi: `Các tham số truy vấn được nhận: ${known}.`, en: `The query parameters it takes: ${known}.` };
    return new Problem('request_invalid', {
      rule: { kind: 'schema', id: this.#id },
      errors: faults.slice(0, MAX_MESSAGE_FAULTS),
      ...(unknownQuery ? { remedy } : {}),
    });
  }

  #handle(declared: DeclaredBody | null): Handle {
    const known = this.#handles.get(declared);
    if (known !== undefined) return known;
    const body = declared === null ? null : { schema: declared.schema ?? true };
    const handle = this.#validators.request(this.#plans, body);
    this.#handles.set(declared, handle);
    return handle;
  }

  #body(input: RequestInput): Body {
    if (input.body === null || input.body.length === 0) {
      const vi = 'thao tác này cần nội dung';
      const missing = this.#bodyRequired
        ? fault('/body', 'required', vi, 'this operation needs a body')
        : null;
      return { ...NO_BODY, fault: missing };
    }
    if (this.#bodies.size === 0) {
      const vi = 'thao tác này không nhận nội dung';
      return { ...NO_BODY, fault: fault('/body', 'forbidden', vi, 'this operation takes no body') };
    }
    this.#assertPlainCoding(input.headers['content-encoding']);
    const declared = this.#declared(input.contentType);
    return this.#read(declared.body, declared.kind, input.body);
  }

  #assertPlainCoding(coding: string | string[] | undefined): void {
    if (coding === undefined || String(coding).trim().toLowerCase() === 'identity') return;
    throw new Problem('media_type_unsupported', {
      detail: {
        vi: 'Không nhận nội dung nén (Content-Encoding).',
        en: 'A compressed body (Content-Encoding) is not accepted.',
      },
      headers: { 'Accept-Encoding': 'identity' },
    });
  }

  #declared(contentType: string | null): { body: DeclaredBody; kind: BodyKind } {
    const type = contentType === null ? null : parseMediaType(contentType);
    const body = type === null ? undefined : bestRange(this.#bodies, type.essence);
    const kind = type === null || body === undefined ? null : bodyKind(body, type.essence);
    if (type === null || body === undefined || kind === null) throw this.#unsupported();
    if (kind !== 'opaque' && !isUtf8Charset(type.charset)) throw this.#unsupported();
    return { body, kind };
  }

  #unsupported(): Problem {
    const accepted = [...this.#bodies.keys()].join(', ');
    return new Problem('media_type_unsupported', {
      detail: {
        vi: `Content-Type phải là: ${accepted}; JSON và biểu mẫu chỉ nhận UTF-8.`,
        en: `The Content-Type must be: ${accepted}; JSON and forms in UTF-8 only.`,
      },
      rule: { kind: 'schema', id: this.#id },
      headers: { Accept: accepted },
    });
  }

  #read(declared: DeclaredBody, kind: BodyKind, bytes: Buffer): Body {
    if (kind === 'opaque') return { ...NO_BODY, kind };
    if (kind === 'form') return { declared, kind, value: this.#form(declared).read(bytes), fault: null };
    const parsed = parseGuarded(bytes);
    if (!parsed.ok) throw malformed('/body', parsed.keyword, parsed.message);
    return { declared, kind, value: parsed.value, fault: null };
  }

  #form(declared: DeclaredBody): FormReader {
    const known = this.#forms.get(declared);
    if (known !== undefined) return known;
    const reader = new FormReader(this.#document, declared.schema);
    this.#forms.set(declared, reader);
    return reader;
  }
}

/** openapi-backend calls the body `requestBody`; callers know it as `body`. */
function inBody(pointer: string): string {
  return pointer.startsWith('/requestBody') ? `/body${pointer.slice('/requestBody'.length)}` : pointer;
}
