import { CommandFailure } from '../failure.js';
import type { Session, Step } from './session.js';

export type AccountState = 'active' | 'locked' | 'revoked';

/** An account, of a system or a person, as files want it. */
export interface WantedState {
  /** How messages call it, e.g. `system mot-cua`. */
  readonly label: string;
  readonly path: string;
  readonly state: AccountState;
  readonly document?: string | undefined;
  readonly reason?: string | undefined;
  /** It is locked at once, and the document is owed. */
  readonly emergency?: true | undefined;
}

/** Which acts lead from one state to another; the gateway's own table decides whether they may. */
const ACTS: Readonly<Record<string, string>> = {
  'active locked': 'lock',
  'active revoked': 'revoke',
  'locked active': 'unlock',
  'locked revoked': 'revoke',
};

export function stateSteps(session: Session, wanted: WantedState, now: AccountState): Step[] {
  const { label, path, state, document, reason = 'lgsp apply' } = wanted;
  if (now === state) return [];
  const act = ACTS[`${now} ${state}`];
  const atOnce = act === 'lock' && wanted.emergency === true;
  const paper = document === undefined ? {} : { document };
  const ground = { reason, ...(atOnce ? { emergency: true } : paper) };
  if (act === undefined) throw new CommandFailure(`${label}: it is ${now} and cannot become ${state}`);
  return [{ name: act, run: () => session.send(label, 'POST', `${path}/${act}`, ground) }];
}

/** @throws CommandFailure where nothing is said that a new account could rest on */
export function assertGround({ label, document, emergency }: WantedState): void {
  if (document !== undefined || emergency !== true) return;
  throw new CommandFailure(
    `${label}: it was locked in an emergency, and its document is owed; to enter it anew, name the document of its registration (document)`,
  );
}

/** The last day of an account, as files want it; undefined: none. */
export type WantedTerm = Omit<WantedState, 'state'> & { readonly validTo?: string | undefined };

/** A later last day is an extension; an earlier one is nothing that files can say. */
export function termSteps(session: Session, wanted: WantedTerm, now: string | null): Step[] {
  const { label, path, document, reason = 'lgsp apply', validTo = null } = wanted;
  if (now === validTo) return [];
  if (now === null || (validTo !== null && validTo < now))
    throw new CommandFailure(`${label}: a term is not shortened; lock or revoke the account`);
  const body = { validTo, reason, ...(document === undefined ? {} : { document }) };
  return [{ name: 'extend', run: () => session.send(label, 'POST', `${path}/extend`, body) }];
}
