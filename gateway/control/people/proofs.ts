import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { passwordsOf, type ProofRow, updateProof } from '../../store/people.js';
import { endSessions, forgetGuesses } from '../../store/sign-ins.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { tellOwner } from '../account-notice.js';
import { citation, mustRestOn } from '../papers.js';
import { assertMayEmpower } from '../powers.js';
import { assertLiving, assertNotSelf, mustFind } from './rules.js';
import { personDetails, rolesOf } from './views.js';

/** What shows a secret is kept by nobody on the way. */
export const NO_STORE = { 'cache-control': 'no-store' } as const;

const HOUR_MS = 3_600_000;

export function temporaryUntil({ clock, config }: ControlContext): number {
  return clock.now() + config.people.temporaryHours * HOUR_MS;
}

interface Reset {
  readonly what: 'password_reset' | 'second_factor_reset';
  readonly patch: (proof: ProofRow) => Partial<ProofRow>;
}

/** Whatever proved the person until now is worth nothing any more, nor are the sessions that it opened. */
async function reset(context: ControlContext, call: ControlCall, { what, patch }: Reset) {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const now = clock.now();
  const { reason, document } = call.body as { reason: string; document?: string };
  assertNotSelf(id, call.caller);
  const done = await changing(
    database,
    { noun: 'person', key: id, at: now },
    async (trx: Knex.Transaction) => {
      const { row, proof } = await mustFind(trx, id);
      assertLiving(row, what);
      assertMayEmpower(call.caller, rolesOf(row));
      const paper = await mustRestOn(trx, document, call.caller);
      const changed = patch(proof);
      await updateProof(trx, id, changed);
      await endSessions(trx, id, now);
      await forgetGuesses(trx, id);
      const { agency_code: agency } = row;
      await tellOwner(trx, call.caller, { event: what, agency, noun: 'person', key: id, at: now });
      const after = personDetails(row, { ...proof, ...changed });
      return { before: personDetails(row, proof), after, paper: citation(paper) };
    },
  );
  await context.refresh();
  const { before, after, paper } = done;
  const rests = { act: what, reason: reason.trim(), document: paper };
  return { after, act: { noun: 'person', key: id, before, after: { ...after, ...rests } } };
}

/** A new temporary password, shown once; to be changed when it is first used. */
export async function resetPassword(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const password = context.passwords.temporary();
  const password_hash = await context.passwords.hash(password);
  const { after, act } = await reset(context, call, {
    what: 'password_reset',
    patch: (proof) => ({
      password_hash,
      password_at: context.clock.now(),
      temporary_until: temporaryUntil(context),
      password_history: JSON.stringify(
        passwordsOf(proof).slice(0, Math.max(1, context.config.people.passwordHistory)),
      ),
    }),
  });
  return { status: 200, body: { person: after, temporaryPassword: password }, headers: NO_STORE, act };
}

/** A lost telephone: at the next sign-in another one is set up, where the roles need one. */
export async function resetSecondFactor(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { after, act } = await reset(context, call, {
    what: 'second_factor_reset',
    patch: () => ({ totp_sealed: null, totp_step: null }),
  });
  return { status: 200, body: after, act };
}
