import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { listCredentials, type SystemRow, updateCredential, updateSystem } from '../../store/systems.js';
import { type AccountAct, type AskedAct, nextState } from '../accounts.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { groundOf } from '../papers.js';
import { assertMayEmpower } from '../powers.js';
import { assertExtends } from '../terms.js';
import { assertNotSelf, assertOperatorRemains, mustFind, rolesOf } from './rules.js';
import { systemView } from './views.js';

async function revokeAll(trx: Knex.Transaction, id: string, now: number): Promise<void> {
  for (const credential of await listCredentials(trx, id))
    if (credential.revoked_at === null) await updateCredential(trx, credential.id, { revoked_at: now });
}

function changeOf(row: SystemRow, what: AccountAct, asked: AskedAct, now: number): Partial<SystemRow> {
  const reason = asked.reason.trim();
  if (what === 'extend') {
    assertExtends(row.valid_to ?? null, asked.validTo ?? null, now);
    return { valid_to: asked.validTo ?? null, updated_at: now };
  }
  return { state: nextState('system', row, what), state_since: now, state_reason: reason, updated_at: now };
}

/** lock, unlock, revoke, extend: one way through for all of them, each on its document. */
export async function act(
  context: ControlContext,
  call: ControlCall,
  what: AccountAct,
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
      const next = nextState('system', row, what);
      const change = changeOf(row, what, call.body as AskedAct, now);
      // To let it in again is to empower it; to shut it out is everybody's duty.
      if (what === 'unlock' || what === 'extend') assertMayEmpower(call.caller, rolesOf(row));
      if (next !== 'active' && what !== 'extend') await assertOperatorRemains(trx, row, now);
      const { id: document, ...cited } = await groundOf(trx, context, call, { noun: 'system', act: what });
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
