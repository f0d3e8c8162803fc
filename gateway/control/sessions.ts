import { changing } from '../store/changes.js';
import { endSessions, type SignedInSession } from '../store/sign-ins.js';
import type { ControlContext, ControlResult } from './handler.js';
import { notFound } from './refusals.js';

const iso = (ms: number): string => new Date(ms).toISOString();

/** A session as its owner, or an operator, sees it. */
export function sessionView({ id, since, expiresAt, methods }: SignedInSession, current?: string) {
  return {
    id,
    since: iso(since),
    expiresAt: expiresAt === null ? null : iso(expiresAt),
    methods: [...methods],
    current: id === current,
  };
}

/** Ends one session of a person, or all of them. @throws Problem `object_not_found` when that one is not there */
export async function end(context: ControlContext, person: string, which?: string): Promise<ControlResult> {
  const { database, clock } = context;
  const at = clock.now();
  const ended = await changing(database, { noun: 'person', key: person, at }, (trx) =>
    endSessions(trx, person, at, { which }),
  );
  if (which !== undefined && ended.length === 0) throw notFound();
  await context.refresh();
  return {
    status: 204,
    act: { noun: 'person', key: person, before: { sessions: ended }, after: { sessions: [] } },
  };
}
