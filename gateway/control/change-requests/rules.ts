import {
  type ChangeRequestFilter,
  type ChangeRequestRow,
  type ChangeState,
  stateAt,
} from '../../store/change-requests.js';
import { actorOf } from '../actor.js';
import type { ControlCall } from '../handler.js';
import { beyondRole, notFound, ownDecision, wrongTransition } from '../refusals.js';

type Caller = ControlCall['caller'];
export type ChangeAct = 'approve' | 'refuse' | 'withdraw' | 'complete';

/** From which state each act leads on. Where approval leads depends on what it did. */
export const CHANGE_ACTS: Readonly<Record<ChangeAct, ChangeState>> = {
  approve: 'pending',
  refuse: 'pending',
  withdraw: 'pending',
  complete: 'approved',
};

const SEE_ALL = ['owner', 'manager', 'operator', 'auditor'];
/** A manifest names the address of the source. */
const SEE_MANIFESTS = ['manager', 'operator', 'auditor'];

const HOUR_MS = 3_600_000;

/** How long a request waits for a decision: an emergency is none any more after a day. */
export function waitsFor(kind: ChangeRequestRow['kind']): number {
  return kind === 'service.access' ? 24 * HOUR_MS : 30 * 24 * HOUR_MS;
}

/** Whose requests the caller may see, as the store filters them. */
export function scopeOf({ roles, agency }: Caller): ChangeRequestFilter['of'] {
  return roles.some((role) => SEE_ALL.includes(role)) ? 'all' : { agency };
}

/** Another agency's request does not exist, unless it is about a service of one's own. */
export function assertSees(caller: Caller, row: ChangeRequestRow | undefined): ChangeRequestRow {
  if (row === undefined) throw notFound();
  const scope = scopeOf(caller);
  if (scope !== 'all' && row.made_agency !== scope.agency && row.provider !== scope.agency) throw notFound();
  return row;
}

export function seesManifests(caller: Caller, provider: string | null): boolean {
  if (caller.roles.some((role) => SEE_MANIFESTS.includes(role))) return true;
  return caller.roles.includes('provider') && caller.agency === provider;
}

/** Says in which state it is and since when: of two who decide at once, the second reads what the first did. */
export function assertPossible(row: ChangeRequestRow, act: ChangeAct, now: number): void {
  const { state, state_since } = stateAt(row, now);
  if (state === CHANGE_ACTS[act]) return;
  throw wrongTransition('change_request', { id: row.id, state, since: state_since }, act);
}

export function assertNotMaker(row: ChangeRequestRow, caller: Caller): void {
  if (row.made_by !== actorOf(caller)) return;
  throw ownDecision(
    'Người lập yêu cầu thay đổi không được tự duyệt hoặc từ chối; hãy đề nghị người quản lý khác.',
    'Whoever made a change request does not decide on it; ask another manager.',
  );
}

export function assertMakersAgency(row: ChangeRequestRow, caller: Caller): void {
  if (row.made_agency === caller.agency) return;
  throw beyondRole(
    caller.roles,
    'Chỉ cơ quan lập yêu cầu được rút lại.',
    'Only the agency that made a request withdraws it.',
  );
}

/** What only the operating unit asks for. */
export function assertMayAsk(caller: Caller, kind: ChangeRequestRow['kind']): void {
  if (kind === 'service.publish' || kind === 'service.promote' || caller.roles.includes('operator')) return;
  throw beyondRole(
    caller.roles,
    'Truy cập khẩn cấp và nâng cấp do đơn vị vận hành đề nghị.',
    'Emergency access and upgrades are asked for by the operator.',
  );
}
