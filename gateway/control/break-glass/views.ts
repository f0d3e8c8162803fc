import { type BreakGlassRow, breakGlassState } from '../../store/break-glass.js';

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

export function breakGlassView(row: BreakGlassRow, now: number) {
  return {
    number: row.number,
    changeRequest: row.change_request_id,
    service: row.service_id,
    provider: row.provider,
    actor: row.actor,
    actorAgency: row.actor_agency,
    from: iso(row.from_at),
    until: iso(row.until_at),
    state: breakGlassState(row, now).state,
    closedAt: iso(row.closed_at),
    closedBy: row.closed_by,
    uses: row.uses,
    lastUsedAt: iso(row.last_used_at),
  };
}
