import type { OperationFacts } from '../../connectors/connector.js';
import type { Fault } from '../base/problem.js';
import { fieldsAstray } from './check-marks.js';
import { type ApiDocument, documentOf, parseDocument } from './document.js';
import { type JsonObject, member, objectMember } from './json-tree.js';
import type { Manifest } from './manifest.js';
import { narrowedSchemas, type PlainSchema } from './narrowed-schema.js';
import { OperationRouter } from './operation-router.js';
import { BINDING, contentOf, type OperationSource, readOperations } from './operation-source.js';
import { publicDocument } from './public-document.js';
import { RequestCheck, type RequestInput, type ValidRequest } from './request-check.js';
import { ResponseCheck, type ResponseInput, responseFor } from './response-check.js';
import { type SampleAnswer, SampleAnswers, type SampleWish } from './sample-answer.js';
import { SchemaSamples } from './schema-samples.js';
import { Validators } from './validators.js';

export type { RequestInput, ValidRequest } from './request-check.js';
export type { ResponseInput } from './response-check.js';
export type { SampleAnswer, SampleWish } from './sample-answer.js';

/** What a connector's binding may refer to. */
export function factsOf(source: OperationSource): OperationFacts {
  return {
    operationId: source.id,
    method: source.method,
    pathTemplate: source.template,
    parameters: source.parameters.map(({ name, in: where }) => ({ name, in: where })),
    hasBody: source.requestBody !== null,
  };
}

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** One operation of a published service. Its validators are compiled when the first call needs them. */
export class Operation {
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  /** The path template, e.g. `/ho-so/{ma}`. */
  readonly template: string;
  /** Whether a call may change something at the source. */
  readonly mutating: boolean;
  readonly facts: OperationFacts;
  readonly #document: ApiDocument;
  readonly #source: OperationSource;
  readonly #validators: Validators;
  readonly #samples: SchemaSamples;
  #requests: RequestCheck | null = null;
  #responses: ResponseCheck | null = null;
  #sampleAnswers: SampleAnswers | null = null;
  #answerMediaTypes: readonly string[] | null = null;
  #answerHeaders: ReadonlySet<string> | null = null;

  constructor(
    document: ApiDocument,
    source: OperationSource,
    validators: Validators,
    samples: SchemaSamples,
  ) {
    this.id = source.id;
    this.method = source.method;
    this.template = source.template;
    this.mutating = !READING.has(source.method);
    this.facts = factsOf(source);
    this.#document = document;
    this.#source = source;
    this.#validators = validators;
    this.#samples = samples;
  }

  /** Media type ranges that a request body may have; empty when it has none. */
  get requestMediaTypes(): readonly string[] {
    const { requestBody } = this.#source;
    return requestBody === null ? [] : [...contentOf(requestBody).keys()];
  }

