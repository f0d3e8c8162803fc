import { connect } from 'node:net';
import { Pool } from 'undici';
import { Breaker } from '../breaker.js';
import {
  type Connector,
  type ConnectorAnswer,
  type ConnectorContext,
  type ConnectorKind,
  type ConnectorRequest,
  type ConnectorSetup,
  type ProbeResult,
  SourceError,
  type EndSignal,
} from '../connector.js';
import { type AnswerReader, answerReader } from './answer.js';
import { checkHttp, portOf } from './check.js';
import { type RequestWriter, requestWriter } from './request.js';
import { type HttpBinding, HttpBindingSchema, type HttpSettings, HttpSettingsSchema } from './settings.js';
import { ConnectionLost, isSafe, type Outgoing, type RawAnswer, sendOnce } from './source-call.js';

interface Operation {
  readonly write: RequestWriter;
  readonly read: AnswerReader;
}

interface Wire {
  readonly pool: Pool;
  readonly breaker: Breaker<[Outgoing, EndSignal, ConnectorRequest], RawAnswer>;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Past the longest deadline there is: the signal ends a call, this only what the signal forgot. */
const SILENCE_MS = 125_000;

/** An HTTP source: a pool of connections to one address, behind a breaker. */
class HttpConnector implements Connector {
  readonly #settings: HttpSettings;
  readonly #context: ConnectorContext;
  readonly #url: URL;
  readonly #operations = new Map<string, Operation>();
  #wire: Wire | null = null;
  #closed = false;

  constructor(setup: ConnectorSetup<HttpSettings, HttpBinding>, context: ConnectorContext) {
    this.#settings = setup.settings;
    this.#context = context;
    this.#url = new URL(setup.settings.baseUrl);
    // Literal addresses never reach `lookup`: this is where they are vetted.
    context.egress.assertHost(this.#url.hostname, portOf(this.#url));
    const facts = new Map(setup.facts.map((fact) => [fact.operationId, fact]));
    for (const [id, binding] of Object.entries(setup.bindings)) {
      this.#operations.set(id, {
        write: requestWriter(setup.settings, binding, facts.get(id), context.credentials),
        read: answerReader(binding, setup.success),
      });
    }
  }

  async call(request: ConnectorRequest, signal: EndSignal): Promise<ConnectorAnswer> {
    const operation = this.#operations.get(request.operationId);
    if (operation === undefined) throw new SourceError('failed', 'the operation has no binding');
    const outgoing = operation.write(request);
    const raw = await this.#open().breaker.call(outgoing, signal, request);
    try {
      const answer = operation.read(raw, request.maxResponseBytes);
      return answer instanceof Promise ? await answer : answer;
    } catch (error) {
      if (!(error instanceof SourceError) || isSafe(outgoing.method)) throw error;
      throw new SourceError(error.fault, error.message, { mayHaveActed: true, cause: error });
    }
  }

  async probe(signal: AbortSignal): Promise<ProbeResult> {
    const started = performance.now();
    const latencyMs = (): number => Math.round(performance.now() - started);
    try {
      await this.#dial(signal);
      const resting = this.#wire?.breaker.open ?? false;
      return {
        ok: !resting,
        detail: resting ? 'reachable, but resting after errors' : 'reachable',
        latencyMs: latencyMs(),
      };
    } catch (cause) {
      this.#context.log.warn({ err: cause }, 'probe of an HTTP source failed');
      return { ok: false, detail: 'the source cannot be reached', latencyMs: latencyMs() };
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const wire = this.#wire;
    this.#wire = null;
    wire?.breaker.close();
    await wire?.pool.close();
  }

  /** Made at the first call: thousands of published services cost nothing until somebody asks. */
  #open(): Wire {
    if (this.#closed) throw new SourceError('unreachable', 'the connector is closed');
    this.#wire ??= this.#connect();
    return this.#wire;
  }

  #connect(): Wire {
    const { settings, context } = { settings: this.#settings, context: this.#context };
    const pool = new Pool(this.#url.origin, {
      connections: settings.maxConnections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: SILENCE_MS,
      bodyTimeout: SILENCE_MS,
      connect: {
        lookup: context.egress.lookup(portOf(this.#url)),
        timeout: CONNECT_TIMEOUT_MS,
        ...(settings.tls?.ca === undefined ? {} : { ca: settings.tls.ca }),
      },
    });
    const breaker = new Breaker(
      (outgoing: Outgoing, signal: EndSignal, request: ConnectorRequest) =>
        this.#send(pool, outgoing, signal, request),
      (answer: RawAnswer) => answer.status >= 500,
      { name: this.#url.host, capacity: settings.maxConcurrent, ...settings.breaker },
    );
    return { pool, breaker };
  }

  /** Tries a safe request again when the connection was lost before an answer began and time remains. */
  async #send(
    pool: Pool,
    outgoing: Outgoing,
    signal: EndSignal,
    request: ConnectorRequest,
  ): Promise<RawAnswer> {
    const tries = isSafe(outgoing.method) ? 1 + this.#settings.retries : 1;
    for (let attempt = 1; ; attempt += 1) {
      if (signal.aborted)
        throw new SourceError(signal.reason === 'caller' ? 'aborted' : 'timeout', 'the call has ended');
      try {
        return await sendOnce(pool, outgoing, signal, request.maxResponseBytes);
      } catch (error) {
        const again = error instanceof ConnectionLost && attempt < tries;
        if (!again || signal.aborted || Date.now() >= request.deadline) throw error;
      }
    }
  }

  /** Opens a connection and closes it: no request, so a probe cannot set anything off at the source. */
  #dial(signal: AbortSignal): Promise<void> {
    const port = portOf(this.#url);
    const host = this.#url.hostname.replace(/^\[|\]$/g, '');
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, lookup: this.#context.egress.lookup(port), signal });
      socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy(new Error('no connection in time')));
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.destroy();
        resolve();
      });
    });
  }
}

export const httpKind: ConnectorKind<HttpSettings, HttpBinding> = {
  kind: 'http',
  settings: HttpSettingsSchema,
  binding: HttpBindingSchema,
  check: checkHttp,
  create: (setup, context) => new HttpConnector(setup, context),
};
