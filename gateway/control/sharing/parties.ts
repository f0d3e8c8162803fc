import type { Knex } from 'knex';
import { findRequest, type RequestRow } from '../../store/sharing-requests.js';
import type { ControlCall } from '../handler.js';
import { beyondRole, notFound } from '../refusals.js';
import type { Side, Transition } from './transitions.js';

type Caller = ControlCall['caller'];

export interface Parties {
  readonly consumer: string;
  readonly provider: string;
}

/** Roles that see every request and grant. */
const SEE_ALL = ['owner', 'manager', 'operator', 'auditor'] as const;

export const seesAll = ({ roles }: Caller): boolean =>
  roles.some((role) => (SEE_ALL as readonly string[]).includes(role));

/** On which sides the caller stands, whatever its roles allow there. */
function standsFor({ agency, roles }: Caller, parties: Parties): Side[] {
  return [
    ...(agency === parties.consumer && roles.includes('consumer') ? (['consumer'] as const) : []),
    ...(agency === parties.provider && roles.includes('provider') ? (['provider'] as const) : []),
    ...(roles.includes('manager') || roles.includes('operator') ? (['platform'] as const) : []),
  ];
}

export function isParty(caller: Caller, parties: Parties): boolean {
  return seesAll(caller) || standsFor(caller, parties).length > 0;
}

/** A request, for those who may know of it; a draft is its maker's agency's alone. */
export async function mustSeeRequest(knex: Knex, id: string, caller: Caller): Promise<RequestRow> {
  const row = await findRequest(knex, id);
  if (row === undefined || !isParty(caller, row)) throw notFound();
  if (row.state === 'draft' && !standsFor(caller, row).includes('consumer')) throw notFound();
  return row;
}

/**
 * The side from which the caller takes this step.
 *
 * @throws Problem `role_required` when the step belongs to others
 */
export function sideFor(
  caller: Caller,
  parties: Parties,
  step: Pick<Transition, 'sides' | 'roles'>,
): Exclude<Side, 'time'> {
  const side = standsFor(caller, parties).find(
    (one) => step.sides.includes(one) && (step.roles[one] ?? []).some((role) => caller.roles.includes(role)),
  );
  if (side !== undefined && side !== 'time') return side;
  throw beyondRole(
    caller.roles,
    'Bước này thuộc về bên khác hoặc vai trò khác.',
    'This step belongs to another party, or to another role.',
  );
}
