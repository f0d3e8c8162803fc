import type { Knex } from 'knex';
import { findAgency } from '../store/agencies.js';
import type { SystemState } from '../store/systems.js';
import { invalid, wrongTransition } from './refusals.js';

/** Accounts of systems and of people live by the same acts. */
export type AccountAct = 'lock' | 'unlock' | 'revoke' | 'extend';

/** From which states each act leads where. `revoked` is final: no act leads out of it. */
const ACCOUNT_ACTS: Readonly<Record<AccountAct, { from: readonly SystemState[]; to: SystemState | null }>> = {
  lock: { from: ['active'], to: 'locked' },
  unlock: { from: ['locked'], to: 'active' },
  revoke: { from: ['active', 'locked'], to: 'revoked' },
  extend: { from: ['active', 'locked'], to: null },
};

/** What a body says of such an act. */
export interface AskedAct {
  readonly reason: string;
  readonly document?: string;
  /** Lock only: at once, and the document is owed. */
  readonly emergency?: boolean;
  /** Extend only. */
  readonly validTo?: string | null;
}

export function nextState(
  noun: 'system' | 'person',
  row: { readonly id: string; readonly state: SystemState; readonly state_since: number },
  act: AccountAct,
): SystemState {
  const { from, to } = ACCOUNT_ACTS[act];
  if (from.includes(row.state)) return to ?? row.state;
  throw wrongTransition(noun, { id: row.id, state: row.state, since: row.state_since }, act);
}

export async function assertAgency(knex: Knex, code: string): Promise<void> {
  // By its code only: an alias here would give one agency's accounts two spellings in the record.
  if ((await findAgency(knex, code))?.code === code) return;
  throw invalid('/body/agency', 'exists', 'không có cơ quan này', 'there is no such agency');
}
