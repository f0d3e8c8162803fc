import { findAgency } from '../../store/agencies.js';
import { findSystem } from '../../store/systems.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';

async function get({ database }: ControlContext, { caller }: ControlCall): Promise<ControlResult> {
  const system = await findSystem(database.knex, caller.system);
  const agency = await findAgency(database.knex, caller.agency);
  if (system === undefined || agency === undefined) throw notFound();
  return {
    status: 200,
    body: {
      system: { id: system.id, name: system.name, state: system.state },
      agency: { code: agency.code, name: agency.name, level: agency.level },
      roles: [...caller.roles],
    },
  };
}

/** The caller itself. */
export function meRoutes(context: ControlContext): ControlHandlers {
  return { getMe: (call) => get(context, call) };
}
