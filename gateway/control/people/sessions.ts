import { sessionsOf } from '../../store/sign-ins.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { end, sessionView } from '../sessions.js';
import { mustFind } from './rules.js';

export async function listSessions(
  { database, clock }: ControlContext,
  { path }: ControlCall,
): Promise<ControlResult> {
  const id = path['id'] ?? '';
  await mustFind(database.knex, id);
  const sessions = await sessionsOf(database.knex, id, clock.now());
  return { status: 200, body: { items: sessions.map((session) => sessionView(session)) } };
}

async function endOf(context: ControlContext, id: string, which?: string): Promise<ControlResult> {
  await mustFind(context.database.knex, id);
  return await end(context, id, which);
}

/** The person is signed out everywhere. */
export function endAllOf(context: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  return endOf(context, path['id'] ?? '');
}

export function endOneOf(context: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  return endOf(context, path['id'] ?? '', path['session'] ?? '');
}
