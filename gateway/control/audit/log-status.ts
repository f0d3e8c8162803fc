import { findLogWatch, type LogWatchRow } from '../../store/log-watch.js';
import type { ControlContext, ControlResult } from '../handler.js';

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

function view(row: LogWatchRow, now: number, everyHours: number) {
  const running = row.lease_until !== null && row.lease_until > now;
  return {
    ok: row.ok,
    size: row.size,
    root: row.root,
    startedAt: iso(row.started_at),
    finishedAt: iso(row.finished_at),
    fault: row.fault === null ? null : (JSON.parse(row.fault) as unknown),
    runningSince: running ? iso(row.running_since) : null,
    nextAt: everyHours === 0 || row.next_at === 0 ? null : iso(Math.max(row.next_at, row.retry_at)),
    error: row.error,
  };
}

/** How the last verification of the log ended. */
export async function logStatus({ database, clock, config }: ControlContext): Promise<ControlResult> {
  const row = await findLogWatch(database.knex);
  return { status: 200, body: view(row, clock.now(), config.verification.everyHours) };
}
