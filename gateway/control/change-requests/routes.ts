import { breakGlassOf } from '../../store/break-glass.js';
import {
  type ChangeRequestFilter,
  type ChangeRequestRow,
  findChangeRequest,
  pageChangeRequests,
} from '../../store/change-requests.js';
import type { ChangeExecutors } from '../change.js';
import type { ControlCall, ControlContext, ControlHandlers, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { create } from './asking.js';
import { approve, complete, refuse, withdraw } from './deciding.js';
import { manifestChanges } from './manifest-changes.js';
import { assertSees, scopeOf, seesManifests } from './rules.js';
import { changeRequestView } from './views.js';

async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const now = clock.now();
  const { state, kind, subject } = call.query as Omit<ChangeRequestFilter, 'of'>;
  const filter = { state, kind, subject, of: scopeOf(call.caller) };
  const page = await pageChangeRequests(database, filter, pageAsked(call.query), now);
  return { status: 200, body: pageBody(page, (row) => changeRequestView(row, now)) };
}

/** What would change, for those who may read the manifest: the bindings among it. */
async function comparison(
  { database }: ControlContext,
  executors: ChangeExecutors,
  row: ChangeRequestRow,
  call: ControlCall,
) {
  if (!seesManifests(call.caller, row.provider)) return {};
  const compared = await executors[row.kind]?.compare?.(database.knex, row);
  if (compared === undefined) return {};
  const changes = manifestChanges(compared.before, compared.after);
  return { changes, documentChanged: compared.documentChanged };
}

async function get(
  context: ControlContext,
  executors: ChangeExecutors,
  call: ControlCall,
): Promise<ControlResult> {
  const { knex } = context.database;
  const row = assertSees(call.caller, await findChangeRequest(knex, call.path['id'] ?? ''));
  const access = row.kind === 'service.access' ? await breakGlassOf(knex, row.id) : undefined;
  return {
    status: 200,
    body: {
      ...changeRequestView(row, context.clock.now()),
      ...(access === undefined ? {} : { breakGlass: access.number }),
      ...(await comparison(context, executors, row, call)),
    },
  };
}

/** Change requests: what one person asks for and another agrees to. */
export function changeRequestRoutes(context: ControlContext, executors: ChangeExecutors): ControlHandlers {
  return {
    listChangeRequests: (call) => list(context, call),
    createChangeRequest: (call) => create(context, executors, call),
    getChangeRequest: (call) => get(context, executors, call),
    approveChangeRequest: (call) => approve(context, executors, call),
    refuseChangeRequest: (call) => refuse(context, call),
    withdrawChangeRequest: (call) => withdraw(context, call),
    completeChangeRequest: (call) => complete(context, call),
  };
}
