import type { Knex } from 'knex';
import { isCounted } from '../../audit/grant-use.js';
import { vietnamDay } from '../../base/calendar.js';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import {
  findReview,
  type GrantReviewRow,
  insertReview,
  lastReviewed,
  openReviews,
  reviewsOf,
  updateReview,
} from '../../store/grant-reviews.js';
import { lastUses } from '../../store/grant-use.js';
import { findGrant, grantsInForce, type GrantRow } from '../../store/grants.js';
import { nextNumber } from '../../store/sequences.js';
import type { RequestRow } from '../../store/sharing-requests.js';
import { owePlatformAct, recordByTime } from './by-time.js';
import type { JobContext } from './deadlines.js';
import { changeGrant } from './grant-making.js';
import { grantSince, isDormant } from './grant-use.js';
import { tellParties, tellRole } from './telling.js';

type Cause = GrantReviewRow['cause'];

function monthsLater(ms: number, months: number): number {
  const date = new Date(ms);
  date.setUTCMonth(date.getUTCMonth() + months);
  return date.getTime();
}

/** Why a grant is to be confirmed now; null when it is not. What was confirmed lately is left alone for as long again. */
function causeOf(
  { config }: JobContext,
  grant: GrantRow,
  used: number | null,
  reviewed: number | null,
  now: number,
): Cause | null {
  const { askDormant, everyMonths, dormantDays } = config.grantReview;
  const from = Math.max(grantSince(grant), reviewed ?? 0);
  const idle = isDormant(grant, Math.max(used ?? 0, reviewed ?? 0), now, { dormantDays });
  if (askDormant && idle) return 'dormant';
  return everyMonths > 0 && monthsLater(from, everyMonths) <= now ? 'periodic' : null;
}

const CAUSES = {
  dormant: { vi: 'lâu không được sử dụng', en: 'has not been used for long' },
  periodic: { vi: 'đến kỳ rà soát', en: 'is due to be reviewed' },
} as const;

function news(row: GrantReviewRow, kind: string, vi: string, en: string, at: number) {
  return {
    ...{ kind, noun: 'grant_review', key: row.id, at, dedupe: `${kind} ${row.id} ${row.state}` },
    title: { vi: `${row.grant_id}: ${vi}`, en: `${row.grant_id}: ${en}` },
    text: { vi: `${row.id}, ${row.grant_id}: ${vi}.`, en: `${row.id}, ${row.grant_id}: ${en}.` },
  };
}

async function open(trx: Knex, context: JobContext, id: string, cause: Cause, now: number): Promise<void> {
  const grant = await findGrant(trx, id);
  // Another node, or an earlier round, may have been first.
  const known = await reviewsOf(trx, id);
  const recent = known.some((row) => row.ended_at === null || row.ended_at === now);
  if (grant?.state !== 'active' || recent) return;
  const row: GrantReviewRow = {
    id: await nextNumber(trx, 'rs', vietnamDay(now)),
    ...{ grant_id: id, consumer: grant.consumer, provider: grant.provider, cause },
    ...{ state: 'asked', state_since: now, opened_at: now },
    due_at: dueAt(now, context.config.grantReview.answerWorkingDays, await readCalendar(trx)),
    ...{ reminded_at: null, overdue_told_at: null, reason: null, confirmed_by: null },
    ...{ answer: null, answered_by: null, ended_at: null },
  };
  await insertReview(trx, row);
  const { vi, en } = CAUSES[cause];
  const asked = news(
    row,
    'grant_review_asked',
    `${vi}, đề nghị xác nhận nhu cầu`,
    `${en}: please confirm it`,
    now,
  );
  await tellParties(trx, row, 'time', asked);
  await owePlatformAct(trx, now, 'askGrantReview', {
    ...{ noun: 'grant_review', key: row.id, before: null },
    after: { grant: id, cause, due: new Date(row.due_at ?? now).toISOString() },
  });
}

async function openDue(context: JobContext, now: number): Promise<void> {
  const { knex } = context.database;
  const busy = new Set((await openReviews(knex)).map((row) => row.grant_id));
  const grants = (await grantsInForce(knex, null)).filter(({ id }) => !busy.has(id));
  const reviewed = await lastReviewed(knex);
  const used = await lastUses(
    knex,
    grants.map(({ id }) => id),
  );
  for (const grant of grants) {
    const cause = causeOf(context, grant, used.get(grant.id) ?? null, reviewed.get(grant.id) ?? null, now);
    if (cause === null) continue;
    await changing(context.database, { noun: 'grant', key: grant.id, at: now }, (trx) =>
      open(trx, context, grant.id, cause, now),
    );
  }
}

