import type { Knex } from 'knex';
import type { ControlContext } from '../handler.js';
import { changing } from '../../store/changes.js';
import { findGrant, type GrantRow, grantsPast, overdueSubscriptions } from '../../store/grants.js';
import { postNotice } from '../../store/notices.js';
import { overdueCases } from '../../store/sharing-cases.js';
import { overdueRequests, type RequestRow } from '../../store/sharing-requests.js';
import { owePlatformAct, recordByTime } from './by-time.js';
import { changeGrant } from './grant-making.js';
import { tellParties, tellRole } from './telling.js';

/** What the jobs of the control plane are given: no caller stands behind them. */
export type JobContext = Pick<ControlContext, 'database' | 'clock' | 'config' | 'refresh'>;

/** Whether it was still due: another node, or an earlier round, may have been first. */
async function expireOne(trx: Knex, id: string, now: number): Promise<boolean> {
  const grant = await findGrant(trx, id);
  if (grant?.state !== 'active' || grant.valid_until === null || grant.valid_until > now) return false;
  await changeGrant(trx, id, { state: 'expired', state_since: grant.valid_until }, now);
  const request = await trx<RequestRow>('sharing_requests')
    .where({ grant_id: id })
    .whereIn('state', ['active', 'suspended'])
    .first();
  if (request === undefined)
    await owePlatformAct(trx, now, 'expireGrant', {
      noun: 'grant',
      key: id,
      before: { state: 'active' },
      after: { state: 'expired' },
    });
  else await recordByTime(trx, request, 'expire', now, { grant: id });
  await tellExpired(trx, grant, now);
  return true;
}

async function tellExpired(trx: Knex, grant: GrantRow, now: number): Promise<void> {
  await tellParties(trx, grant, 'time', {
    kind: 'grant_expired',
    noun: 'grant',
    key: grant.id,
    title: { vi: `${grant.id} đã hết thời hạn`, en: `${grant.id} has expired` },
    text: {
      vi: `Phê duyệt ${grant.id} của ${grant.system_id} đối với ${grant.service_id} đã hết thời hạn.`,
      en: `${grant.id} of ${grant.system_id} for ${grant.service_id} has expired.`,
    },
    at: now,
    dedupe: `expired ${grant.id} ${String(grant.valid_until)}`,
  });
}

/** Calls are refused from the very moment the term is over; this brings the states after it. */
export async function expireGrants({ database, refresh }: JobContext, now: number): Promise<void> {
  let any = false;
  for (const { id } of await grantsPast(database.knex, now))
    any =
      (await changing(database, { noun: 'grant', key: id, at: now }, (trx) => expireOne(trx, id, now))) ||
      any;
  if (any) await refresh();
}

interface Late {
  readonly table: 'sharing_requests' | 'account_requests' | 'difficulties' | 'grants';
  readonly id: string;
  readonly agency: string | null;
  readonly role: 'provider' | 'operator' | 'manager';
}

async function lateCases({ database }: JobContext, now: number): Promise<Late[]> {
  const { accounts, difficulties } = await overdueCases(database.knex, now);
  const requests = await overdueRequests(database.knex, now);
  const subscriptions = await overdueSubscriptions(database.knex, now);
  return [
    ...requests.map(
      ({ id, provider }) => ({ table: 'sharing_requests', id, agency: provider, role: 'provider' }) as const,
    ),
    ...accounts.map(({ id }) => ({ table: 'account_requests', id, agency: null, role: 'operator' }) as const),
    ...subscriptions.map(({ id }) => ({ table: 'grants', id, agency: null, role: 'operator' }) as const),
    ...difficulties.map(({ id }) => ({ table: 'difficulties', id, agency: null, role: 'manager' }) as const),
  ];
}

const NOUNS = {
  sharing_requests: 'sharing_request',
  account_requests: 'account_request',
  difficulties: 'difficulty',
  grants: 'grant',
} as const;

/** Told once: whoever should have acted, and the managing agency. */
async function tellLate(trx: Knex, late: Late, now: number): Promise<void> {
  const marked = await trx(late.table)
    .where({ id: late.id })
    .whereNull('overdue_told_at')
    .update({ overdue_told_at: now });
  if (marked === 0) return;
  const news = {
    kind: 'overdue',
    noun: NOUNS[late.table],
    key: late.id,
    title: { vi: `${late.id} đã quá hạn`, en: `${late.id} is overdue` },
    text: {
      vi: `Thời hạn xử lý ${late.id} đã hết mà chưa có quyết định.`,
      en: `The time to decide on ${late.id} is over.`,
    },
    at: now,
  };
  if (late.agency !== null) await postNotice(trx, { ...news, agency: late.agency, role: late.role });
  else await tellRole(trx, late.role === 'manager' ? 'manager' : 'operator', news);
  if (late.role !== 'manager') await tellRole(trx, 'manager', news);
}

export async function tellOverdue(context: JobContext, now: number): Promise<void> {
  for (const late of await lateCases(context, now))
    await changing(context.database, { noun: NOUNS[late.table], key: late.id, at: now }, (trx) =>
      tellLate(trx, late, now),
    );
}
