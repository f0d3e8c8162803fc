import type { Clock } from '../base/clock.js';
import { type DecisionRule, Problem } from '../base/problem.js';
import type { Config } from '../base/config.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { GrantEntry } from '../catalogue/grant-entry.js';
import type { PublishedService } from '../catalogue/published-service.js';
import { iso } from './in-force.js';

export interface GrantParts {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly config: Config;
}

const rule = (grant: GrantEntry, state: string, since: number, more: object = {}): DecisionRule => ({
  kind: 'grant',
  id: grant.row.id,
  state,
  since: iso(since),
  ...more,
});

function absent({ id, row }: PublishedService, more: object = {}): Problem {
  return new Problem('grant_required', {
    rule: { kind: 'grant', id, state: 'absent', sharing: row.sharing, ...more },
  });
}

function assertInForce(grant: GrantEntry, now: number): void {
  const { state, state_since, valid_from, valid_until } = grant.row;
  if (state === 'expired' || (state === 'active' && valid_until !== null && valid_until <= now))
    throw new Problem('grant_expired', { rule: rule(grant, 'expired', valid_until ?? state_since) });
  if (state !== 'active') throw new Problem('grant_not_active', { rule: rule(grant, state, state_since) });
  if (valid_from > now)
    throw new Problem('grant_not_active', {
      rule: rule(grant, 'not_yet', state_since, { from: iso(valid_from) }),
    });
  const { suspension } = grant;
  if (suspension !== null)
    throw new Problem('grant_not_active', {
      rule: rule(grant, 'suspended', suspension.since, { by: suspension.by }),
    });
}

/**
 * What allows a system to call an operation at this moment: its grant, or null where a default service is open to
 * every account.
 *
 * @throws Problem `grant_required`, `grant_not_active`, `grant_expired` or `operation_not_granted`
 */
export function grantFor(
  { catalogue, clock, config }: GrantParts,
  system: string,
  service: PublishedService,
  operation: string,
): GrantEntry | null {
  const grant = catalogue.grant(system, service.id);
  const open = service.row.sharing === 'default' && config.sharing.defaultSharing === 'open';
  if (grant === undefined) {
    if (open) return null;
    throw absent(service);
  }
  // Who subscribed to a default service was never approved for what it has become.
  if (grant.row.sharing === 'default' && service.row.sharing === 'special')
    throw absent(service, { subscription: grant.row.id });
  // A subscription that somebody ended does not keep out whom the setting lets in; a suspension does.
  if (open && grant.row.state !== 'active') return null;
  assertInForce(grant, clock.now());
  if (!grant.allows(operation))
    throw new Problem('operation_not_granted', {
      rule: rule(grant, 'active', grant.row.state_since, { operation, granted: grant.operations }),
    });
  return grant;
}
