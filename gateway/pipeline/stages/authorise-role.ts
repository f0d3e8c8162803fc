import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { AdminExchange } from '../exchanges.js';
import { assertAgencyInForce, assertPersonInForce, assertSystemInForce } from '../in-force.js';

/** Who answers for the call: the person who signed in, else the system. */
function actorInForce({ person, system }: AdminExchange, clock: Clock) {
  if (person !== null) {
    assertPersonInForce(person, clock);
    return { id: person.row.id, agency: person.row.agency_code, roles: person.roles };
  }
  if (system === null) throw new Problem('internal_error');
  assertSystemInForce(system, clock);
  return { id: system.row.id, agency: system.row.agency_code, roles: system.roles };
}

/** Whether the caller is in force and holds one of the roles that the operation names in `openapi.yaml`. */
export function authoriseRole({ clock }: { clock: Clock }): Stage<AdminExchange> {
  return {
    name: 'authorise',
    needs: ['operation', 'caller', 'system', 'agency'],
    gives: ['allowed'],
    run(exchange) {
      const { agency, roles } = exchange;
      const actor = actorInForce(exchange, clock);
      assertAgencyInForce(agency, actor.agency, clock);
      if (actor.roles.some((role) => roles.includes(role))) return;
      throw new Problem('role_required', {
        detail: {
          vi: `Thao tác này cần một trong các vai trò: ${roles.join(', ')}.`,
          en: `This operation needs one of the roles: ${roles.join(', ')}.`,
        },
        rule: { kind: 'role', id: actor.id, state: 'missing', required: [...roles], held: actor.roles },
      });
    },
  };
}
