import {
  type BreakGlassFilter,
  type BreakGlassRow,
  breakGlassState,
  findBreakGlass,
  pageBreakGlass,
  updateBreakGlass,
} from '../../store/break-glass.js';
import { updateChangeRequest } from '../../store/change-requests.js';
import { changing } from '../../store/changes.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { postToProvider, tellProvider } from '../provider-notice.js';
import { beyondRole, notFound, wrongTransition } from '../refusals.js';
import { breakGlassView } from './views.js';

type Caller = ControlCall['caller'];

const SEE_ALL = ['owner', 'manager', 'operator', 'auditor'];

function scopeOf({ roles, agency }: Caller): BreakGlassFilter['of'] {
  return roles.some((role) => SEE_ALL.includes(role)) ? 'all' : { agency };
}

async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const now = clock.now();
  const { state, service } = call.query as Omit<BreakGlassFilter, 'of'>;
  const filter = { state, service, of: scopeOf(call.caller) };
  const page = await pageBreakGlass(database, filter, pageAsked(call.query), now);
  return { status: 200, body: pageBody(page, (row) => breakGlassView(row, now)) };
}

/** Its holder, a manager, or the provider whose service it is. Another agency's does not exist. */
function assertMayClose(caller: Caller, row: BreakGlassRow): void {
  const scope = scopeOf(caller);
  if (scope !== 'all' && row.provider !== scope.agency) throw notFound();
  const { roles } = caller;
  const ofProvider = roles.includes('provider') && caller.agency === row.provider;
  if (roles.includes('manager') || ofProvider || actorOf(caller) === row.actor) return;
  throw beyondRole(
    roles,
    'Truy cập khẩn cấp do người được cấp, người quản lý hoặc cơ quan cung cấp đóng.',
    'An emergency access is closed by its holder, a manager or the provider.',
  );
}

function assertActive(row: BreakGlassRow, now: number): void {
  const { state, since } = breakGlassState(row, now);
  if (state !== 'active') throw wrongTransition('break_glass', { id: row.number, state, since }, 'close');
}

async function close(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const number = call.path['number'] ?? '';
  const note = { noun: 'break_glass', key: number, at: now } as const;
  const { before, after, providerNotices } = await changing(database, note, async (trx) => {
    const row = await findBreakGlass(trx, number);
    if (row === undefined) throw notFound();
    assertMayClose(call.caller, row);
    assertActive(row, now);
    const closed_by = actorOf(call.caller);
    const change = { closed_at: now, closed_by };
    await updateBreakGlass(trx, number, change);
    await updateChangeRequest(trx, row.change_request_id, { state: 'done', state_since: now });
    const notices = [tellProvider('closed', row, closed_by, now)];
    await postToProvider(context, trx, notices);
    return { before: row, after: { ...row, ...change }, providerNotices: notices };
  });
  const body = breakGlassView(after, now);
  const act = { before: breakGlassView(before, now), after: { ...body, providerNotices } };
  return { status: 200, body, act: { noun: 'break_glass', key: number, ...act } };
}

/** Accesses in an emergency: which there are and were, and the early end of one. */
export function breakGlassRoutes(context: ControlContext): ControlHandlers {
  return {
    listBreakGlass: (call) => list(context, call),
    closeBreakGlass: (call) => close(context, call),
  };
}
