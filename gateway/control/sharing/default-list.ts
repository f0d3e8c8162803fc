import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { postNotice } from '../../store/notices.js';
import { insertReview, lastReviews, type ReviewRow } from '../../store/sharing-cases.js';
import { findService, listServices, type ServiceRow } from '../../store/services.js';
import { actorOf } from '../actor.js';
import type { TakeOffList } from '../change.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { citation, mustRestOn } from '../papers.js';
import { notFound } from '../refusals.js';
import { iso, isoOrNull } from './views.js';

/** The same day some months on, or the last day of that month. */
export function monthsLater(ms: number, months: number): number {
  const date = new Date(ms);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

/** Half a year, by setting, after the last review, or after it was first saved. */
export function reviewDueAt(row: ServiceRow, review: ReviewRow | undefined, months: number): number {
  return monthsLater(review?.at ?? row.created_at, months);
}

/** What is on the list: shared by default and published, with its last review. */
export async function offeredByDefault(
  knex: Knex,
): Promise<{ readonly row: ServiceRow; readonly review: ReviewRow | undefined }[]> {
  const reviews = await lastReviews(knex);
  return (await listServices(knex))
    .filter(({ sharing, state }) => sharing === 'default' && (state === 'published' || state === 'suspended'))
    .map((row) => ({ row, review: reviews.get(row.id) }));
}

function view(row: ServiceRow, review: ReviewRow | undefined, months: number, now: number) {
  const dueAt = reviewDueAt(row, review, months);
  return {
    service: row.id,
    title: row.title,
    provider: row.provider,
    state: row.state,
    reviewedAt: isoOrNull(review?.at ?? null),
    outcome: review?.outcome ?? null,
    note: review?.note ?? null,
    dueAt: iso(dueAt),
    overdue: dueAt < now,
  };
}

/** The services that are shared by default, with when each was last looked at and has to be again. */
export async function list(
  { database, clock, config }: ControlContext,
  call: ControlCall,
): Promise<ControlResult> {
  const now = clock.now();
  const offered = await offeredByDefault(database.knex);
  const items = offered.map(({ row, review }) => view(row, review, config.sharing.reviewMonths, now));
  const asked = call.query['overdue'] === true ? items.filter(({ overdue }) => overdue) : items;
  return { status: 200, body: { items: asked } };
}

interface Asked extends Pick<ReviewRow, 'outcome' | 'note'> {
  readonly document?: string;
}

async function tellRemoved(trx: Knex, { id, provider }: ServiceRow, note: string, at: number): Promise<void> {
  await postNotice(trx, {
    kind: 'default_list_removed',
    agency: provider,
    role: 'provider',
    noun: 'service',
    key: id,
    title: { vi: `${id} ra khỏi danh mục mặc định`, en: `${id} is off the default list` },
    text: {
      vi: `Sau rà soát, dịch vụ ${id} chuyển sang chia sẻ theo yêu cầu đặc thù. ${note}`,
      en: `After its review ${id} is shared by special request. ${note}`,
    },
    at,
  });
}

/** One review; what it takes off the list is shared by special request from this moment on, and that needs a document. */
async function reviewOne(trx: Knex, call: ControlCall, id: string, now: number, takeOffList: TakeOffList) {
  const { outcome, note, document } = call.body as Asked;
  const service = await findService(trx, id);
  if (service?.sharing !== 'default' || service.published_revision === null) throw notFound();
  const removed = outcome === 'remove';
  const paper = document === undefined && !removed ? null : await mustRestOn(trx, document, call.caller);
  const made: ReviewRow = {
    service_id: id,
    at: now,
    outcome,
    note: note.trim(),
    document_id: paper?.id ?? null,
    actor: actorOf(call.caller),
  };
  await insertReview(trx, made);
  const row = removed ? await takeOffList(trx, service, made.actor, now) : service;
  if (removed) await tellRemoved(trx, row, made.note, now);
  return { row, made, paper };
}

/** Keep it, change it, or take it off: the review that falls due every six months. */
export async function review(
  context: ControlContext,
  call: ControlCall,
  takeOffList: TakeOffList,
): Promise<ControlResult> {
  const { database, clock, config } = context;
  const { provider, slug, version } = call.path;
  const id = `${provider ?? ''}/${slug ?? ''}/${version ?? ''}`;
  const now = clock.now();
  const { row, made, paper } = await changing(database, { noun: 'service', key: id, at: now }, (trx) =>
    reviewOne(trx, call, id, now, takeOffList),
  );
  await context.refresh();
  const after = view(row, made, config.sharing.reviewMonths, now);
  return {
    status: 200,
    body: after,
    act: {
      noun: 'default_review',
      key: id,
      before: null,
      after: {
        ...after,
        sharing: row.sharing,
        revision: row.published_revision,
        document: paper === null ? undefined : citation(paper),
      },
    },
  };
}
