import { createHash } from 'node:crypto';
import type { AuditRecord } from '../audit/record.js';
import type { Exchange, Outcome } from '../base/exchange.js';

/** Refusals are the caller's to mend; these are ours or the source's. */
const OUR_FAULT = 500;

export function outcomeOf(exchange: Exchange): Outcome {
  if (exchange.callerGone) return 'aborted';
  if (exchange.problem === null) return 'answered';
  const { code, status } = exchange.problem;
  const decided = code === 'service_suspended' || code === 'overloaded';
  return status < OUR_FAULT || decided ? 'refused' : 'failed';
}

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url');
}

const short = (value: string | undefined): string | undefined => value?.slice(0, 128);

/** The part that an opening and a closing record share: who, what, from where. */
function facts(exchange: Exchange): Partial<AuditRecord> {
  const { route, caller, request } = exchange;
  return {
    agency: caller?.agency,
    system: caller?.system,
    tokenId: caller?.tokenId,
    keyId: caller?.keyId,
    user: caller === null ? undefined : short(exchange.header('lgsp-user')),
    case: caller === null ? undefined : short(exchange.header('lgsp-case')),
    address: request.address,
    provider: route?.provider ?? undefined,
    service: route?.service ?? undefined,
    version: route?.version ?? undefined,
    operation: route?.operation ?? undefined,
    sharing: route?.sharing ?? undefined,
    path: route?.template ?? undefined,
    method: request.method.slice(0, 16),
    trace: exchange.traceId,
  } as Partial<AuditRecord>;
}

export function openingRecord(exchange: Exchange, id: string): AuditRecord {
  return {
    v: 1,
    id,
    kind: 'opening',
    plane: exchange.plane,
    received: new Date(exchange.receivedAt).toISOString(),
    ...facts(exchange),
    ...(exchange.body === null
      ? {}
      : { bytesIn: exchange.body.length, requestSha256: sha256(exchange.body) }),
  };
}

/** How the attempt ended. Written once for every call that came in, whatever became of it. */
export function closingRecord(exchange: Exchange, releasedAt: number): AuditRecord {
  const { answer, problem, body } = exchange;
  const outcome = outcomeOf(exchange);
  const leaves = outcome !== 'aborted' && answer !== null;
  return {
    v: 1,
    id: exchange.id,
    kind: 'closing',
    plane: exchange.plane,
    received: new Date(exchange.receivedAt).toISOString(),
    released: new Date(releasedAt).toISOString(),
    ...facts(exchange),
    outcome,
    stage: exchange.stage,
    ...(exchange.opening === null ? {} : { opening: exchange.opening }),
    ...(exchange.sourceMs === null ? {} : { sourceMs: exchange.sourceMs }),
    ...(problem === null ? (exchange.note === null ? {} : { code: exchange.note }) : { code: problem.code }),
    ...(exchange.success === null ? {} : { success: exchange.success }),
    ...(body === null ? {} : { bytesIn: body.length, requestSha256: sha256(body) }),
    ...(leaves
      ? { status: answer.status, bytesOut: answer.body.length, responseSha256: sha256(answer.body) }
      : {}),
    ...(exchange.act === null ? {} : { target: exchange.act }),
  };
}
