import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { type PersonRow, updatePerson, updateProof } from '../../store/people.js';
import { endSessions, forgetGuesses } from '../../store/sign-ins.js';
import { type AccountAct, type AskedAct, nextState } from '../accounts.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { groundOf } from '../papers.js';
import { assertMayEmpower } from '../powers.js';
import { assertExtends } from '../terms.js';
import { assertNotSelf, mustFind } from './rules.js';
import { personView, rolesOf } from './views.js';

function changeOf(row: PersonRow, what: AccountAct, asked: AskedAct, now: number): Partial<PersonRow> {
  const state = nextState('person', row, what);
  if (what !== 'extend')
    return { state, state_since: now, state_reason: asked.reason.trim(), updated_at: now };
  assertExtends(row.valid_to, asked.validTo ?? null, now);
  return { valid_to: asked.validTo ?? null, updated_at: now };
}

/** What else goes with the act: a locked or revoked person is out at once, a revoked one has nothing left to prove. */
async function consequences(trx: Knex, id: string, what: AccountAct, now: number): Promise<void> {
  if (what === 'lock' || what === 'revoke') await endSessions(trx, id, now);
  if (what === 'unlock') await forgetGuesses(trx, id);
  if (what === 'revoke')
    await updateProof(trx, id, { password_hash: null, password_history: '[]', totp_sealed: null });
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
  assertNotSelf(id, call.caller);
  const { before, patch, rests } = await changing(
    database,
    { noun: 'person', key: id, at: now },
    async (trx) => {
      const { row } = await mustFind(trx, id);
      const change = changeOf(row, what, call.body as AskedAct, now);
      // To let somebody in again is to empower them; to shut them out is everybody's duty.
      if (what === 'unlock' || what === 'extend') assertMayEmpower(call.caller, rolesOf(row));
      const { id: document, ...cited } = await groundOf(trx, context, call, { noun: 'person', act: what });
      const full = { ...change, state_document: document };
      await updatePerson(trx, id, full);
      await consequences(trx, id, what, now);
      return { before: row, patch: full, rests: cited };
    },
  );
  await context.refresh();
  const after = personView({ ...before, ...patch });
  return {
    status: 200,
    body: after,
    act: { noun: 'person', key: id, before: personView(before), after: { ...after, ...rests } },
  };
}
