import type { Knex } from 'knex';
import type { Act } from '../../base/exchange.js';
import { accessInForce, type BreakGlassRow, updateBreakGlass } from '../../store/break-glass.js';
import { changing } from '../../store/changes.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { type ProviderNotice, postToProvider, tellProvider } from '../provider-notice.js';

/** What the record of an act says when it was done, or could have been, by virtue of an emergency. */
export interface EmergencyUse {
  readonly breakGlass?: string;
  readonly providerNotices?: readonly ProviderNotice[];
}

/** The caller's access to this service in an emergency, if one is in force now: asked of the database at every use. */
export async function emergencyAccess(
  knex: Knex,
  service: string,
  caller: ControlCall['caller'],
  now: number,
): Promise<BreakGlassRow | undefined> {
  if (!caller.roles.includes('operator')) return undefined;
  return await accessInForce(knex, { service, actor: actorOf(caller), agency: caller.agency }, now);
}

/** Counts one use, in the transaction of what is done by it, and tells the provider. */
export async function noteUse(
  context: ControlContext,
  trx: Knex.Transaction,
  access: BreakGlassRow | undefined,
  use: { readonly operation: string; readonly at: number },
): Promise<EmergencyUse> {
  if (access === undefined) return {};
  await updateBreakGlass(trx, access.number, { uses: access.uses + 1, last_used_at: use.at });
  const providerNotices = [tellProvider('used', access, use.operation, use.at)];
  await postToProvider(context, trx, providerNotices);
  return { breakGlass: access.number, providerNotices };
}

/** Who reads while an access is in force leaves an act too, though nothing was changed. */
export async function noteReading(
  context: ControlContext,
  service: string,
  { caller, operationId: operation }: ControlCall,
): Promise<{ act?: Act }> {
  const { database, clock } = context;
  const at = clock.now();
  const known = await emergencyAccess(database.knex, service, caller, at);
  if (known === undefined) return {};
  const { number } = known;
  const used = await changing(database, { noun: 'break_glass', key: number, at }, async (trx) => {
    const access = await emergencyAccess(trx, service, caller, at);
    return await noteUse(context, trx, access, { operation, at });
  });
  return { act: { noun: 'break_glass', key: number, before: null, after: { operation, service, ...used } } };
}