  get requestBodyRequired(): boolean {
    return member(this.#source.requestBody?.value, 'required') === true;
  }

  /** Media type ranges that an answer with this status may have. */
  responseMediaTypes(status: number): readonly string[] {
    const place = responseFor(this.#source.responses, status);
    return place === undefined ? [] : [...contentOf(place).keys()];
  }

  /** Media type ranges that a successful answer may have (any answer, where no success has a body). */
  get answerMediaTypes(): readonly string[] {
    this.#answerMediaTypes ??= this.#findAnswerMediaTypes();
    return this.#answerMediaTypes;
  }

  /** Response headers that the contract declares, in lower case. */
  get answerHeaders(): ReadonlySet<string> {
    this.#answerHeaders ??= new Set(
      [...this.#source.responses.values()]
        .flatMap(({ value }) => Object.keys(objectMember(value, 'headers')))
        .map((name) => name.toLowerCase()),
    );
    return this.#answerHeaders;
  }

  /**
   * Holds a request against the contract and reads it into the contract's types.
   *
   * @throws Problem `request_malformed`, `request_invalid` or `media_type_unsupported`
   */
  validateRequest(input: RequestInput): ValidRequest {
    this.#requests ??= new RequestCheck(this.#document, this.#source, this.#validators);
    return this.#requests.check(input);
  }

  /** Holds an answer against the contract. @returns its faults, or null when it has none */
  validateResponse(input: ResponseInput): Fault[] | null {
    this.#responses ??= new ResponseCheck(this.#document, this.#source, this.#validators);
    return this.#responses.check(input);
  }

  /** Of these pointers into answers, those that lead to no field that the contract declares. */
  fieldsAstray(pointers: readonly string[]): string[] {
    return fieldsAstray(this.#document, this.#source, pointers);
  }

  /** The success answers as they are when only these fields pass: status → JSON Schema. */
  narrowedSchemas(pointers: readonly string[]): Record<string, PlainSchema> {
    return narrowedSchemas(this.#document, this.#source, pointers);
  }

  /**
   * An answer made from the document alone: its examples, or else its schemas.
   *
   * @throws Problem `not_acceptable`, or `response_invalid` where nothing can be made
   */
  sampleAnswer(wish: SampleWish): SampleAnswer {
    return this.#samplesOfAnswers().make(wish);
  }

  /** Tells `report` of the examples that their own schema does not admit, and of schemas that need one. */
  inspectExamples(report: (pointer: string, vi: string, en: string) => void): void {
    this.#samplesOfAnswers().inspect(report);
  }

  #samplesOfAnswers(): SampleAnswers {
    this.#responses ??= new ResponseCheck(this.#document, this.#source, this.#validators);
    this.#sampleAnswers ??= new SampleAnswers(this.#document, this.#source, this.#responses, this.#samples);
    return this.#sampleAnswers;
  }

  /** Compiles everything now. `report` is told what does not compile, with the nearest pointer. */
  compile(report: (pointer: string, error: unknown) => void): void {
    const here = (pointer: string, error: unknown): void =>
      report(pointer === '' ? this.#source.pointer : pointer, error);
    try {
      this.#requests ??= new RequestCheck(this.#document, this.#source, this.#validators);
      this.#requests.compile(here);
      this.#responses ??= new ResponseCheck(this.#document, this.#source, this.#validators);
      this.#responses.compile(here);
    } catch (error) {
      here('', error);
    }
  }

  #findAnswerMediaTypes(): readonly string[] {
    const responses = [...this.#source.responses];
    const successes = responses.filter(([status]) => status.startsWith('2'));
    const ranges = (from: typeof responses): string[] => [
      ...new Set(from.flatMap(([, place]) => [...contentOf(place).keys()])),
    ];
    return successes.length > 0 ? ranges(successes) : ranges(responses);
  }
}

export interface Match {
  readonly operation: Operation;
  /** Path parameters, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** A published service's document, ready to check calls against. */
export class Contract {
  /** Operation id → operation, in the order of the document. */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly #document: ApiDocument;
  readonly #validators: Validators;
  #router: OperationRouter<Operation> | null = null;

  constructor(document: ApiDocument, sources: readonly OperationSource[] = readOperations(document)) {
    this.#document = document;
    this.#validators = new Validators(document);
    const samples = new SchemaSamples(document, this.#validators);
    this.operations = new Map(
      sources.map((source) => [source.id, new Operation(document, source, this.#validators, samples)]),
    );
  }

  /**
   * Which operation a call means. `path` is as sent (percent-encoded, without query) and relative to the service,
   * beginning with `/`. Case and trailing slashes count.
   *
   * @returns the operation; or the methods the path has instead; or null when there is no such path
   * @throws Problem `request_malformed` when the path cannot be decoded
   */
  match(method: string, path: string): Match | { readonly allow: readonly string[] } | null {
    this.#router ??= this.#buildRouter();
    const found = this.#router.find(method, path);
    if (found === null || 'allow' in found) return found;
    return { operation: found.target, params: found.params };
  }

  /** The document as integrators see it. */
  publicDocument(serverUrl: string, tokenUrl: string): JsonObject {
    return publicDocument(this.#document, serverUrl, tokenUrl);
  }

  /** Compiles every operation now; blocks for as long as that takes. */
  compileAll(report: (pointer: string, error: unknown) => void): void {
    for (const operation of this.operations.values()) operation.compile(report);
  }

  /** Compiles one operation at a time and lets the event loop turn in between. */
  async warm(): Promise<void> {
    for (const operation of this.operations.values()) {
      operation.compile((pointer, error) => {
        throw new Error(`${pointer} does not compile`, { cause: error });
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #buildRouter(): OperationRouter<Operation> {
    const router = new OperationRouter<Operation>();
    for (const operation of this.operations.values())
      router.add(operation.method, operation.template, operation);
    return router;
  }
}

/**
 * Reads a document that passed `checkService` when it was published. Cheap: routes are built at the first call, and
 * validators per operation when a call needs them. An operation that does not compile after all fails every call
 * of its own with an error; it never lets one pass.
 *
 * @param document JSON or YAML text, or the value read from it
 * @param manifest the service's; the management API has none
 * @throws Error when the document cannot be read, or has an operation that the manifest does not bind
 * @example compileContract(row.document, manifest).match('GET', '/don-vi/03532')
 */
export function compileContract(document: string | JsonObject, manifest?: Manifest): Contract {
  const parsed = typeof document === 'string' ? parseDocument(document) : documentOf(document);
  if (parsed.document === null)
    throw new Error(`unreadable OpenAPI document: ${parsed.faults[0]?.message.en ?? ''}`);
  const sources = readOperations(parsed.document);
  const unbound = sources.find(({ id, node }) => !isBound(id, node, manifest));
  if (unbound !== undefined) throw new Error(`operation ${unbound.id} has no binding`);
  return new Contract(parsed.document, sources);
}

function isBound(id: string, node: JsonObject, manifest: Manifest | undefined): boolean {
  return manifest === undefined || Object.hasOwn(manifest.operations, id) || node[BINDING] !== undefined;
}
