import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { Problem } from '../../base/problem.js';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import { legalBasisInForce } from '../../store/legal-bases.js';
import { addStep, type RequestRow, updateRequest } from '../../store/sharing-requests.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { citation, mustRestOn } from '../papers.js';
import { invalid, ownDecision, wrongTransition } from '../refusals.js';
import { EFFECTS, type StepBody, type Taken } from './effects.js';
import { assertGuards } from './guards.js';
import { mustSeeRequest, sideFor } from './parties.js';
import { tellParties, tellRole } from './telling.js';
import { transition, type Transition } from './transitions.js';
import { detailsOf, requestFacts } from './views.js';

function assertNotMaker(row: RequestRow, { notBy }: Transition, actor: string): void {
  if (!notBy.some((column) => row[column] === actor)) return;
  throw ownDecision(
    'Người lập hoặc người đã quyết định bước trước không được tự duyệt bước này.',
    'Who asked, or who decided before, does not decide this step.',
  );
}

async function assertBasis(trx: Knex, ref: string, now: number): Promise<void> {
  const found = await legalBasisInForce(trx, ref, vietnamDay(now));
  if (found?.inForce === true) return;
  throw invalid(
    '/body/legalBasis',
    found === undefined ? 'exists' : 'inForce',
    found === undefined ? 'không có căn cứ pháp lý này' : 'căn cứ pháp lý không còn hoặc chưa có hiệu lực',
    found === undefined ? 'is not in the registry of legal bases' : 'is not in force today',
  );
}

/** What the step needs, and what was sent beside: a document or legal basis that is named must be there. */
async function assertNeeds(trx: Knex, call: ControlCall, { needs }: Transition, now: number) {
  const body = call.body as StepBody;
  if (needs.includes('reason') && (body.reason ?? '').trim() === '')
    throw invalid('/body/reason', 'required', 'cần nêu lý do', 'this step needs a reason');
  if (needs.includes('legalBasis') && body.legalBasis === undefined)
    throw invalid('/body/legalBasis', 'required', 'cần căn cứ pháp lý', 'this step needs a legal basis');
  if (needs.includes('agreement') && body.agreement === undefined)
    throw invalid(
      '/body/agreement',
      'required',
      'cần nội dung thống nhất chia sẻ dữ liệu',
      'this step needs what was agreed on',
    );
  if (body.legalBasis !== undefined) await assertBasis(trx, body.legalBasis, now);
  if (!needs.includes('document') && body.document === undefined) return null;
  return await mustRestOn(trx, body.document, call.caller);
}

async function dueOf(trx: Knex, context: ControlContext, { term }: Transition, now: number) {
  if (term === null) return null;
  return dueAt(now, context.config.sharing[term], await readCalendar(trx));
}

async function tell(taken: Taken, to: string): Promise<void> {
  const { trx, row, side, now, body } = taken;
  const { title } = transition(body.step);
  const reason = body.reason === undefined ? '' : ` ${body.reason.trim()}`;
  const news = {
    kind: `sharing_request_${body.step}`,
    noun: 'sharing_request',
    key: row.id,
    title: { vi: `${row.id}: ${title.vi}`, en: `${row.id}: ${title.en}` },
    text: {
      vi: `Yêu cầu ${row.id} đối với dịch vụ ${row.service_id}: ${title.vi}.${reason}`,
      en: `Request ${row.id} for ${row.service_id}: ${title.en}.${reason}`,
    },
    at: now,
  };
  await tellParties(trx, row, side, news);
  if (to === 'agreed') await tellRole(trx, 'manager', news);
}

/** One step in the transaction that takes it: whoever comes second finds another state. */
async function take(trx: Knex, context: ControlContext, call: ControlCall, now: number) {
  const body = call.body as StepBody;
  const step = transition(body.step);
  const row = await mustSeeRequest(trx, call.path['id'] ?? '', call.caller);
  const side = sideFor(call.caller, row, step);
  const actor = actorOf(call.caller);
  if (!step.from.includes(row.state))
    throw wrongTransition(
      'sharing_request',
      { id: row.id, state: row.state, since: row.state_since },
      body.step,
    );
  assertNotMaker(row, step, actor);
  const paper = await assertNeeds(trx, call, step, now);
  await assertGuards(step.guards, { trx, context, row, side });
  const taken: Taken = { trx, context, row, side, actor, now, body };
  const effect = (await EFFECTS[body.step]?.(taken)) ?? {};
  const to = effect.to ?? step.to;
  const patch: Partial<RequestRow> = {
    ...effect.patch,
    state: to,
    state_since: to === row.state ? row.state_since : now,
    due_at: await dueOf(trx, context, step, now),
    overdue_told_at: null,
    updated_at: now,
  };
  await updateRequest(trx, row.id, patch);
  await addStep(trx, {
    request_id: row.id,
    step: body.step,
    from_state: row.state,
    to_state: to,
    side,
    actor,
    agency: call.caller.agency,
    at: now,
    reason: body.reason?.trim() ?? null,
    document_id: paper?.id ?? null,
    legal_basis: body.legalBasis ?? null,
  });
  await tell(taken, to);
  return { before: row, after: { ...row, ...patch }, paper, side, grant: effect.grant };
}

/** Takes one step of the table of transitions. */
export async function act(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const key = call.path['id'] ?? '';
  const now = clock.now();
  const body = call.body as StepBody;
  const done = await changing(database, { noun: 'sharing_request', key, at: now }, (trx) =>
    take(trx, context, call, now),
  );
  await context.refresh();
  const { before, after, paper, side, grant } = done;
  return {
    status: 200,
    body: await detailsOf(context, after, call.caller),
    act: {
      noun: 'sharing_request',
      key,
      before: requestFacts(before),
      after: {
        ...requestFacts(after),
        step: body.step,
        side,
        reason: body.reason?.trim(),
        legalBasis: body.legalBasis,
        document: paper === null ? undefined : citation(paper),
        grant: grant?.id,
      },
    },
  };
}

/** A step that another decision takes along, in its transaction: `reopen` after a difficulty was settled. */
export async function takeWithin(
  trx: Knex,
  context: ControlContext,
  call: ControlCall,
  requestId: string,
  body: StepBody,
): Promise<void> {
  const now = context.clock.now();
  const inner: ControlCall = { ...call, path: { id: requestId }, body };
  const { after } = await take(trx, context, inner, now);
  if (after.state === 'refused') throw new Problem('internal_error');
}
