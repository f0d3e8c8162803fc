import {
  type ChangeRequestRow,
  findChangeRequest,
  updateChangeRequest,
} from '../../store/change-requests.js';
import { changing } from '../../store/changes.js';
import type { ControlContext } from '../handler.js';
import type { Lapse } from '../lapse.js';
import { changeRequestView } from './views.js';

/** A request that nobody decided in time cannot be approved any more; this notes it, once. */
export function lapseOfRequest({ database }: ControlContext, row: ChangeRequestRow): Lapse {
  const { id, expires_at: at } = row;
  return {
    noun: 'change_request',
    key: id,
    at,
    before: changeRequestView(row, row.made_at),
    after: changeRequestView(row, at),
    async settle() {
      await changing(database, { noun: 'change_request', key: id, at }, async (trx) => {
        const now = await findChangeRequest(trx, id);
        if (now?.state === 'pending')
          await updateChangeRequest(trx, id, { state: 'expired', state_since: at });
      });
    },
  };
}
