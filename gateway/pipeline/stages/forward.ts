import { type ConnectorRequest, SourceError, type SourceFault } from '../../../connectors/connector.js';
import type { Recorder } from '../../audit/record.js';
import type { Clock } from '../../base/clock.js';
import type { Config } from '../../base/config.js';
import type { Stage } from '../../base/exchange.js';
import type { Logger } from '../../base/log.js';
import { Problem, type ProblemCode } from '../../base/problem.js';
import type { SubjectDigests } from '../../identity/subject-digests.js';
import type { DataExchange } from '../exchanges.js';
import { writeOpening } from '../opening.js';
import { nameSubjects } from '../subjects.js';

export interface ForwardParts {
  readonly recorder: Recorder;
  readonly clock: Clock;
  readonly config: Config;
  readonly log: Logger;
  readonly subjects: SubjectDigests;
}

const CODES: Readonly<Record<Exclude<SourceFault, 'aborted'>, ProblemCode>> = {
  unreachable: 'source_unreachable',
  timeout: 'source_timeout',
  failed: 'source_failed',
  busy: 'source_busy',
};

function sourceProblem(error: unknown, exchange: DataExchange): Problem {
  if (error instanceof Problem) return error;
  const id = exchange.service?.id ?? '';
  if (!(error instanceof SourceError)) return new Problem('internal_error', { cause: error });
  const timedOut = exchange.ended === 'deadline';
  const fault = error.fault === 'aborted' && timedOut ? 'timeout' : error.fault;
  if (fault === 'aborted') return new Problem('source_failed', { cause: error });
  return new Problem(CODES[fault], {
    rule: { kind: 'source', id, state: fault, mayHaveActed: error.mayHaveActed },
    ...(fault === 'busy' ? { headers: { 'Retry-After': String(error.retryAfter ?? 5) } } : {}),
    cause: error,
  });
}

function connectorRequest(exchange: DataExchange, deadline: number, config: Config): ConnectorRequest {
  const { valid, caller, operation, service, request } = exchange;
  if (valid === null || caller === null || operation === null || service === null)
    throw new Problem('internal_error');
  return {
    operationId: operation.id,
    method: request.method,
    path: valid.path,
    query: valid.query,
    headers: valid.headers,
    contentType: exchange.header('content-type') ?? null,
    body: exchange.body,
    json: valid.json,
    caller: {
      agency: caller.agency,
      system: caller.system,
      user: exchange.header('lgsp-user') ?? null,
      case: exchange.header('lgsp-case') ?? null,
    },
    requestId: exchange.id,
    traceparent: exchange.traceparent,
    deadline,
    maxResponseBytes: service.manifest.responseBytes ?? config.limits.responseBytes,
  };
}

/** Calls the source, within the service's time, and no longer than the caller waits. */
export function forward(parts: ForwardParts): Stage<DataExchange> {
  return {
    name: 'forward',
    needs: ['service', 'operation', 'caller', 'valid'],
    gives: ['source'],
    async run(exchange) {
      const { service, operation } = exchange;
      if (service === null || operation === null) throw new Problem('internal_error');
      if (operation.mutating) {
        nameSubjects(exchange, parts);
        await writeOpening(exchange, parts.recorder, parts.clock);
      }
      const timeoutMs = service.manifest.timeoutMs ?? parts.config.limits.timeoutMs;
      const started = parts.clock.now();
      const timer = setTimeout(() => exchange.signal.end('deadline'), timeoutMs);
      try {
        const source = service.connector();
        const connector = source instanceof Promise ? await source : source;
        const request = connectorRequest(exchange, started + timeoutMs, parts.config);
        exchange.source = await connector.call(request, exchange.signal);
        exchange.success = exchange.source.success;
      } catch (error) {
        throw sourceProblem(error, exchange);
      } finally {
        service.done();
        clearTimeout(timer);
        exchange.sourceMs = parts.clock.now() - started;
      }
    },
  };
}
