import type { Problem } from '../base/problem.js';
import { resourceMetadataUrl } from '../identity/resources.js';
import { refusal } from '../identity/token-refusal.js';

/** The refusal of a token that is bound to nothing, by whoever accepts only bound ones. */
export function senderRequired(kind: 'system' | 'service', id: string, publicUrl: string): Problem {
  const rule = { kind, id, state: 'sender_constrained' } as const;
  return refusal('required', resourceMetadataUrl(publicUrl), { rule });
}
