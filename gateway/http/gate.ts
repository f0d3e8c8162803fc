import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Exchange, Plane, Stage } from '../base/exchange.js';
import { newTraceId, uuidv7 } from '../base/ids.js';
import type { Logger } from '../base/log.js';
import { Problem } from '../base/problem.js';
import {
  AdminExchange,
  DataExchange,
  type OpenDocument,
  OpenExchange,
  SandboxExchange,
} from '../pipeline/exchanges.js';
import { type RunParts, run } from '../pipeline/run.js';
import type { Corridors } from '../pipeline/table.js';
import { AddressSet } from '../base/address-set.js';
import { clientAddress } from './client-address.js';
import type { ClientCertificates } from './client-certificate.js';
import type { Metrics } from './metrics.js';
import { NodeRequest } from './node-request.js';
import { type ProblemWriting, writeProblem } from './problem-json.js';
import { release, releaseStream } from './release.js';

export interface GateParts {
  readonly corridors: Corridors;
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** Knows what refusals rest on. */
  readonly catalogue: Pick<ProblemWriting, 'legalReference'>;
  readonly certificates: ClientCertificates;
}

const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
const NO_TRACE = '0'.repeat(32);

function traceIdOf(header: string | string[] | undefined, now: number): string {
  const found = typeof header === 'string' ? TRACEPARENT.exec(header)?.[1] : undefined;
  return found === undefined || found === NO_TRACE ? newTraceId(now) : found;
}

type Open<X> = (id: string, plane: Plane, request: NodeRequest, at: number, trace: string) => X;

/** Between `node:http` and the corridor: makes the exchange, runs it, sends what is left of it. */
export class Gate {
  readonly #parts: GateParts;
  readonly #recorded: RunParts;
  readonly #unrecorded: RunParts;
  readonly #trusted: AddressSet;
  #open = 0;

  constructor(parts: GateParts) {
    const { publicUrl, trustedProxies } = parts.config;
    const legalReference = (ref: string) => parts.catalogue.legalReference(ref);
    const refuse: RunParts['refuse'] = (exchange, problem) =>
      writeProblem(exchange, problem, { publicUrl, legalReference });
    this.#parts = parts;
    const { record, flood } = parts.corridors;
    this.#recorded = { recordStage: record, refuse, flood, log: parts.log };
    this.#unrecorded = { ...this.#recorded, recordStage: null, flood: null };
    this.#trusted = new AddressSet(trustedProxies);
  }

  /** Calls in progress. */
  get inProgress(): number {
    return this.#open;
  }

  addressOf(request: IncomingMessage): string {
    return clientAddress(request, this.#trusted);
  }

  /** A call of a data service. */
  data(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const open: Open<DataExchange> = (...parts) => new DataExchange(...parts);
    return this.#pass('data', request, response, open, this.#parts.corridors.data, this.#recorded);
  }

  /** A call of a data service that its document answers. */
  sandbox(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const open: Open<SandboxExchange> = (...parts) => new SandboxExchange(...parts);
    return this.#pass('sandbox', request, response, open, this.#parts.corridors.sandbox, this.#recorded);
  }

  /** A call of the management API. */
  admin(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const open: Open<AdminExchange> = (...parts) => new AdminExchange(...parts);
    return this.#pass('admin', request, response, open, this.#parts.corridors.admin, this.#recorded);
  }

  /** A public document. */
  document(
    request: IncomingMessage,
    response: ServerResponse,
    render: (() => OpenDocument | Promise<OpenDocument>) | null,
  ): Promise<void> {
    const open: Open<OpenExchange> = (...parts) => Object.assign(new OpenExchange(...parts), { render });
    return this.#pass('open', request, response, open, this.#parts.corridors.open, this.#unrecorded);
  }

  /** A page that may turn out not to exist. */
  page(
    request: IncomingMessage,
    response: ServerResponse,
    render: () => OpenDocument | null | Promise<OpenDocument | null>,
  ): Promise<void> {
    return this.document(request, response, async () => {
      const page = await render();
      if (page === null) throw new Problem('object_not_found');
      return page;
    });
  }

  /** Answers a request outside the corridor that ended with an error. */
  refuse(request: IncomingMessage, response: ServerResponse, error: unknown): Promise<void> {
    return this.document(request, response, () => {
      throw error;
    });
  }

  /** Something that claimed to be HTTP and could not be read: refused and recorded like any other call. */
  async unreadable(address: string, problem: Problem): Promise<Exchange> {
    const { clock, log } = this.#parts;
    const nothing = {
      method: '',
      path: '',
      search: '',
      headers: {},
      address,
      readBody: () => Buffer.alloc(0),
      clientCertificate: () => null,
    };
    const exchange = new DataExchange(
      uuidv7(clock.now()),
      'data',
      nothing,
      clock.now(),
      traceIdOf(undefined, clock.now()),
    );
    const refused: Stage<DataExchange> = {
      name: 'match',
      needs: [],
      gives: [],
      run() {
        throw problem;
      },
    };
    await run(exchange, [refused], this.#recorded);
    this.#parts.metrics.observe(exchange, clock.now());
    log.debug({ id: exchange.id, code: problem.code }, 'unreadable request');
    return exchange;
  }

  async #pass<X extends Exchange>(
    plane: Plane,
    request: IncomingMessage,
    response: ServerResponse,
    open: Open<X>,
    stages: readonly Stage<X>[],
    parts: RunParts,
  ): Promise<void> {
    const { clock, config, metrics, certificates } = this.#parts;
    const now = clock.now();
    // Express rewrites `url` under a mount; the path as sent is what counts.
    const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/';
    const incoming = new NodeRequest(request, url, this.addressOf(request), certificates);
    const exchange = open(uuidv7(now), plane, incoming, now, traceIdOf(request.headers['traceparent'], now));
    const gone = (): void => {
      if (!response.writableFinished) exchange.signal.end('caller');
    };
    response.once('close', gone);
    request.once('close', () => {
      if (!request.complete) gone();
    });
    this.#open += 1;
    try {
      const full = this.#open > config.limits.concurrentCalls;
      await run(exchange, full ? OVERLOADED : stages, parts);
      await this.#release(exchange, request, response);
    } finally {
      this.#open -= 1;
      metrics.observe(exchange, clock.now());
    }
  }

  async #release(exchange: Exchange, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { answer } = exchange;
    if (answer?.stream === undefined) {
      release(exchange, request, response);
      return;
    }
    await releaseStream(exchange, { answer, stream: answer.stream }, request, response);
    const { corridors, log } = this.#parts;
    try {
      await corridors.end.run(exchange);
    } catch (error) {
      // What left has its opening record, which the next start closes.
      log.error({ err: error, id: exchange.id }, 'the end of a streamed answer could not be recorded');
    }
  }
}

/** Past the calls that a node can hold, the only door left. */
const OVERLOADED: readonly Stage[] = [
  {
    name: 'match',
    needs: [],
    gives: [],
    run() {
      throw new Problem('overloaded', {
        rule: { kind: 'limit', id: 'concurrentCalls', state: 'exceeded' },
        headers: { 'Retry-After': '1' },
      });
    },
  },
];
