import { Problem } from '../../base/problem.js';
import type { Manifest } from '../../catalogue/manifest.js';
import { changing } from '../../store/changes.js';
import {
  findRevision,
  markPublished,
  type RevisionRow,
  serviceCredentials,
  type ServiceRow,
  updateService,
} from '../../store/services.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { idOf } from './reading.js';
import { assertMayResume, assertUnchanged, mustReach, nextState, reaches, SEE_ALL } from './rules.js';
import { serviceView } from './views.js';
import { manifestColumns } from './writing.js';

const DECIDE_ALL = ['manager'] as const;

function answer(call: ControlCall, before: ServiceRow, after: ServiceRow): ControlResult {
  return {
    status: 200,
    body: serviceView(after, reaches(call.caller, after.provider, SEE_ALL)),
    act: {
      noun: 'service',
      key: after.id,
      before: serviceView(before, true),
      after: serviceView(after, true),
    },
  };
}

/** The rules may have grown stricter since the revision was saved, so it is checked once more. */
async function assertStillSound(context: ControlContext, revision: RevisionRow): Promise<Manifest> {
  const stored = await serviceCredentials(context.database.knex, revision.service_id);
  const names = stored.map(({ name }) => name);
  const { ok, faults, manifest } = await context.checkService(
    JSON.parse(revision.declared ?? revision.manifest) as unknown,
    revision.document,
    names,
  );
  if (!ok) throw new Problem('contract_invalid', { errors: faults });
  return manifest as Manifest;
}

export async function publish(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = idOf(call);
  const known = await mustReach(database.knex, id, call.caller, DECIDE_ALL);
  nextState(known, 'publish');
  const revision = await findRevision(database.knex, id, known.latest_revision);
  if (revision === undefined) throw notFound();
  const manifest = await assertStillSound(context, revision);
  const now = clock.now();
  const { before, patch } = await changing(database, { noun: 'service', key: id, at: now }, async (trx) => {
    const row = await mustReach(trx, id, call.caller, DECIDE_ALL);
    const state = nextState(row, 'publish');
    assertUnchanged(row, revision.revision);
    const change: Partial<ServiceRow> = {
      ...manifestColumns(manifest),
      state,
      state_since: row.state === state ? row.state_since : now,
      state_reason: null,
      state_by: 'manager',
      published_revision: revision.revision,
      updated_at: now,
    };
    await updateService(trx, id, change);
    if (revision.published_at === null) await markPublished(trx, id, revision.revision, now);
    return { before: row, patch: change };
  });
  await context.refresh();
  return answer(call, before, { ...before, ...patch });
}

/** suspend, resume, retire: one way through for all three. */
export async function decide(
  context: ControlContext,
  call: ControlCall,
  what: 'suspend' | 'resume' | 'retire',
): Promise<ControlResult> {
  const { database, clock } = context;
  const id = idOf(call);
  const now = clock.now();
  const { reason = null } = (call.body ?? {}) as { reason?: string };
  const { before, patch } = await changing(database, { noun: 'service', key: id, at: now }, async (trx) => {
    const row = await mustReach(trx, id, call.caller, DECIDE_ALL);
    const state = nextState(row, what);
    if (what === 'resume') assertMayResume(call.caller, row);
    const change: Partial<ServiceRow> = {
      state,
      state_since: now,
      state_reason: reason?.trim() ?? null,
      state_by: call.caller.roles.includes('manager') ? 'manager' : 'provider',
      updated_at: now,
    };
    await updateService(trx, id, change);
    return { before: row, patch: change };
  });
  await context.refresh();
  return answer(call, before, { ...before, ...patch });
}
