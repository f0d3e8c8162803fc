import type { Knex } from 'knex';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import { findGrant } from '../../store/grants.js';
import {
  findReview,
  type GrantReviewRow,
  pageReviews,
  type ReviewFilter,
  updateReview,
} from '../../store/grant-reviews.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { notFound, ownDecision, wrongTransition } from '../refusals.js';
import { isParty, seesAll, sideFor } from './parties.js';
import { tellParties, tellRole } from './telling.js';
import { iso, isoOrNull } from './views.js';

export function reviewView(row: GrantReviewRow, now: number) {
  return {
    ...{ id: row.id, grant: row.grant_id, consumer: row.consumer, provider: row.provider },
    ...{ cause: row.cause, state: row.state, stateSince: iso(row.state_since), openedAt: iso(row.opened_at) },
    dueAt: isoOrNull(row.due_at),
    overdue: row.ended_at === null && row.due_at !== null && row.due_at < now,
    ...{ reason: row.reason, confirmedBy: row.confirmed_by, answer: row.answer, answeredBy: row.answered_by },
    endedAt: isoOrNull(row.ended_at),
  };
}

export async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const filter = { ...(query as ReviewFilter), ...(seesAll(caller) ? {} : { party: caller.agency }) };
  const page = await pageReviews(database, filter, pageAsked(query));
  return { status: 200, body: pageBody(page, (row) => reviewView(row, clock.now())) };
}

async function mustSee(knex: Knex, call: ControlCall): Promise<GrantReviewRow> {
  const row = await findReview(knex, call.path['id'] ?? '');
  if (row === undefined || !isParty(call.caller, row)) throw notFound();
  return row;
}

interface AnswerBody {
  readonly step: 'confirm' | 'agree' | 'disagree';
  readonly reason: string;
}

const STEPS = {
  confirm: { from: 'asked', to: 'confirmed', side: 'consumer', vi: 'xác nhận còn nhu cầu', en: 'confirmed' },
  agree: { from: 'confirmed', to: 'agreed', side: 'provider', vi: 'bên cung cấp nhất trí', en: 'agreed' },
  disagree: { from: 'confirmed', to: 'disagreed', side: 'provider', vi: 'không nhất trí', en: 'not agreed' },
} as const;

async function patchOf(
  trx: Knex,
  { config }: ControlContext,
  { step, reason }: AnswerBody,
  actor: string,
  now: number,
): Promise<Partial<GrantReviewRow>> {
  const to = { state: STEPS[step].to, state_since: now, reminded_at: null, overdue_told_at: null };
  if (step !== 'confirm')
    return { ...to, answer: reason.trim(), answered_by: actor, due_at: null, ended_at: now };
  const due = dueAt(now, config.grantReview.answerWorkingDays, await readCalendar(trx));
  return { ...to, reason: reason.trim(), confirmed_by: actor, due_at: due };
}

async function take(trx: Knex, context: ControlContext, call: ControlCall, now: number) {
  const body = call.body as AnswerBody;
  const row = await mustSee(trx, call);
  const { from, side, vi, en } = STEPS[body.step];
  sideFor(call.caller, row, { sides: [side], roles: { [side]: [side] } });
  const grant = await findGrant(trx, row.grant_id);
  if (row.state !== from || grant?.state !== 'active')
    throw wrongTransition('grant', { id: row.id, state: row.state, since: row.state_since }, body.step);
  const actor = actorOf(call.caller);
  if (side === 'provider' && row.confirmed_by === actor)
    throw ownDecision('Người xác nhận không được tự nhất trí.', 'Who confirmed it does not agree to it.');
  const patch = await patchOf(trx, context, body, actor, now);
  await updateReview(trx, row.id, patch);
  const news = {
    kind: `grant_review_${body.step}`,
    ...{ noun: 'grant_review', key: row.id, at: now },
    title: { vi: `${row.id}: ${vi}`, en: `${row.id}: ${en}` },
    text: { vi: `${row.grant_id}: ${vi}. ${body.reason}`, en: `${row.grant_id}: ${en}. ${body.reason}` },
  };
  await tellParties(trx, row, side, news);
  if (body.step === 'disagree') await tellRole(trx, 'manager', news);
  return { before: row, after: { ...row, ...patch } };
}

/** The consumer confirms that it still needs the grant; the provider agrees, or says why not. */
export async function answer(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const key = (await mustSee(database.knex, call)).grant_id;
  const { before, after } = await changing(database, { noun: 'grant', key, at: now }, (trx) =>
    take(trx, context, call, now),
  );
  const view = reviewView(after, now);
  return {
    status: 200,
    body: view,
    act: { noun: 'grant_review', key: after.id, before: reviewView(before, now), after: view },
  };
}
