import { type Fault, Problem } from '../base/problem.js';
import { bodyKind, type DeclaredBody, declaredBody } from './body-kind.js';
import type { ApiDocument, Place } from './document.js';
import { TooMuchWork } from './engine.js';
import { fault } from './faults.js';
import { parseGuarded } from './json-guard.js';
import { objectMember, pointerOf } from './json-tree.js';
import { bestRange, isUtf8Charset, parseMediaType } from './media-types.js';
import { contentOf, type OperationSource } from './operation-source.js';
import { type ParameterPlan, planParameter } from './parameters.js';
import { readHeaders } from './request-reader.js';
import { describeAll } from './validation-messages.js';
import type { Handle, Validators } from './validators.js';

export interface ResponseInput {
  readonly status: number;
  /** Lower-cased names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly contentType: string | null;
  readonly body: Buffer;
}

export interface DeclaredResponse {
  readonly bodies: ReadonlyMap<string, DeclaredBody>;
  readonly headers: readonly ParameterPlan[];
}

/** How a declared response header is read; null for `Content-Type`, which OpenAPI says to ignore. */
export function headerPlan(
  document: ApiDocument,
  name: string,
  place: Place,
): ReturnType<typeof planParameter> | null {
  if (name.toLowerCase() === 'content-type') return null;
  const resolved = document.resolve(place);
  if (resolved === null) return null;
  const node = { ...objectMember({ node: resolved.value }, 'node'), name, in: 'header' };
  return planParameter(document, { pointer: resolved.pointer, node, name: name.toLowerCase(), in: 'header' });
}

function declaredResponse(document: ApiDocument, place: Place): DeclaredResponse {
  const bodies = new Map<string, DeclaredBody>();
  for (const [range, content] of contentOf(place)) bodies.set(range, declaredBody(document, range, content));
  const headers: ParameterPlan[] = [];
  for (const [name, value] of Object.entries(objectMember(place.value, 'headers'))) {
    const planned = headerPlan(document, name, {
      pointer: place.pointer + pointerOf('headers', name),
      value,
    });
    if (planned === null) continue;
    if (planned.plan === null) throw new Error(`${planned.fault.pointer}: ${planned.fault.message.en}`);
    headers.push(planned.plan);
  }
  return { bodies, headers };
}

/** The declared response that a status falls under: the status itself, its class, then `default`. */
export function responseFor<T>(responses: ReadonlyMap<string, T>, status: number): T | undefined {
  return (
    responses.get(String(status)) ??
    responses.get(`${Math.floor(status / 100)}XX`) ??
    responses.get('default')
  );
}

/** Answers that have no body, whatever the contract says. */
export function isBodiless(method: string, status: number): boolean {
  return (
    method === 'HEAD' || status === 204 || status === 205 || status === 304 || (status >= 100 && status < 200)
  );
}

const CONTENT_TYPE = '/header/content-type';

/**
 * A name that may be repeated: an index, or a word. A key that looks like an identifier of somebody (digits, length)
 * is data of the source, which a fault never shows.
 */
function isWord(segment: string): boolean {
  return segment.length <= 64 && !/[0-9]{6}|[@\s]/.test(segment);
}

function masked(pointer: string): string {
  return pointer
    .split('/')
    .map((segment) => (isWord(segment) ? segment : '*'))
    .join('/');
}

/** Holds the answers of one operation against its contract. */
export class ResponseCheck {
  readonly #validators: Validators;
  readonly #method: string;
  readonly #responses = new Map<string, DeclaredResponse>();
  readonly #bodyHandles = new Map<DeclaredBody, Handle>();
  readonly #headerHandles = new Map<DeclaredResponse, Handle>();

  constructor(document: ApiDocument, source: OperationSource, validators: Validators) {
    this.#validators = validators;
    this.#method = source.method;
    for (const [status, place] of source.responses)
      this.#responses.set(status, declaredResponse(document, place));
  }

