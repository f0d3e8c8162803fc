import type { Clock } from '../../base/clock.js';
import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { AdminExchange } from '../exchanges.js';
import { assertAgencyInForce, assertSystemInForce } from '../in-force.js';

/** Whether the caller is in force and holds one of the roles that the operation names in `openapi.yaml`. */
export function authoriseRole({ clock }: { clock: Clock }): Stage<AdminExchange> {
  return {
    name: 'authorise',
    needs: ['operation', 'caller', 'system', 'agency'],
    gives: ['allowed'],
    run({ system, agency, roles }) {
      if (system === null) throw new Problem('internal_error');
      assertSystemInForce(system, clock);
      assertAgencyInForce(agency, system.row.agency_code, clock);
      if (system.roles.some((role) => roles.includes(role))) return;
      throw new Problem('role_required', {
        detail: {
          vi: `Thao tác này cần một trong các vai trò: ${roles.join(', ')}.`,
          en: `This operation needs one of the roles: ${roles.join(', ')}.`,
        },
        rule: { kind: 'role', id: system.row.id, state: 'missing', required: [...roles], held: system.roles },
      });
    },
  };
}
