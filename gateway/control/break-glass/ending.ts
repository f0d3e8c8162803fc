import { type BreakGlassRow, findBreakGlass, updateBreakGlass } from '../../store/break-glass.js';
import { updateChangeRequest } from '../../store/change-requests.js';
import { changing } from '../../store/changes.js';
import type { ControlContext } from '../handler.js';
import type { Lapse } from '../lapse.js';
import { postToProvider, tellProvider } from '../provider-notice.js';
import { breakGlassView } from './views.js';

/** An access whose time is over is without effect at once; this notes the end and tells the provider, once. */
export function endOfAccess(context: ControlContext, row: BreakGlassRow): Lapse {
  const { number, until_at: at } = row;
  const providerNotices = [tellProvider('ended', row, String(row.uses), at)];
  const after = { ...breakGlassView(row, at), providerNotices };
  return {
    noun: 'break_glass',
    key: number,
    at,
    before: breakGlassView(row, row.from_at),
    after,
    async settle() {
      await changing(context.database, { noun: 'break_glass', key: number, at }, async (trx) => {
        const now = await findBreakGlass(trx, number);
        // Another node came first.
        if (now === undefined || now.ended_at !== null || now.closed_at !== null) return;
        await updateBreakGlass(trx, number, { ended_at: at });
        await updateChangeRequest(trx, row.change_request_id, { state: 'done', state_since: at });
        await postToProvider(context, trx, providerNotices);
      });
    },
  };
}
