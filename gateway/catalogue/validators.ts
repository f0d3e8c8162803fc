import type { ErrorObject } from 'ajv';
import {
  type Document,
  OpenAPIRouter,
  OpenAPIValidator,
  type Operation as BackendOperation,
  SetMatchType,
  ValidationContext,
} from 'openapi-backend';
import { SchemaTranslator } from './dialect.js';
import type { ApiDocument } from './document.js';
import { allowWork, Engine, TooMuchWork } from './engine.js';
import type { ParameterPlan } from './parameters.js';
import type { Values } from './request-reader.js';

/** Messages up to this size are checked again in full when they fail, to list every fault; larger ones name the first. */
const EXPLAINED_BYTES = 65_536;

/** What the validators compile: an operation that holds schemas of one media type only, under `application/json`. */
type Variant = BackendOperation;

/** Names a compiled variant. */
export type Handle = BackendOperation;

export interface RequestParts {
  readonly path: Values;
  readonly query: Values;
  readonly header: Values;
  readonly cookie: Values;
  /** Undefined when the request has no body that is checked. */
  readonly body: unknown;
}

interface Result {
  valid: boolean;
  errors?: ErrorObject[] | null;
}

/** Hands out what was prepared: openapi-backend's own router flattens the whole document at every question. */
class PreparedRouter extends OpenAPIRouter {
  readonly variants = new Map<string, Variant>();

  override getOperations(): BackendOperation[] {
    return [...this.variants.values()];
  }

  override getOperation(id: string): BackendOperation | undefined {
    return this.variants.get(id);
  }
}

/** openapi-backend's validator over our two engines, in place of a new draft-07 Ajv for each operation. */
class ContractValidator extends OpenAPIValidator {
  readonly #engines: { readonly request: Engine; readonly response: Engine };

  constructor(router: PreparedRouter, engines: { readonly request: Engine; readonly response: Engine }) {
    super({ definition: router.definition, router, lazyCompileValidators: true });
    this.#engines = engines;
  }

  /** What `validateRequest` does once it has parsed and copied the request, which is done here already. */
  validateParts({ operationId = '' }: Handle, { path, query, header, cookie, body }: RequestParts): Result {
    const parts = { path, query, header, cookie, requestBody: body };
    const errors: ErrorObject[] = [];
    for (const validate of this.getRequestValidatorsForOperation(operationId))
      if (!validate(parts)) errors.push(...(validate.errors ?? []));
    return { valid: errors.length === 0, errors };
  }

  override getAjv(context: ValidationContext): ReturnType<OpenAPIValidator['getAjv']> {
    const forRequest = context === ValidationContext.RequestBody || context === ValidationContext.Params;
    const ajv: unknown = this.#engines[forRequest ? 'request' : 'response'].ajv;
    return ajv as ReturnType<OpenAPIValidator['getAjv']>;
  }
}

/** An own `additionalProperties` of a parameter would open the whole query (openapi-backend copies it there). */
function sealed(schema: Record<string, unknown>): Record<string, unknown> {
  return Object.hasOwn(schema, 'additionalProperties') ? { allOf: [schema] } : schema;
}

/**
 * The validators of one service. Everything is compiled at its first use; nothing that fails to compile, or that
 * openapi-backend would skip in silence, lets a message pass.
 */
export class Validators {
  readonly #router = new PreparedRouter({
    definition: { openapi: '3.1.0', paths: {} } as unknown as Document,
  });
  readonly #translators: { readonly request: SchemaTranslator; readonly response: SchemaTranslator };
  readonly #first: ContractValidator;
  #every: ContractValidator | null = null;

  constructor(document: ApiDocument) {
    this.#translators = {
      request: new SchemaTranslator(document, 'request'),
      response: new SchemaTranslator(document, 'response'),
    };
    this.#first = this.#validator(false);
  }

  /** Parameters, and the body of one media type where `body` is given. */
  request(parameters: readonly ParameterPlan[], body: { readonly schema: unknown } | null): Handle {
    const translator = this.#translators.request;
    const content =
      body === null ? null : { 'application/json': { schema: translator.translate(body.schema) } };
    const handle = this.#register({
      parameters: parameters.map(({ name, in: where, required, schema }) => ({
        name,
        in: where,
        required,
        schema: sealed(translator.translate(schema)),
      })),
      ...(content === null ? {} : { requestBody: { required: true, content } }),
    });
    this.#assertArmed(
      this.#first.getRequestValidatorsForOperation(handle.operationId ?? '').length === (body ? 2 : 1),
    );
    return handle;
  }

  /** The body of one media type of one response. */
  response(schema: unknown): Handle {
    const content = { 'application/json': { schema: this.#translators.response.translate(schema) } };
    const handle = this.#register({ responses: { default: { description: '', content } } });
    const map = this.#first.getStatusBasedResponseValidatorForOperation(handle.operationId ?? '');
    this.#assertArmed(typeof map['default'] === 'function');
    return handle;
  }

  /** The declared headers of one response; which of them are required is the caller's to check. */
  responseHeaders(headers: readonly ParameterPlan[]): Handle {
    const translated = headers.map(({ name, schema }) => [
      name,
      { schema: this.#translators.response.translate(schema) },
    ]);
    const declared = Object.fromEntries(translated) as Record<string, unknown>;
    const handle = this.#register({ responses: { default: { description: '', headers: declared } } });
    const map = this.#first.getResponseHeadersValidatorForOperation(handle.operationId ?? '');
    this.#assertArmed(typeof map['default']?.[SetMatchType.Any] === 'function');
    return handle;
  }

  checkRequest(handle: Handle, parts: RequestParts, bytes: number): readonly ErrorObject[] | null {
    return this.#check(bytes, (validator) => validator.validateParts(handle, parts));
  }

  checkResponse(handle: Handle, body: unknown, bytes: number): readonly ErrorObject[] | null {
    return this.#check(bytes, (validator) => validator.validateResponse(body, handle, 200));
  }

  /** Whether a body holds, and nothing of what is wrong with it. One that takes too much work to check does not. */
  admits(handle: Handle, body: unknown, bytes: number): boolean {
    allowWork(bytes);
    try {
      return this.#first.validateResponse(body, handle, 200).valid;
    } catch (error) {
      if (error instanceof TooMuchWork) return false;
      throw error;
    }
  }

  checkResponseHeaders(handle: Handle, headers: Values): readonly ErrorObject[] | null {
    const options = { statusCode: 200, setMatchType: SetMatchType.Any };
    return this.#check(0, (validator) => validator.validateResponseHeaders(headers, handle, options));
  }

  #check(bytes: number, run: (validator: ContractValidator) => Result): readonly ErrorObject[] | null {
    allowWork(bytes);
    const result = run(this.#first);
    if (result.valid) return null;
    if (bytes > EXPLAINED_BYTES) return result.errors ?? [];
    this.#every ??= this.#validator(true);
    allowWork(bytes);
    return run(this.#every).errors ?? result.errors ?? [];
  }

  #validator(allErrors: boolean): ContractValidator {
    return new ContractValidator(this.#router, {
      request: new Engine(this.#translators.request, { allErrors }),
      response: new Engine(this.#translators.response, { allErrors }),
    });
  }

  #register(parts: Record<string, unknown>): Handle {
    const operationId = `variant ${this.#router.variants.size}`;
    const handle = { operationId, method: 'post', path: '/' } as unknown as Handle;
    this.#router.variants.set(operationId, { ...handle, ...parts });
    return handle;
  }

  #assertArmed(armed: boolean): void {
    if (!armed) throw new Error('openapi-backend compiled no validator where one is needed');
  }
}
