import type { z } from 'zod';
import type { Logger } from '../gateway/base/log.js';
import type { Egress } from './egress.js';

/** A published call as a connector sees it: validated, typed, and free of the caller's credentials. */
export interface ConnectorRequest {
  readonly operationId: string;
  /** Upper-case method of the published operation. */
  readonly method: string;
  /** Path and query parameters, decoded and coerced to the types of the contract. */
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  /** Only headers that the operation declares as parameters, lower-cased. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly contentType: string | null;
  /** The body byte for byte as the caller sent it. */
  readonly body: Buffer | null;
  /** The same body parsed, when it is JSON. */
  readonly json: unknown;
  readonly caller: {
    readonly agency: string;
    readonly system: string;
    readonly user: string | null;
    readonly case: string | null;
  };
  readonly requestId: string;
  /** W3C `traceparent` for the source. */
  readonly traceparent: string;
  /** Milliseconds since the epoch after which nobody waits any more. */
  readonly deadline: number;
  /** The most bytes that an answer may have. */
  readonly maxResponseBytes: number;
}

/** What the source said, in the structure that the contract promises. */
export interface ConnectorAnswer {
  readonly status: number;
  /** End-to-end headers only, lower-cased; `content-type` included, `content-length` not. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Success by the rule that the binding declares; null where it declares none. */
  readonly success: boolean | null;
}

export type SourceFault = 'unreachable' | 'timeout' | 'failed' | 'busy' | 'aborted';

/**
 * The source did not give a usable answer. `message` and `cause` go to the operational log only: they may name
 * internal addresses.
 */
export class SourceError extends Error {
  readonly fault: SourceFault;
  /** Whether the source may have acted on the request all the same. */
  readonly mayHaveActed: boolean;
  /** With `busy`: seconds after which another call has a chance. */
  readonly retryAfter: number | null;

  constructor(
    fault: SourceFault,
    message: string,
    options: { mayHaveActed?: boolean; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'SourceError';
    this.fault = fault;
    this.mayHaveActed = options.mayHaveActed ?? false;
    this.retryAfter = options.retryAfter ?? null;
  }
}

export interface ProbeResult {
  readonly ok: boolean;
  /** For the operator's eyes; no credentials, no addresses. */
  readonly detail: string;
  readonly latencyMs: number;
}

/**
 * Tells that nobody waits any more; `reason` is `caller` or `deadline`. Every `AbortSignal` is one; the corridor's own
 * is lighter, for an `EventTarget` and a controller per call would cost more than the whole decision about it.
 */
export interface EndSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** One source of one service. */
export interface Connector {
  /**
   * Makes one call. `signal` ends it early; its reason is `caller` or `deadline`.
   *
   * @throws SourceError when there is no usable answer
   * @throws Problem `request_invalid` when a value of the request cannot be sent on: it fits the contract but not the
   *   binding, e.g. `..` as a path segment or a date that no calendar has
   */
  call(request: ConnectorRequest, signal: EndSignal): Promise<ConnectorAnswer>;
  probe(signal: AbortSignal): Promise<ProbeResult>;
  close(): Promise<void>;
}

/** What a connector may use; nothing else reaches the outside. */
export interface ConnectorContext {
  readonly egress: Egress;
  readonly log: Logger;
  /** The credentials of the service, opened for this connector: name → value. */
  readonly credentials: Readonly<Record<string, string>>;
}

/** Success where the source's HTTP status does not tell: the value at `pointer` of its JSON answer is one of `equals`. */
export interface SuccessRule {
  readonly pointer: string;
  readonly equals: readonly (string | number | boolean | null)[];
}

export interface ConnectorSetup<S, B> {
  readonly settings: S;
  /** Operation id → binding. */
  readonly bindings: Readonly<Record<string, B>>;
  /** The published operations, whose method and path are the source's unless a binding says otherwise. */
  readonly facts: readonly OperationFacts[];
  /** The service's rule, for bindings that have none of their own; judged on the source's answer before any mapping. */
  readonly success?: SuccessRule | undefined;
}

/** A fault in a connector's settings or bindings, found before the service is saved. */
export interface SetupFault {
  /** Pointer from the manifest's root, e.g. `/connector/settings/baseUrl` or `/operations/traCuu/path`. */
  readonly pointer: string;
  readonly keyword: string;
  readonly vi: string;
  readonly en: string;
}

/** A kind of source: its two schemas, what it checks beyond them, and how it is made. */
export interface ConnectorKind<S = unknown, B = unknown> {
  readonly kind: string;
  readonly settings: z.ZodType<S>;
  readonly binding: z.ZodType<B>;
  /** Rules that a schema cannot say: placeholders that name no parameter, a statement that writes, an address that is not allowed. */
  check(setup: ConnectorSetup<S, B>, context: CheckContext): SetupFault[];
  create(setup: ConnectorSetup<S, B>, context: ConnectorContext): Connector;
}

export interface CheckContext {
  readonly egress: Egress;
  readonly credentialNames: readonly string[];
}

/** What a binding may refer to. */
export interface OperationFacts {
  readonly operationId: string;
  readonly method: string;
  readonly pathTemplate: string;
  readonly parameters: readonly {
    readonly name: string;
    readonly in: 'path' | 'query' | 'header' | 'cookie';
  }[];
  readonly hasBody: boolean;
}
