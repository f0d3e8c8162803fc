import type { Knex } from 'knex';
import { dayBegins, dayEnds, vietnamDay } from '../../base/calendar.js';
import { alsoChanged } from '../../store/changes.js';
import { findGrant, type GrantRow, grantsOfPair, insertGrant, updateGrant } from '../../store/grants.js';
import { nextNumber } from '../../store/sequences.js';
import type { RequestRow } from '../../store/sharing-requests.js';
import { conflict, notFound } from '../refusals.js';
import { contentOf } from './content.js';

/** What a request that was agreed on allows, from now. */
function terms(row: RequestRow, now: number): Partial<GrantRow> {
  const content = contentOf(row);
  const { fields, operations, perDay, perMinute, purpose, legalBasis, from, until } = content;
  const begins = from === null ? now : dayBegins(from);
  return {
    operations: JSON.stringify(operations),
    fields: fields === null ? null : JSON.stringify(fields),
    approved_per_day: perDay,
    approved_per_minute: perMinute,
    per_day: perDay,
    per_minute: perMinute,
    purpose,
    legal_basis: legalBasis,
    valid_from: Math.max(now, begins),
    valid_until: until === null ? null : dayEnds(until),
    updated_at: now,
  };
}

async function assertNoOther(trx: Knex, row: RequestRow): Promise<void> {
  const other = (await grantsOfPair(trx, row.system_id, row.service_id)).find(
    ({ state }) => state === 'active',
  );
  if (other === undefined) return;
  throw conflict(
    `Hệ thống đã có phê duyệt ${other.id} cho dịch vụ này.`,
    `The system has ${other.id} for this service already.`,
    { kind: 'grant', id: other.id, state: other.state },
  );
}

/** The grant that a request leads to. */
export async function makeGrant(trx: Knex, row: RequestRow, actor: string, now: number): Promise<GrantRow> {
  await assertNoOther(trx, row);
  const grant: GrantRow = {
    id: await nextNumber(trx, 'cp', vietnamDay(now)),
    request_id: row.id,
    sharing: 'special',
    service_id: row.service_id,
    provider: row.provider,
    consumer: row.consumer,
    system_id: row.system_id,
    state: 'active',
    state_since: now,
    suspended_consumer: null,
    suspended_provider: null,
    suspended_platform: null,
    version: 1,
    due_at: null,
    overdue_told_at: null,
    reason: null,
    document_id: null,
    created_by: row.created_by,
    decided_by: actor,
    created_at: now,
    ...(terms(row, now) as Pick<
      GrantRow,
      | 'operations'
      | 'fields'
      | 'approved_per_day'
      | 'approved_per_minute'
      | 'per_day'
      | 'per_minute'
      | 'purpose'
      | 'legal_basis'
      | 'valid_from'
      | 'valid_until'
      | 'updated_at'
    >),
  };
  await insertGrant(trx, grant);
  await alsoChanged(trx, { noun: 'grant', key: grant.id, at: now });
  return grant;
}

export async function changeGrant(
  trx: Knex,
  id: string,
  patch: Partial<GrantRow>,
  now: number,
): Promise<GrantRow> {
  const grant = await findGrant(trx, id);
  if (grant === undefined) throw notFound();
  const full = { ...patch, updated_at: now };
  await updateGrant(trx, id, full);
  await alsoChanged(trx, { noun: 'grant', key: id, at: now });
  return { ...grant, ...full };
}

/** The next version of a grant that is at work: it takes over in one moment, and keeps its number. */
export async function amendGrant(trx: Knex, row: RequestRow, actor: string, now: number): Promise<GrantRow> {
  const grant = await findGrant(trx, row.amends ?? '');
  if (grant?.state !== 'active')
    throw conflict('Phê duyệt được sửa đổi không còn hiệu lực.', 'The grant to amend is no longer in force.');
  return await changeGrant(
    trx,
    grant.id,
    { ...terms(row, now), request_id: row.id, version: grant.version + 1, decided_by: actor },
    now,
  );
}
