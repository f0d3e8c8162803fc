import type { ConnectorAnswer } from '../../../connectors/connector.js';
import type { Answer, Stage } from '../../base/exchange.js';
import type { Logger } from '../../base/log.js';
import { type Fault, Problem } from '../../base/problem.js';
import type { Operation } from '../../catalogue/contract.js';
import type { PublishedService } from '../../catalogue/published-service.js';
import { stillAllowed } from '../allowed.js';
import type { DataExchange } from '../exchanges.js';
import { disclose } from '../disclose.js';
import type { GrantParts } from '../granted.js';
import { passedHeaders } from '../passed-headers.js';
import { stopSecretAnswer } from '../state-secret.js';

/** A source that says 5xx without the contract promising it has failed; anything else unpromised is a wrong answer. */
function refusal(exchange: DataExchange, faults: readonly Fault[]): Problem {
  const status = exchange.source?.status ?? 0;
  const undocumented = faults.some((fault) => fault.keyword === 'status');
  const rule = {
    kind: 'schema',
    id: `${exchange.service?.id ?? ''} ${exchange.operation?.id ?? ''}`,
    state: 'enforce',
  } as const;
  if (status >= 500 && undocumented) {
    return new Problem('source_failed', {
      rule: { kind: 'source', id: exchange.service?.id ?? '', state: 'failed' },
    });
  }
  return new Problem('response_invalid', { rule, errors: faults });
}

/**
 * What of an answer may leave.
 *
 * @throws Problem `state_secret` when it says itself to be one
 */
export function releasable(
  exchange: DataExchange,
  source: ConnectorAnswer,
  operation: Operation,
  service: PublishedService,
): Answer {
  if (service.marks?.inResponses === true) stopSecretAnswer(exchange, service.marks);
  return {
    status: source.status,
    headers: passedHeaders(source.headers, operation.answerHeaders),
    body: source.body,
  };
}

/** Holds the source's answer against the published contract: `enforce` refuses it, `report` lets it pass and notes it. */
export function checkResponse(parts: GrantParts & { log: Logger }): Stage<DataExchange> {
  const { log } = parts;
  return {
    name: 'check-response',
    needs: ['source', 'operation', 'service', 'caller', 'system', 'agency', 'grant'],
    gives: ['answer'],
    run(exchange) {
      const { source, operation, service, system, agency, caller } = exchange;
      if (source === null || operation === null || service === null || system === null)
        throw new Problem('internal_error');
      // The source took its time: what allowed the call may have ended meanwhile, and then nothing is released.
      const grant = stillAllowed(parts, { system, agency, service, operation: operation.id, caller });
      const contentType = source.headers['content-type'] ?? null;
      const faults = operation.validateResponse({ ...source, contentType });
      if (faults !== null) {
        if (service.manifest.responseCheck === 'enforce') throw refusal(exchange, faults);
        exchange.note = 'response_invalid';
        log.warn(
          { service: service.id, operation: operation.id, pointers: faults.map((f) => f.pointer) },
          'answer off contract',
        );
      }
      exchange.answer = releasable(exchange, source, operation, service);
      const disclosure = grant?.disclosure(operation.id) ?? null;
      if (disclosure !== null) disclose(exchange, disclosure);
    },
  };
}
