import { type DecisionRule, Problem } from '../base/problem.js';

/** The same answer for what is not there and for what the caller may not know of. */
export function notFound(): Problem {
  return new Problem('object_not_found');
}

export function conflict(vi: string, en: string, rule?: DecisionRule): Problem {
  return new Problem('conflict', { detail: { vi, en }, ...(rule === undefined ? {} : { rule }) });
}

/** A request that has the right structure and yet cannot be meant. */
export function invalid(pointer: string, keyword: string, vi: string, en: string): Problem {
  return new Problem('request_invalid', { errors: [{ pointer, keyword, message: { vi, en } }] });
}

export function ownDecision(vi: string, en: string): Problem {
  return new Problem('own_decision', { detail: { vi, en } });
}

/** Refuses because the object is in a state from which the act does not lead on. */
export function wrongTransition(
  kind:
    | 'system'
    | 'service'
    | 'sharing_request'
    | 'grant'
    | 'account_request'
    | 'difficulty'
    | 'change_request'
    | 'break_glass'
    | 'person',
  object: { id: string; state: string; since: number },
  act: string,
): Problem {
  return new Problem('transition_not_allowed', {
    detail: {
      vi: `Đối tượng đang ở trạng thái «${object.state}», không thực hiện được «${act}».`,
      en: `The ${kind.replace('_', ' ')} is ${object.state}; ${act} is not possible from there.`,
    },
    rule: { kind, id: object.id, state: object.state, since: new Date(object.since).toISOString(), act },
  });
}

/** The caller's role reaches only part of what the operation does, and not this part. */
export function beyondRole(held: readonly string[], vi: string, en: string): Problem {
  return new Problem('role_required', {
    detail: { vi, en },
    rule: { kind: 'role', state: 'limited', held: [...held] },
  });
}
