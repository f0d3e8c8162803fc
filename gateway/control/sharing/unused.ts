import type { Knex } from 'knex';
import { dayEnds } from '../../base/calendar.js';
import { changing } from '../../store/changes.js';
import { findRequest, type RequestRow, requestsBeforeUse } from '../../store/sharing-requests.js';
import { recordByTime } from './by-time.js';
import { contentOf } from './content.js';
import type { JobContext } from './deadlines.js';
import { tellParties } from './telling.js';
import { transition } from './transitions.js';

const STEP = 'expire';

/** Whether its last day is over and it still waits for its use; what is at work ends with its grant. */
function isUnused(row: RequestRow, now: number): boolean {
  const { until } = contentOf(row);
  const waits = row.state === 'preparing' || row.state === 'testing';
  return waits && until !== null && dayEnds(until) <= now;
}

async function expireOne(trx: Knex, id: string, now: number): Promise<void> {
  // Another node may have been first, or it came into use meanwhile.
  const row = await findRequest(trx, id);
  if (row === undefined || !isUnused(row, now)) return;
  await recordByTime(trx, row, STEP, now);
  const { title } = transition(STEP);
  await tellParties(trx, row, 'time', {
    kind: `sharing_request_${STEP}`,
    noun: 'sharing_request',
    key: id,
    title: { vi: `${id}: ${title.vi}`, en: `${id}: ${title.en}` },
    text: {
      vi: `Thời hạn sử dụng của yêu cầu ${id} đối với dịch vụ ${row.service_id} đã hết trước khi đưa vào sử dụng. Cần dùng thì lập yêu cầu mới.`,
      en: `The term of ${id} for ${row.service_id} was over before it came into use. Make a new request to go on.`,
    },
    at: now,
  });
}

/** Ends what was approved, but not brought into use within its term: no step leads on from there. */
export async function expireUnused({ database }: JobContext, now: number): Promise<void> {
  for (const row of await requestsBeforeUse(database.knex))
    if (isUnused(row, now))
      await changing(database, { noun: 'sharing_request', key: row.id, at: now }, (trx) =>
        expireOne(trx, row.id, now),
      );
}
