import { pageEvents, type SecurityEventRow } from '../../store/security.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';

const iso = (ms: number): string => new Date(ms).toISOString();

function view(row: SecurityEventRow) {
  const { id, kind, severity, subject, count, threshold } = row;
  const window = { from: iso(row.window_from), to: iso(row.window_to) };
  return { id, kind, severity, subject, window, count, threshold, at: iso(row.at) };
}

async function list({ database }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const { kind, severity, subject, from, to } = query as Record<string, string | undefined>;
  const times = {
    ...(from === undefined ? {} : { from: Date.parse(from) }),
    ...(to === undefined ? {} : { to: Date.parse(to) }),
  };
  const page = await pageEvents(database.knex, { kind, severity, subject, ...times }, pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

/** What watching the record has found. */
export function securityEventRoutes(context: ControlContext): ControlHandlers {
  return { listSecurityEvents: (call) => list(context, call) };
}
