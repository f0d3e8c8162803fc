import type { ApiAnswer } from './api.js';
import { CommandFailure } from './failure.js';

interface SentProblem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly errors?: readonly { pointer: string; message: unknown }[];
}

const said = (message: unknown): string =>
  typeof message === 'string' ? message : ((message as { en?: string } | null)?.en ?? '');

/** A refusal in words: what was tried, why not, and where. */
export function refusal(what: string, { status, body }: ApiAnswer): CommandFailure {
  const problem = (typeof body === 'object' && body !== null ? body : {}) as SentProblem;
  const head = `${what}: ${problem.code ?? `status ${status}`} – ${problem.detail ?? problem.title ?? 'refused'}`;
  const faults = (problem.errors ?? []).map(({ pointer, message }) => `  ${pointer} ${said(message)}`);
  return new CommandFailure([head, ...faults].join('\n'));
}
