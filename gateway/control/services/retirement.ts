import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import type { ServiceRow } from '../../store/services.js';
import { consumersOf, USE_DAYS } from './consumers.js';
import { stateAt } from './rules.js';

/** Nobody loses a service without notice: it may stop at once by suspension, and ends on a day that was told. */
export async function assertNobodyLeft(knex: Knex, row: ServiceRow, now: number): Promise<void> {
  const left = await consumersOf(knex, row.id, now);
  if (left.length === 0) return;
  const { state, since } = stateAt(row, now);
  const { id } = row;
  throw new Problem('transition_not_allowed', {
    detail: {
      vi: `${left.length} hệ thống đã dùng dịch vụ trong ${USE_DAYS} ngày qua hoặc đang có phê duyệt.`,
      en: `${left.length} systems used the service in the last ${USE_DAYS} days, or hold an approval.`,
    },
    remedy: {
      vi: `Hãy báo ngày ngừng cung cấp (deprecate); dịch vụ tự ngừng sau ngày đó. Cần dừng ngay thì tạm dừng (suspend).`,
      en: `Announce the last day (deprecate); the service ends by itself after it. To stop it at once, suspend it.`,
    },
    rule: {
      ...{ kind: 'service', id, state, since: new Date(since).toISOString(), act: 'retire' },
      consumers: left.map(({ system }) => system),
    },
  });
}
