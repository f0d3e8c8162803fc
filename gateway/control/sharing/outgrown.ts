import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { type GrantRow, subscriptionsOutgrown } from '../../store/grants.js';
import { owePlatformAct } from './by-time.js';
import type { JobContext } from './deadlines.js';
import { changeGrant } from './grant-making.js';
import { tellParties } from './telling.js';

const REASON = 'Dịch vụ chuyển sang chia sẻ theo yêu cầu đặc thù';

async function endOne(trx: Knex, { id }: GrantRow, now: number): Promise<boolean> {
  // Another node, or whoever ended it, may have been first; a service may be back on the list.
  const grant = (await subscriptionsOutgrown(trx, id))[0];
  if (grant === undefined) return false;
  const patch = { state: 'terminated', state_since: now, reason: REASON, due_at: null } as const;
  await changeGrant(trx, id, patch, now);
  await owePlatformAct(trx, now, 'endSubscription', {
    noun: 'grant',
    key: id,
    before: { state: grant.state },
    after: { state: 'terminated', service: grant.service_id, reason: REASON },
  });
  await tellParties(trx, grant, 'time', {
    kind: 'subscription_ended',
    noun: 'grant',
    key: id,
    title: { vi: `${id}: đăng ký chấm dứt`, en: `${id}: the subscription has ended` },
    text: {
      vi: `Dịch vụ ${grant.service_id} chuyển sang chia sẻ theo yêu cầu đặc thù; đăng ký ${id} của hệ thống ${grant.system_id} không còn hiệu lực. Cần dùng tiếp thì lập yêu cầu chia sẻ.`,
      en: `${grant.service_id} is shared by special request now; ${id} of ${grant.system_id} allows nothing any more. Make a sharing request to go on.`,
    },
    at: now,
  });
  return true;
}

/**
 * Ends subscriptions to what is no longer a default service, however it came to be special. Calls were refused from
 * that moment on; this brings the states after it, and tells both sides.
 */
export async function endOutgrown({ database, refresh }: JobContext, now: number): Promise<void> {
  let any = false;
  for (const grant of await subscriptionsOutgrown(database.knex))
    any =
      (await changing(database, { noun: 'grant', key: grant.id, at: now }, (trx) =>
        endOne(trx, grant, now),
      )) || any;
  if (any) await refresh();
}
