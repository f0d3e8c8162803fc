import { findAgency } from '../../store/agencies.js';
import { findPerson, findProof, type PersonRow } from '../../store/people.js';
import { findSystem } from '../../store/systems.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { notFound } from '../refusals.js';
import { changePassword } from './password.js';
import { endMySession, mySessions } from './sessions.js';

async function systemOf({ database }: ControlContext, id: string) {
  const system = await findSystem(database.knex, id);
  if (system === undefined) throw notFound();
  return { id: system.id, name: system.name, state: system.state };
}

async function userOf({ database }: ControlContext, id: string) {
  const person: PersonRow | undefined = await findPerson(database.knex, id);
  const proof = await findProof(database.knex, id);
  if (person === undefined || proof === undefined) throw notFound();
  const { name, email, valid_from: validFrom, valid_to: validTo } = person;
  return { id, name, email, validFrom, validTo, secondFactor: proof.totp_sealed !== null };
}

async function get(context: ControlContext, { caller }: ControlCall): Promise<ControlResult> {
  const agency = await findAgency(context.database.knex, caller.agency);
  if (agency === undefined) throw notFound();
  const { user, system } = caller;
  return {
    status: 200,
    body: {
      system: user === undefined ? await systemOf(context, system) : null,
      user: user === undefined ? null : await userOf(context, user),
      agency: { code: agency.code, name: agency.name, level: agency.level },
      roles: [...caller.roles],
    },
  };
}

/** The caller itself. */
export function meRoutes(context: ControlContext): ControlHandlers {
  return {
    getMe: (call) => get(context, call),
    changeMyPassword: (call) => changePassword(context, call),
    getMySessions: (call) => mySessions(context, call),
    endMySession: (call) => endMySession(context, call),
  };
}
