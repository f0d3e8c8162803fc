import type { X509Certificate } from 'node:crypto';
import type { Problem } from './problem.js';

/** The columns of the pipeline's table. */
export type Plane = 'data' | 'sandbox' | 'admin' | 'open';

/** The doors of the corridor, in no order: the order is in `gateway/pipeline/table.ts` alone. */
export type StageName =
  | 'match'
  | 'identify'
  | 'authorise'
  | 'limit'
  | 'check-request'
  | 'forward'
  | 'check-response'
  | 'record'
  | 'release';

export type Outcome = 'answered' | 'refused' | 'failed' | 'aborted';

/** What came in, whatever carried it. Nothing here has been believed yet. */
export interface CallRequest {
  readonly method: string;
  /** The path as sent: still percent-encoded, without the query. */
  readonly path: string;
  /** The query as sent, without `?`. */
  readonly search: string;
  /** Lower-cased names, joined as `node:http` joins them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The caller's address, seen through trusted proxies only. */
  readonly address: string;
  /** Reads the whole body once; refuses past `limit` bytes with `body_too_large`. */
  readBody(limit: number): Buffer | Promise<Buffer>;
  /** The certificate that the caller proved to hold, to us or to a trusted proxy; its dates are not checked yet. */
  clientCertificate(): X509Certificate | null;
}

/** What goes out, once its record is durable. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** In place of `body`: bytes that are made while they leave. Such an answer has two records. */
  stream?: AnswerStream;
}

/** A body that is too large to be held. */
export interface AnswerStream {
  /** Asked for a chunk when the one before was taken; ended early when its reader leaves. */
  chunks(): AsyncIterable<Buffer>;
  /** What the second record says was done, once it has ended, however it did. */
  act(): Act;
}

/** What left of a streamed body. */
export interface Streamed {
  readonly bytes: number;
  /** Base64url SHA-256 of these bytes. */
  readonly sha256: string;
}

/** Whose call it is, after `identify`. */
export interface Caller {
  readonly system: string;
  readonly agency: string;
  readonly roles: readonly string[];
  /** The person who signed in, when the token is a person's. */
  readonly user?: string;
  /** In which of their sessions. */
  readonly session?: string;
  /** The token's `jti`. */
  readonly tokenId: string;
  /** The key or secret the client authenticated with, by name, when the token says so. */
  readonly keyId?: string;
  /** The key or certificate that the token is bound to and the sender holds: `jkt:…`, `x5t#S256:…`. */
  readonly boundTo?: string;
}

/** The facts of a route that the record keeps, whichever plane matched it. */
export interface RouteFacts {
  readonly provider: string | null;
  readonly service: string | null;
  readonly version: string | null;
  readonly operation: string | null;
  readonly sharing: string | null;
  /** The path template, never the path: values in a path are data. */
  readonly template: string | null;
}

/** What an administrative call changed. */
export interface Act {
  readonly noun: string;
  readonly key: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** The signal that a call has ended early: what its source listens to, as it would to an `AbortSignal`. */
export class CallSignal {
  #reason: EndReason | undefined;
  #listeners: (() => void)[] = [];

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): EndReason | undefined {
    return this.#reason;
  }

  /** Each listener hears it once, or never, when the call has ended before. */
  addEventListener(_type: 'abort', listener: () => void): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.#listeners.indexOf(listener);
    if (at >= 0) this.#listeners.splice(at, 1);
  }

  /** Whichever came first is the reason. */
  end(reason: EndReason): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}

/**
 * One call on its way through the corridor. Each stage fills its own part; all fields exist from the start,
 * so that every exchange has the same shape.
 */
export class Exchange {
  /** UUIDv7: `X-Request-Id`, `instance` of a refusal, and the id of the closing record. */
  readonly id: string;
  readonly plane: Plane;
  readonly request: CallRequest;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
  /** W3C trace id, taken over from `traceparent` or made here: 32 hex digits. */
  readonly traceId: string;

  stage: StageName = 'match';
  route: RouteFacts | null = null;
  caller: Caller | null = null;
  answer: Answer | null = null;
  problem: Problem | null = null;
  /** Headers for whatever answer leaves, refusals too: `RateLimit`, `Deprecation`, … */
  readonly extraHeaders: Record<string, string> = {};
  /** The request's body, once a stage has read it. */
  body: Buffer | null = null;
  /** Its SHA-256, once a record has named it: an opening and a closing record name the same one. */
  bodySha256: string | null = null;
  sourceMs: number | null = null;
  /** Success by the service's own rule; null where it has none or nothing was answered. */
  success: boolean | null = null;
  act: Act | null = null;
  /** What left of a body that was streamed, once that has ended. */
  streamed: Streamed | null = null;
  /** A code for the record of a call that was answered all the same, e.g. a fault that is only reported. */
  note: string | null = null;
  /** The grant that the call rests on, once it was found. */
  grantId: string | null = null;
  /** Which of the approved fields leave with the answer; null where all may. */
  disclosed: readonly string[] | null = null;
  /** Digests of the persons whose data the call asked for, or carried; null where nobody is named. */
  subjects: readonly string[] | null = null;
  /** How many more there were than a record holds. */
  subjectsLeftOut = 0;
  /** Id of the opening record, once one was written before something is changed. */
  opening: string | null = null;
  /** True for a refusal that is only counted: no record bears its id. */
  counted = false;
  /** True once the caller has hung up before an answer was released. */
  callerGone = false;
  /** Ended when the caller leaves, or the time is up. */
  readonly signal = new CallSignal();
  #traceparent: string | null = null;

  constructor(id: string, plane: Plane, request: CallRequest, receivedAt: number, traceId: string) {
    this.id = id;
    this.plane = plane;
    this.request = request;
    this.receivedAt = receivedAt;
    this.traceId = traceId;
  }

  /** Why the work for this call was ended early, if it was. */
  get ended(): EndReason | null {
    return this.signal.reason ?? null;
  }

  /** W3C `traceparent` of this call, for the source and for the caller. */
  get traceparent(): string {
    this.#traceparent ??= `00-${this.traceId}-${this.id.replaceAll('-', '').slice(16)}-01`;
    return this.#traceparent;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}

/** Why work for a call was ended early; the `reason` of the exchange's signal. */
export type EndReason = 'caller' | 'deadline';

/** One door: fills its part of the exchange or throws a `Problem`. */
export interface Stage<X extends Exchange = Exchange> {
  readonly name: StageName;
  /** Parts of the exchange that must have been given before this door. */
  readonly needs: readonly string[];
  readonly gives: readonly string[];
  run(exchange: X): void | Promise<void>;
}
