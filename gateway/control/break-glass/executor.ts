import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import { insertBreakGlass } from '../../store/break-glass.js';
import type { ChangeRequestRow } from '../../store/change-requests.js';
import { findService } from '../../store/services.js';
import type { ChangeEffect, ChangeExecutor } from '../change.js';
import type { ControlContext } from '../handler.js';
import { notFound, wrongTransition } from '../refusals.js';
import { postToProvider, tellProvider } from '../provider-notice.js';
import { breakGlassView } from './views.js';

const MINUTE_MS = 60_000;

/** From the approval on, not from the asking: nobody knows how long the second person will take. */
async function openAccess(
  context: ControlContext,
  trx: Knex.Transaction,
  request: ChangeRequestRow,
  at: number,
): Promise<ChangeEffect> {
  const service = await findService(trx, request.subject_key);
  if (service === undefined) throw notFound();
  const { minutes } = JSON.parse(request.payload) as { minutes: number };
  const access = await insertBreakGlass(trx, {
    change_request_id: request.id,
    service_id: service.id,
    provider: service.provider,
    actor: request.made_by,
    actor_agency: request.made_agency,
    from_at: at,
    until_at: at + minutes * MINUTE_MS,
    closed_at: null,
    closed_by: null,
    ended_at: null,
    uses: 0,
    last_used_at: null,
  });
  const providerNotices = [tellProvider('approved', access, request.reason, at)];
  await postToProvider(context, trx, providerNotices);
  return {
    state: 'approved',
    before: null,
    after: { breakGlass: breakGlassView(access, at), providerNotices },
  };
}

/** `service.access`: an emergency in which an operator does what only the provider may. */
export function accessExecutor(context: ControlContext): ChangeExecutor {
  return {
    pin: (_trx, service, { minutes = 0, document }) => {
      if (document === undefined) throw new Problem('document_required');
      if (service.state === 'retired')
        throw wrongTransition(
          'service',
          { id: service.id, state: service.state, since: service.state_since },
          'access',
        );
      return Promise.resolve({ minutes });
    },
    prepare: (request) => Promise.resolve((trx, at) => openAccess(context, trx, request, at)),
  };
}
