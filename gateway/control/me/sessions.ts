import { sessionsOf } from '../../store/sign-ins.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { end, sessionView } from '../sessions.js';

/** A system has no sessions, so there is nothing to be found. */
function personOf({ user }: ControlCall['caller']): string {
  if (user === undefined) throw notFound();
  return user;
}

export async function mySessions(
  { database, clock }: ControlContext,
  { caller }: ControlCall,
): Promise<ControlResult> {
  const sessions = await sessionsOf(database.knex, personOf(caller), clock.now());
  return { status: 200, body: { items: sessions.map((session) => sessionView(session, caller.session)) } };
}

export async function endMySession(
  context: ControlContext,
  { caller, path }: ControlCall,
): Promise<ControlResult> {
  return await end(context, personOf(caller), path['session'] ?? '');
}
