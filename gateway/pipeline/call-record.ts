import { hash } from 'node:crypto';
import type { AuditRecord } from '../audit/record.js';
import type { Exchange, Outcome } from '../base/exchange.js';
import type { Problem } from '../base/problem.js';
import { claimedBy } from '../identity/claimed.js';

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
  return hash('sha256', body, 'base64url');
}

function bodyDigest(exchange: Exchange): string | undefined {
  if (exchange.body === null) return undefined;
  exchange.bodySha256 ??= sha256(exchange.body);
  return exchange.bodySha256;
}

const short = (value: string | undefined): string | undefined => value?.slice(0, 128);

/** A record while it is written: every member is there from the start, so that all records have one shape. */
type Draft = { -readonly [K in keyof AuditRecord]: AuditRecord[K] | undefined };

/** The part that an opening and a closing record share: who, what, from where. */
function draft(exchange: Exchange, id: string, kind: 'opening' | 'closing'): Draft {
  const { route, caller, request, body } = exchange;
  return {
    v: 1,
    id,
    kind,
    plane: exchange.plane,
    opening: undefined,
    received: new Date(exchange.receivedAt).toISOString(),
    released: undefined,
    sourceMs: undefined,
    agency: caller?.agency,
    system: caller?.system,
    tokenId: caller?.tokenId,
    keyId: caller?.keyId,
    boundTo: caller?.boundTo,
    // Who signed in is known; whom a system names is its own word.
    user: caller === null ? undefined : (caller.user ?? short(exchange.header('lgsp-user'))),
    case: caller === null ? undefined : short(exchange.header('lgsp-case')),
    address: request.address,
    provider: route?.provider ?? undefined,
    service: route?.service ?? undefined,
    version: route?.version ?? undefined,
    operation: route?.operation ?? undefined,
    sharing: route?.sharing ?? undefined,
    grant: exchange.grantId ?? undefined,
    disclosed: undefined,
    path: route?.template ?? undefined,
    method: request.method.slice(0, 16),
    trace: exchange.traceId,
    subjects: exchange.subjects?.length === 0 ? undefined : (exchange.subjects ?? undefined),
    subjectsLeftOut: exchange.subjectsLeftOut > 0 ? exchange.subjectsLeftOut : undefined,
    bytesIn: body?.length,
    requestSha256: bodyDigest(exchange),
    outcome: undefined,
    stage: undefined,
    code: undefined,
    reason: undefined,
    claimed: undefined,
    success: undefined,
    status: undefined,
    bytesOut: undefined,
    responseSha256: undefined,
    target: undefined,
  };
}

export function openingRecord(exchange: Exchange, id: string): AuditRecord {
  const record = draft(exchange, id, 'opening');
  record.target = exchange.act ?? undefined;
  return record as AuditRecord;
}

const refusesToken = (problem: Problem | null): problem is Problem =>
  problem !== null && problem.code.startsWith('token_') && problem.code !== 'token_missing';

/** Why a token was refused; undefined for whatever else went wrong. */
export function tokenReason({ problem }: Pick<Exchange, 'problem'>): string | undefined {
  return refusesToken(problem) ? problem.parts.rule?.state : undefined;
}

/** Who a refused token says it is from, so that a guess can be told from a stranger; never the token. */
function noteToken(record: Draft, exchange: Exchange): void {
  const { problem, caller } = exchange;
  if (!refusesToken(problem)) return;
  record.reason = tokenReason(exchange);
  if (caller === null) record.claimed = claimedBy(exchange.header('authorization'));
}

/** How the attempt ended. Written once for every call that came in, whatever became of it. */
export function closingRecord(exchange: Exchange, releasedAt: number): AuditRecord {
  const { answer, problem } = exchange;
  const record = draft(exchange, exchange.id, 'closing');
  record.released = new Date(releasedAt).toISOString();
  record.outcome = outcomeOf(exchange);
  record.stage = exchange.stage;
  record.opening = exchange.opening ?? undefined;
  record.sourceMs = exchange.sourceMs ?? undefined;
  record.code = problem?.code ?? exchange.note ?? undefined;
  noteToken(record, exchange);
  record.success = exchange.success ?? undefined;
  record.target = exchange.act ?? undefined;
  if (record.outcome !== 'aborted' && answer !== null) {
    record.status = answer.status;
    record.bytesOut = answer.body.length;
    record.responseSha256 = sha256(answer.body);
    if (record.outcome === 'answered') record.disclosed = exchange.disclosed ?? undefined;
  }
  if (exchange.streamed !== null) {
    // Also of a download that was broken off: its status and these bytes had left.
    record.status = answer?.status;
    record.bytesOut = exchange.streamed.bytes;
    record.responseSha256 = exchange.streamed.sha256;
  }
  return record as AuditRecord;
}
