import type { Answer, Exchange, Stage } from '../base/exchange.js';
import type { Logger } from '../base/log.js';
import { Problem } from '../base/problem.js';
import { outcomeOf, tokenReason } from './call-record.js';
import type { RefusalFlood } from '../audit/refusal-flood.js';

/** The caller hung up: nothing is left to answer, only to record. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

function callerLeft(exchange: Exchange): boolean {
  return exchange.ended === 'caller';
}

async function walk<X extends Exchange>(exchange: X, stages: readonly Stage<X>[]): Promise<void> {
  for (const stage of stages) {
    exchange.stage = stage.name;
    const pending = stage.run(exchange);
    if (pending !== undefined) await pending;
    if (callerLeft(exchange)) throw new CallerGone();
  }
}

function refusal(error: unknown, exchange: Exchange, log: Logger): Problem {
  const problem = error instanceof Problem ? error : new Problem('internal_error', { cause: error });
  if (problem.status >= 500 && problem.code !== 'service_suspended') {
    log.warn(
      { err: problem.parts.cause ?? problem, id: exchange.id, code: problem.code, stage: exchange.stage },
      'call failed',
    );
  }
  return problem;
}

export interface RunParts {
  /** Null for public documents, which are nobody's data. */
  readonly recordStage: Stage | null;
  /** Writes a refusal out; the sole writer of problem+json. */
  readonly refuse: (exchange: Exchange, problem: Problem) => Answer;
  /** Where refusals are counted that are too many to be written one by one; null where nothing is recorded. */
  readonly flood: Pick<RefusalFlood, 'counts'> | null;
  readonly log: Logger;
}

function end(exchange: Exchange, error: unknown, { refuse, log, flood }: RunParts): void {
  exchange.answer = null;
  exchange.callerGone = callerLeft(exchange);
  if (!exchange.callerGone) exchange.problem = refusal(error, exchange, log);
  if (exchange.stage !== 'record') exchange.counted = isCounted(exchange, flood);
  if (exchange.problem !== null && !exchange.callerGone) exchange.answer = refuse(exchange, exchange.problem);
}

/** Only what nobody vouched for and what left no trace before; a fault of ours is always written down. */
function isCounted(exchange: Exchange, flood: RunParts['flood']): boolean {
  const { caller, opening, plane, problem, request } = exchange;
  if (flood === null || caller !== null || opening !== null) return false;
  const outcome = outcomeOf(exchange);
  if (outcome !== 'refused' && outcome !== 'aborted') return false;
  const code = problem?.code ?? outcome;
  return flood.counts({ address: request.address, plane, code, reason: tokenReason(exchange) });
}

/**
 * Takes an exchange through its doors, then through the recorder. Afterwards it holds what may leave: an answer,
 * a refusal, or nothing because the caller left; and, but for `record_unavailable`, its record is durable, or it
 * was counted as one of a flood.
 */
export async function run<X extends Exchange>(
  exchange: X,
  stages: readonly Stage<X>[],
  parts: RunParts,
): Promise<void> {
  try {
    await walk(exchange, stages);
  } catch (error) {
    end(exchange, error, parts);
  }
  if (parts.recordStage === null || exchange.counted) return;
  try {
    await parts.recordStage.run(exchange);
  } catch (error) {
    exchange.stage = parts.recordStage.name;
    end(exchange, error, parts);
  }
}
