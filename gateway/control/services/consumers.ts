import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { activeGrantsOf } from '../../store/grants.js';
import { type OperationUse, useSince } from '../../store/service-use.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { idOf } from './reading.js';
import { mustReach, SEE_MANIFESTS } from './rules.js';

/** Who called in so many days counts as somebody who is affected. */
export const USE_DAYS = 90;
const DAY_MS = 86_400_000;

export async function recentUse(knex: Knex, service: string, now: number): Promise<OperationUse[]> {
  return await useSince(knex, service, vietnamDay(now - USE_DAYS * DAY_MS));
}

/** A system that uses a service, or may. */
export interface Consumer {
  readonly system: string;
  readonly agency: string;
  /** Its approval or subscription, where it holds one that is alive. */
  readonly grant: string | null;
  readonly operations: readonly OperationUse[];
}

/** Who used the service lately, and who may use it at any moment. */
export async function consumersOf(knex: Knex, service: string, now: number): Promise<Consumer[]> {
  const used = groupBySystem(await recentUse(knex, service, now));
  const grants = await activeGrantsOf(knex, service);
  const systems = new Map<string, Consumer>();
  for (const [system, operations] of used)
    systems.set(system, { system, agency: operations[0]?.agency ?? '', grant: null, operations });
  for (const { id, system_id: system, agency_code: agency } of grants)
    systems.set(system, { system, agency, grant: id, operations: systems.get(system)?.operations ?? [] });
  return [...systems.values()].sort((a, b) => (a.system < b.system ? -1 : 1));
}

function groupBySystem(use: readonly OperationUse[]): Map<string, OperationUse[]> {
  const groups = new Map<string, OperationUse[]>();
  for (const one of use) groups.set(one.system, [...(groups.get(one.system) ?? []), one]);
  return groups;
}

function view({ system, agency, grant, operations }: Consumer) {
  return {
    system,
    agency,
    grant,
    operations: operations.map(({ operation, calls, lastAt, fields }) => ({
      operation,
      calls,
      lastAt: new Date(lastAt).toISOString(),
      fields: fields === null ? null : [...fields],
    })),
  };
}

export async function consumers(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const row = await mustReach(database.knex, idOf(call), call.caller, SEE_MANIFESTS);
  const found = await consumersOf(database.knex, row.id, clock.now());
  return { status: 200, body: { days: USE_DAYS, items: found.map(view) } };
}
