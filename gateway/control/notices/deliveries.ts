import { Problem } from '../../base/problem.js';
import { changing } from '../../store/changes.js';
import { findChannel } from '../../store/notice-channels.js';
import {
  type DeliveryRow,
  type DeliveryState,
  findDelivery,
  pageDeliveries,
  retry,
} from '../../store/outbox.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { conflict, notFound } from '../refusals.js';

const iso = (ms: number): string => new Date(ms).toISOString();

function view(row: DeliveryRow) {
  return {
    id: row.id,
    state: row.state,
    agency: row.agency,
    channel: row.channel_id,
    channelKind: row.channel_kind,
    notice: row.notice_id,
    noticeKind: row.notice_kind,
    attempts: row.attempts,
    lastError: row.last_error,
    nextAt: row.state === 'waiting' ? iso(row.next_at) : null,
    createdAt: iso(row.created_at),
  };
}

export async function list(context: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  const { state, channel, agency } = query as { state?: DeliveryState; channel?: string; agency?: string };
  const states: DeliveryState[] = state === undefined ? ['waiting', 'failed'] : [state];
  const page = await pageDeliveries(context.database.knex, { states, channel, agency }, pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

function notGivenUp(row: DeliveryRow): Problem {
  return new Problem('transition_not_allowed', {
    detail: {
      vi: `Chỉ gửi lại được lần gửi đã thất bại; lần gửi này đang ở trạng thái «${row.state}».`,
      en: `Only a delivery that failed can be retried; this one is ${row.state}.`,
    },
  });
}

export async function again(context: ControlContext, { path }: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = path['id'] ?? '';
  const now = clock.now();
  const before = await changing(database, { noun: 'channel', key: id, at: now }, async (trx) => {
    const row = await findDelivery(trx, id);
    if (row === undefined) throw notFound();
    if ((await findChannel(trx, row.channel_id))?.active !== true)
      throw conflict('Kênh thông báo đang tắt.', 'The channel is switched off.');
    if (!(await retry(trx, id, now))) throw notGivenUp(row);
    return row;
  });
  const after: DeliveryRow = { ...before, state: 'waiting', attempts: 0, next_at: now };
  return {
    status: 200,
    body: view(after),
    act: { noun: 'delivery', key: id, before: view(before), after: view(after) },
  };
}
