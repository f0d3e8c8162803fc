import type { Clock } from '../base/clock.js';
import { Problem } from '../base/problem.js';
import type { AgencyEntry, PersonEntry, SystemEntry } from '../catalogue/catalogue.js';
import type { PublishedService } from '../catalogue/published-service.js';

/** Since when, as a decision trace says it. */
export const iso = (ms: number): string => new Date(ms).toISOString();

/** Refuses a system that is locked, revoked or past its last day now, whatever its token says. */
export function assertSystemInForce(system: SystemEntry, clock: Clock): void {
  const { state, state_since, id } = system.row;
  if (state === 'active') {
    if (clock.now() < system.until) return;
    throw new Problem('client_locked', {
      rule: { kind: 'system', id, state: 'ended', since: iso(system.until) },
    });
  }
  throw new Problem(state === 'locked' ? 'client_locked' : 'client_revoked', {
    rule: { kind: 'system', id, state, since: iso(state_since) },
  });
}

/** Refuses a person who is locked, revoked or outside of their dates now, whatever their token says. */
export function assertPersonInForce({ row, from, until }: PersonEntry, clock: Clock): void {
  const now = clock.now();
  const rule = { kind: 'person', id: row.id } as const;
  if (row.state !== 'active')
    throw new Problem(row.state === 'locked' ? 'client_locked' : 'client_revoked', {
      rule: { ...rule, state: row.state, since: iso(row.state_since) },
    });
  if (from <= now && now < until) return;
  const ended = now >= until;
  throw new Problem('client_locked', {
    rule: { ...rule, state: ended ? 'ended' : 'not_yet', ...(ended ? { since: iso(until) } : {}) },
  });
}

/** Refuses when an agency is not in force at this moment. */
export function assertAgencyInForce(
  agency: AgencyEntry | null | undefined,
  code: string,
  clock: Clock,
): void {
  const now = clock.now();
  if (agency !== null && agency !== undefined && agency.from <= now && now < agency.until) return;
  throw new Problem('agency_inactive', { rule: agencyRule(agency ?? null, code, now) });
}

function agencyRule(agency: AgencyEntry | null, code: string, now: number) {
  if (agency === null) return { kind: 'agency', id: code, state: 'unknown' } as const;
  const ended = now >= agency.until;
  return {
    kind: 'agency',
    id: code,
    state: ended ? 'ended' : 'not_yet',
    since: iso(ended ? agency.until : agency.row.created_at),
    validFrom: agency.row.valid_from,
    validTo: agency.row.valid_to ?? undefined,
  } as const;
}

/** Refuses a service that is not published now; one whose last day is over is gone, noted or not. */
export function assertServiceInForce(service: PublishedService, clock: Clock): void {
  const { state, state_since, id, sunset_at: sunset } = service.row;
  if (sunset != null && clock.now() >= sunset)
    throw new Problem('service_retired', {
      rule: { kind: 'service', id, state: 'retired', since: iso(sunset) },
    });
  if (state === 'published') return;
  const rule = { kind: 'service', id, state, since: iso(state_since) } as const;
  if (state === 'suspended')
    throw new Problem('service_suspended', { rule, headers: { 'Retry-After': '300' } });
  if (state === 'retired') throw new Problem('service_retired', { rule });
  throw new Problem('service_not_found');
}
