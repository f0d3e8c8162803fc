import type { ProblemCode } from './problem.js';

/**
 * What a refusal rests on unless it says otherwise: code → references into the registry of legal bases. Only those
 * that the registry holds and that are in force on the day are shown, so a law and its successor stand side by side
 * here, and a province that enters neither shows none.
 */
export const PROBLEM_LEGAL: Readonly<Partial<Record<ProblemCode, readonly string[]>>> = {
  client_locked: ['491-qd-ubnd#d7.3'],
  client_revoked: ['491-qd-ubnd#d7.3'],
  document_required: ['491-qd-ubnd#d7.3'],
  grant_required: ['491-qd-ubnd#d2.6'],
  state_secret: ['luat-bvbmnn', 'luat-bvbmnn-2025', '491-qd-ubnd#d3.7'],
};