/** The grant ends, with its request, its record and word to both sides. */
async function lapse(trx: Knex, row: GrantReviewRow, now: number): Promise<void> {
  const reason = `Quá hạn xác nhận nhu cầu sử dụng (${row.id})`;
  await changeGrant(trx, row.grant_id, { state: 'terminated', state_since: now, reason }, now);
  await updateReview(trx, row.id, { state: 'lapsed', state_since: now, due_at: null, ended_at: now });
  const request = await trx<RequestRow>('sharing_requests')
    .where({ grant_id: row.grant_id })
    .whereIn('state', ['active', 'suspended'])
    .first();
  if (request !== undefined) await recordByTime(trx, request, 'lapse', now, { grant: row.grant_id });
  await owePlatformAct(trx, now, 'lapseGrant', {
    ...{ noun: 'grant', key: row.grant_id, before: { state: 'active' } },
    after: { state: 'terminated', review: row.id, reason },
  });
  const told = news(
    row,
    'grant_lapsed',
    'chấm dứt do không xác nhận nhu cầu',
    'ended for want of an answer',
    now,
  );
  await tellParties(trx, row, 'time', told);
}

async function tellOverdue(trx: Knex, row: GrantReviewRow, now: number): Promise<void> {
  await updateReview(trx, row.id, { overdue_told_at: now });
  const late = news(row, 'grant_review_overdue', 'quá hạn xác nhận nhu cầu', 'was not answered in time', now);
  await tellParties(trx, row, 'time', late);
  await tellRole(trx, 'manager', late);
}

/** What time brings for one open review; each only where it is still due. @returns whether calls are concerned */
async function advance(trx: Knex, context: JobContext, id: string, now: number): Promise<boolean> {
  const row = await findReview(trx, id);
  if (row === undefined || row.ended_at !== null) return false;
  const grant = await findGrant(trx, row.grant_id);
  if (grant?.state !== 'active') {
    await updateReview(trx, id, { state: 'void', state_since: now, due_at: null, ended_at: now });
    return false;
  }
  if (row.due_at !== null && row.due_at < now) {
    // A consumer that confirmed in time does not lose its grant because the provider is silent.
    const lapses = context.config.grantReview.lapse && row.state === 'asked';
    if (lapses) await lapse(trx, row, now);
    else if (row.overdue_told_at === null) await tellOverdue(trx, row, now);
    return lapses;
  }
  if (row.reminded_at === null) {
    await updateReview(trx, id, { reminded_at: now });
    await tellParties(
      trx,
      row,
      'time',
      news(row, 'grant_review_due', 'sắp hết hạn trả lời', 'is due soon', now),
    );
  }
  return false;
}

/** Open reviews for which something may be due: looked at before anything is locked. */
async function dueReviews({ database, config }: JobContext, now: number): Promise<GrantReviewRow[]> {
  const { remindWorkingDays, lapse: lapses } = config.grantReview;
  const soon = dueAt(now, remindWorkingDays, await readCalendar(database.knex));
  const found: GrantReviewRow[] = [];
  for (const row of await openReviews(database.knex)) {
    const late = row.due_at !== null && row.due_at < now;
    const over = late && (row.overdue_told_at === null || (lapses && row.state === 'asked'));
    const near = !late && row.due_at !== null && row.due_at <= soon && row.reminded_at === null;
    const gone = (await findGrant(database.knex, row.grant_id))?.state !== 'active';
    if (over || near || gone) found.push(row);
  }
  return found;
}

/**
 * Asks for grants to be confirmed that are dormant or due, reminds, and lets lapse what nobody answered, by setting. Each
 * once, on however many nodes, also after a stop: what is due is looked at again inside the transaction that does it.
 */
export async function reviewGrants(context: JobContext, now: number): Promise<void> {
  // What the counts have not seen must not be held against a grant.
  if (await isCounted(context.database)) await openDue(context, now);
  let ended = false;
  for (const { id, grant_id: key } of await dueReviews(context, now))
    ended =
      (await changing(context.database, { noun: 'grant', key, at: now }, (trx) =>
        advance(trx, context, id, now),
      )) || ended;
  if (ended) await context.refresh();
}
