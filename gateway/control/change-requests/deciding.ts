import type { Knex } from 'knex';
import {
  type ChangeRequestRow,
  findChangeRequest,
  stateAt,
  updateChangeRequest,
} from '../../store/change-requests.js';
import { type Change, changing } from '../../store/changes.js';
import { actorOf } from '../actor.js';
import type { ChangeEffect, ChangeExecutors } from '../change.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { wrongTransition } from '../refusals.js';
import { assertMakersAgency, assertNotMaker, assertPossible, assertSees, type ChangeAct } from './rules.js';
import { changeRequestView } from './views.js';

async function mustSee(knex: Knex, { path, caller }: ControlCall): Promise<ChangeRequestRow> {
  return assertSees(caller, await findChangeRequest(knex, path['id'] ?? ''));
}

/** One record of what was decided and of what that did. */
function answer(
  before: ChangeRequestRow,
  after: ChangeRequestRow,
  now: number,
  effect: ChangeEffect | null = null,
): ControlResult {
  const body = changeRequestView(after, now);
  const old = changeRequestView(before, now);
  const act =
    effect === null
      ? { before: old, after: body }
      : { before: { request: old, subject: effect.before }, after: { request: body, subject: effect.after } };
  return { status: 200, body, act: { noun: 'change_request', key: after.id, ...act } };
}

/** What other nodes have to read again: the service, where one is changed. */
function noteOf(row: ChangeRequestRow): Omit<Change, 'id'> {
  const changesService = row.kind === 'service.publish' || row.kind === 'service.promote';
  if (changesService) return { noun: 'service', key: row.subject_key };
  return { noun: 'change_request', key: row.id };
}

/** The decision and its effect are one transaction: either both happened or neither. */
export async function approve(
  context: ControlContext,
  executors: ChangeExecutors,
  call: ControlCall,
): Promise<ControlResult> {
  const { database, clock } = context;
  const known = await mustSee(database.knex, call);
  assertPossible(known, 'approve', clock.now());
  assertNotMaker(known, call.caller);
  const carryOut = await executors[known.kind]?.prepare(known, call.caller);
  const now = clock.now();
  const decided = await changing(database, { ...noteOf(known), at: now }, async (trx) => {
    const before = await mustSee(trx, call);
    assertPossible(before, 'approve', now);
    const effect = carryOut === undefined ? null : await carryOut(trx, now);
    const decision = { decided_by: actorOf(call.caller), decided_at: now };
    const patch = { state: effect?.state ?? ('approved' as const), state_since: now, ...decision };
    await updateChangeRequest(trx, before.id, patch);
    return { before, after: { ...before, ...patch }, effect };
  });
  await context.refresh();
  return answer(decided.before, decided.after, now, decided.effect);
}

type Check = (row: ChangeRequestRow, call: ControlCall) => void;

/** refuse, withdraw, complete: what changes nothing but the request itself. */
async function settle(
  context: ControlContext,
  call: ControlCall,
  act: Exclude<ChangeAct, 'approve'>,
  { check, patch }: { check: Check; patch: (now: number) => Partial<ChangeRequestRow> },
): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const note = { noun: 'change_request', key: call.path['id'] ?? '', at: now } as const;
  const { before, after } = await changing(database, note, async (trx) => {
    const row = await mustSee(trx, call);
    check(row, call);
    assertPossible(row, act, now);
    const change = { ...patch(now), state_since: now };
    await updateChangeRequest(trx, row.id, change);
    return { before: row, after: { ...row, ...change } };
  });
  return answer(before, after, now);
}

export async function refuse(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { reason } = call.body as { reason: string };
  const patch = (now: number) => ({
    state: 'refused' as const,
    decided_by: actorOf(call.caller),
    decided_at: now,
    decision_reason: reason.trim(),
  });
  return await settle(context, call, 'refuse', { check: (row) => assertNotMaker(row, call.caller), patch });
}

export async function withdraw(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const check: Check = (row) => assertMakersAgency(row, call.caller);
  return await settle(context, call, 'withdraw', { check, patch: () => ({ state: 'withdrawn' }) });
}

/** Only what is agreed to here and done elsewhere is marked done by hand: the rest is done by its approval. */
export async function complete(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const check: Check = (row) => {
    if (row.kind === 'upgrade') return;
    const { state, state_since } = stateAt(row, context.clock.now());
    throw wrongTransition('change_request', { id: row.id, state, since: state_since }, 'complete');
  };
  return await settle(context, call, 'complete', { check, patch: () => ({ state: 'done' }) });
}