  /** Compiles everything now; `report` is told what does not, and where. */
  compile(report: (pointer: string, error: unknown) => void): void {
    for (const declared of this.#responses.values()) {
      for (const body of declared.bodies.values())
        attempt(body.pointer, report, () => this.#bodyHandle(body));
      if (declared.headers.length > 0) attempt('', report, () => this.#headerHandle(declared));
    }
  }

  /** What the contract says of answers with this status; undefined when it says nothing. */
  declared(status: number): DeclaredResponse | undefined {
    return responseFor(this.#responses, status);
  }

  /** Whether a JSON value is what a declared body may hold. */
  admits(body: DeclaredBody, value: unknown): boolean {
    return this.#validators.admits(this.#bodyHandle(body), value, JSON.stringify(value).length);
  }

  /** @returns the faults of an answer; null when it is what the contract promises */
  check(input: ResponseInput): Fault[] | null {
    const declared = responseFor(this.#responses, input.status);
    if (declared === undefined) {
      const vi = `mã trạng thái ${input.status} không được công bố`;
      return [fault('/status', 'status', vi, `status ${input.status} is not published`)];
    }
    const faults = this.#headers(declared, input);
    faults.push(...this.#body(declared, input));
    return faults.length === 0 ? null : faults;
  }

  #headers(declared: DeclaredResponse, input: ResponseInput): Fault[] {
    if (declared.headers.length === 0) return [];
    const missing = declared.headers
      .filter(({ name, required }) => required && !Object.hasOwn(input.headers, name))
      .map(({ name }) => fault(`/header/${name}`, 'required', 'bắt buộc phải có', 'is required'));
    try {
      const values = readHeaders(declared.headers, input.headers);
      const errors = this.#validators.checkResponseHeaders(this.#headerHandle(declared), values);
      const place = (pointer: string): string => masked(pointer.replace(/^\/headers/, '/header'));
      return errors === null ? missing : [...missing, ...describeAll(errors, place)];
    } catch (error) {
      if (error instanceof Problem) return [...missing, ...(error.parts.errors ?? [])];
      throw error;
    }
  }

  #body(declared: DeclaredResponse, input: ResponseInput): Fault[] {
    if (declared.bodies.size === 0 || isBodiless(this.#method, input.status)) {
      if (input.body.length === 0) return [];
      return [fault('/body', 'forbidden', 'không được có nội dung', 'must have no body')];
    }
    const coding = input.headers['content-encoding'];
    if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
      const vi = 'nội dung nén không kiểm tra được';
      return [fault('/header/content-encoding', 'coding', vi, 'a compressed body cannot be checked')];
    }
    if (input.contentType === null) {
      return [fault(CONTENT_TYPE, 'required', 'bắt buộc phải có', 'is required')];
    }
    return this.#typedBody(declared, input.contentType, input.body);
  }

  #typedBody(declared: DeclaredResponse, contentType: string, bytes: Buffer): Fault[] {
    const type = parseMediaType(contentType);
    const body = type === null ? undefined : bestRange(declared.bodies, type.essence);
    const kind = type === null || body === undefined ? null : bodyKind(body, type.essence);
    if (
      type === null ||
      body === undefined ||
      kind === null ||
      (kind === 'json' && !isUtf8Charset(type.charset))
    ) {
      const known = [...declared.bodies.keys()].join(', ');
      return [fault(CONTENT_TYPE, 'mediaType', `phải là một trong: ${known}`, `must be one of: ${known}`)];
    }
    if (kind !== 'json') return [];
    const parsed = parseGuarded(bytes);
    if (!parsed.ok) return [{ pointer: '/body', keyword: parsed.keyword, message: parsed.message }];
    return this.#json(body, parsed.value, bytes.length);
  }

  #json(body: DeclaredBody, value: unknown, bytes: number): Fault[] {
    try {
      const errors = this.#validators.checkResponse(this.#bodyHandle(body), value, bytes);
      return errors === null ? [] : describeAll(errors, (pointer) => masked(`/body${pointer}`));
    } catch (error) {
      if (!(error instanceof TooMuchWork)) throw error;
      const vi = 'nội dung quá phức tạp để kiểm tra';
      return [fault('/body', 'complexity', vi, 'the content is too intricate to check')];
    }
  }

  #bodyHandle(body: DeclaredBody): Handle {
    let handle = this.#bodyHandles.get(body);
    if (handle === undefined) {
      handle = this.#validators.response(body.schema ?? true);
      this.#bodyHandles.set(body, handle);
    }
    return handle;
  }

  #headerHandle(declared: DeclaredResponse): Handle {
    let handle = this.#headerHandles.get(declared);
    if (handle === undefined) {
      handle = this.#validators.responseHeaders(declared.headers);
      this.#headerHandles.set(declared, handle);
    }
    return handle;
  }
}

function attempt(
  pointer: string,
  report: (pointer: string, error: unknown) => void,
  run: () => unknown,
): void {
  try {
    run();
  } catch (error) {
    report(pointer, error);
  }
}
