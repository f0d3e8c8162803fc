import { hash } from 'node:crypto';
import type { Config } from '../base/config.js';
import type { PersonRow, ProofRow } from '../store/people.js';

/** What a person still has to do before they are signed in, one page each. */
export type Step = 'password' | 'code' | 'new-password' | 'enrol' | 'rules' | 'done';

/** How far an attempt has come. */
export interface Progress {
  readonly person: string;
  /** RFC 8176: what has been proved. */
  readonly methods: readonly ('pwd' | 'otp' | 'ext' | 'mfa')[];
  /** By what: an attempt is worth nothing once that is another. */
  readonly proved: string;
  /** While the second factor is set up: its secret, sealed. */
  readonly enrolling?: string;
}

/** What proves a person now, as one word that tells nothing of it. */
export function provedBy(proof: Pick<ProofRow, 'password_hash' | 'totp_sealed'>): string {
  return hash('sha256', JSON.stringify([proof.password_hash, proof.totp_sealed]), 'base64url');
}

export function needsSecondFactor(person: PersonRow, settings: Config['people']): boolean {
  const roles = JSON.parse(person.roles) as string[];
  return roles.some((role) => (settings.secondFactorRoles as readonly string[]).includes(role));
}

/**
 * The next thing to do. What proves the person comes before what changes anything, so that a password alone can
 * neither set another password nor another telephone where a code is due.
 */
export function nextStep(
  progress: Progress,
  person: PersonRow,
  proof: ProofRow,
  { people, rulesVersion }: { readonly people: Config['people']; readonly rulesVersion: string },
): Exclude<Step, 'password'> {
  const { methods } = progress;
  const second = methods.includes('otp') || methods.includes('mfa');
  if (proof.totp_sealed !== null && !second) return 'code';
  // Whoever came from another provider did not use the password.
  if (proof.temporary_until !== null && methods.includes('pwd')) return 'new-password';
  if (!second && needsSecondFactor(person, people)) return 'enrol';
  return proof.rules_version === rulesVersion ? 'done' : 'rules';
}
