import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { findRevision, type ServiceRow, updateService } from '../../store/services.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { emergencyAccess, type EmergencyUse, noteUse } from './emergency.js';
import { assertCompatible } from './gate.js';
import { assertAnothersWork, assertStillSound, putInForce } from './publication.js';
import { idOf } from './reading.js';
import {
  assertMayResume,
  assertSamePublished,
  assertUnchanged,
  mustReach,
  nextState,
  reaches,
  SEE_ALL,
} from './rules.js';
import { assertNobodyLeft } from './retirement.js';
import { resumedNews, suspendedNews, tellConsumers } from './telling.js';
import { serviceView } from './views.js';

const DECIDE_ALL = ['manager'] as const;

function answer(
  call: ControlCall,
  before: ServiceRow,
  after: ServiceRow,
  used: EmergencyUse & { readonly told?: readonly string[] } = {},
): ControlResult {
  return {
    status: 200,
    body: serviceView(after, reaches(call.caller, after.provider, SEE_ALL)),
    act: {
      noun: 'service',
      key: after.id,
      before: serviceView(before, true),
      after: { ...serviceView(after, true), ...used },
    },
  };
}

export async function publish(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = idOf(call);
  const known = await mustReach(database.knex, id, call.caller, DECIDE_ALL);
  nextState(known, 'publish', clock.now());
  const revision = await findRevision(database.knex, id, known.latest_revision);
  if (revision === undefined) throw notFound();
  await assertAnothersWork(context, database.knex, known, { revision, caller: call.caller });
  await assertCompatible(database.knex, context, known, revision);
  const manifest = await assertStillSound(context, revision);
  const now = clock.now();
  const { before, patch } = await changing(database, { noun: 'service', key: id, at: now }, async (trx) => {
    const row = await mustReach(trx, id, call.caller, DECIDE_ALL);
    assertUnchanged(row, revision.revision);
    assertSamePublished(row, known.published_revision);
    return { before: row, patch: await putInForce(context, trx, row, { revision, manifest, at: now }) };
  });
  await context.refresh();
  return answer(call, before, { ...before, ...patch });
}

type Decision = 'suspend' | 'resume' | 'retire';

async function assertMayDecide(trx: Knex, call: ControlCall, row: ServiceRow, what: Decision, now: number) {
  if (what === 'resume') assertMayResume(call.caller, row);
  if (what === 'retire') await assertNobodyLeft(trx, row, now);
}

/** Nobody is left to be told of a retirement. @returns whom it told */
async function tellOf(
  trx: Knex,
  row: ServiceRow,
  what: Decision,
  { state_reason }: Partial<ServiceRow>,
  now: number,
) {
  if (what === 'retire') return {};
  const news = what === 'suspend' ? suspendedNews(row, state_reason ?? '') : resumedNews(row);
  return { told: await tellConsumers(trx, row, news, now) };
}

/** suspend, resume, retire: one way through for all three. */
export async function decide(
  context: ControlContext,
  call: ControlCall,
  what: Decision,
): Promise<ControlResult> {
  const { database, clock } = context;
  const id = idOf(call);
  const now = clock.now();
  const { reason = null } = (call.body ?? {}) as { reason?: string };
  const change = { noun: 'service', key: id, at: now } as const;
  const { before, patch, used } = await changing(database, change, async (trx) => {
    const access = what === 'retire' ? undefined : await emergencyAccess(trx, id, call.caller, now);
    const row = await mustReach(trx, id, call.caller, DECIDE_ALL, access);
    const state = nextState(row, what, now);
    await assertMayDecide(trx, call, row, what, now);
    const patch: Partial<ServiceRow> = {
      state,
      state_since: now,
      state_reason: reason?.trim() ?? null,
      state_by: call.caller.roles.includes('manager') ? 'manager' : 'provider',
      updated_at: now,
    };
    await updateService(trx, id, patch);
    const used = await noteUse(context, trx, access, { operation: call.operationId, at: now });
    return { before: row, patch, used: { ...used, ...(await tellOf(trx, row, what, patch, now)) } };
  });
  await context.refresh();
  return answer(call, before, { ...before, ...patch }, used);
}
