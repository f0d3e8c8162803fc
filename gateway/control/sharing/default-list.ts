import { changing } from '../../store/changes.js';
import { insertReview, lastReviews, type ReviewRow } from '../../store/sharing-cases.js';
import { findService, listServices, type ServiceRow } from '../../store/services.js';
import { actorOf } from '../actor.js';
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

function view(row: ServiceRow, review: ReviewRow | undefined, months: number, now: number) {
  const since = review?.at ?? row.created_at;
  const dueAt = monthsLater(since, months);
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
  const reviews = await lastReviews(database.knex);
  const offered = (await listServices(database.knex)).filter(
    ({ sharing, state }) => sharing === 'default' && (state === 'published' || state === 'suspended'),
  );
  const items = offered.map((row) => view(row, reviews.get(row.id), config.sharing.reviewMonths, now));
  const asked = call.query['overdue'] === true ? items.filter(({ overdue }) => overdue) : items;
  return { status: 200, body: { items: asked } };
}

/** Keep it, change it, or take it off: the review that falls due every six months. */
export async function review(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, config } = context;
  const { provider, slug, version } = call.path;
  const id = `${provider ?? ''}/${slug ?? ''}/${version ?? ''}`;
  const now = clock.now();
  const { outcome, note, document } = call.body as Pick<ReviewRow, 'outcome' | 'note'> & {
    document?: string;
  };
  const { row, made, paper } = await changing(
    database,
    { noun: 'service', key: id, at: now },
    async (trx) => {
      const service = await findService(trx, id);
      if (service === undefined || service.sharing !== 'default' || service.published_revision === null)
        throw notFound();
      const found = document === undefined ? null : await mustRestOn(trx, document, call.caller);
      const review: ReviewRow = {
        service_id: id,
        at: now,
        outcome,
        note: note.trim(),
        document_id: found?.id ?? null,
        actor: actorOf(call.caller),
      };
      await insertReview(trx, review);
      return { row: service, made: review, paper: found };
    },
  );
  const after = view(row, made, config.sharing.reviewMonths, now);
  return {
    status: 200,
    body: after,
    act: {
      noun: 'default_review',
      key: id,
      before: null,
      after: { ...after, document: paper === null ? undefined : citation(paper) },
    },
  };
}
