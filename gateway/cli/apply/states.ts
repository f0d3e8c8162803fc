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
  const ground = { reason, ...(document === undefined ? {} : { document }) };
  if (now === state) return [];
  const act = ACTS[`${now} ${state}`];
  if (act === undefined) throw new CommandFailure(`${label}: it is ${now} and cannot become ${state}`);
  return [{ name: act, run: () => session.send(label, 'POST', `${path}/${act}`, ground) }];
}
