import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { listCredentials, type SystemRow, updateCredential, updateSystem } from '../../store/systems.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { citation, mustRestOn, oweDocument } from '../papers.js';
import {
  assertExtends,
  assertNotSelf,
  assertOperatorRemains,
  mustFind,
  nextState,
  type SystemAct,
} from './rules.js';
import { systemView } from './views.js';

interface Asked {
  readonly reason: string;
  readonly document?: string;
  /** Lock only: at once, and the document is owed. */
  readonly emergency?: boolean;
  /** Extend only. */
  readonly validTo?: string | null;
}

async function revokeAll(trx: Knex.Transaction, id: string, now: number): Promise<void> {
  for (const credential of await listCredentials(trx, id))
    if (credential.revoked_at === null) await updateCredential(trx, credential.id, { revoked_at: now });
}

/** What the act rests on: its document, or the debt of one. */
async function ground(trx: Knex, context: ControlContext, call: ControlCall, what: SystemAct) {
  const { document, emergency, reason } = call.body as Asked;
  const key = call.path['id'] ?? '';
  if (what === 'lock' && emergency === true && document === undefined) {
    const debt = await oweDocument(trx, context, call.caller, { noun: 'system', key, act: what, reason });
    return { id: null, debt: { id: debt.id, dueAt: new Date(debt.due_at).toISOString() } };
  }
  const paper = await mustRestOn(trx, document, call.caller);
  return { id: paper.id, document: citation(paper) };
}

function changeOf(row: SystemRow, what: SystemAct, asked: Asked, now: number): Partial<SystemRow> {
  const reason = asked.reason.trim();
  if (what === 'extend') {
    assertExtends(row, asked.validTo ?? null, now);
    return { valid_to: asked.validTo ?? null, updated_at: now };
  }
  return { state: nextState(row, what), state_since: now, state_reason: reason, updated_at: now };
}

/** lock, unlock, revoke, extend: one way through for all of them, each on its document. */
export async function act(
  context: ControlContext,
  call: ControlCall,
  what: SystemAct,
): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const now = clock.now();
  if (what !== 'unlock') assertNotSelf(id, call.caller.system);
  const { before, patch, rests } = await changing(
    database,
    { noun: 'system', key: id, at: now },
    async (trx) => {
      const row = await mustFind(trx, id);
      const next = nextState(row, what);
      const change = changeOf(row, what, call.body as Asked, now);
      if (next !== 'active' && what !== 'extend') await assertOperatorRemains(trx, row, now);
      const { id: document, ...cited } = await ground(trx, context, call, what);
      const full = { ...change, state_document: document };
      await updateSystem(trx, id, full);
      if (next === 'revoked') await revokeAll(trx, id, now);
      return { before: row, patch: full, rests: cited };
    },
  );
  await context.refresh();
  const after = systemView({ ...before, ...patch });
  return {
    status: 200,
    body: after,
    act: { noun: 'system', key: id, before: systemView(before), after: { ...after, ...rests } },
  };
}
