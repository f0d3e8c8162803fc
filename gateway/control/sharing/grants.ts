import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { changing } from '../../store/changes.js';
import { findGrant, type GrantFilter, type GrantRow, pageGrants } from '../../store/grants.js';
import { nextNumber } from '../../store/sequences.js';
import {
  addStep,
  findRequest,
  insertRequest,
  openRequestOf,
  type RequestRow,
} from '../../store/sharing-requests.js';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { citation, mustRestOn } from '../papers.js';
import { conflict, notFound, wrongTransition } from '../refusals.js';
import { assertComplete, type Content, contentOf } from './content.js';
import { changeGrant } from './grant-making.js';
import { isParty, seesAll, sideFor } from './parties.js';
import { tellParties } from './telling.js';
import { TRANSITIONS } from './transitions.js';
import { detailsOf, grantDetails, grantView, requestFacts } from './views.js';

export async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const filter = {
    ...(query as GrantFilter),
    ...(seesAll(caller) ? {} : { party: caller.agency }),
  };
  const now = clock.now();
  const page = await pageGrants(database, filter, pageAsked(query));
  return { status: 200, body: pageBody(page, (row) => grantView(row, now)) };
}

export async function mustSeeGrant(knex: Knex, call: ControlCall): Promise<GrantRow> {
  const row = await findGrant(knex, call.path['id'] ?? '');
  if (row === undefined || !isParty(call.caller, row)) throw notFound();
  return row;
}

export async function get(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSeeGrant(context.database.knex, call);
  return { status: 200, body: await grantDetails(context, row) };
}

interface Wanted {
  readonly perDay?: number;
  readonly perMinute?: number | null;
  readonly until?: string;
  readonly reason?: string;
  readonly document?: string;
}

const within = (asked: number | null | undefined, approved: number | null): boolean =>
  asked === undefined || approved === null || (asked !== null && asked <= approved);

/** Suspended or not: what is held up may be amended, and stays held up. */
function assertAtWork(row: GrantRow, act: string): void {
  if (row.state === 'active' && row.sharing === 'special') return;
  throw wrongTransition('grant', { id: row.id, state: row.state, since: row.state_since }, act);
}

/** Within what was approved a quota changes at once; beyond it an amendment waits, and the grant works on as it is. */
export async function setQuota(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const known = await mustSeeGrant(database.knex, call);
  const asked = call.body as Wanted & { perDay: number };
  sideFor(call.caller, known, TRANSITIONS.submit);
  const { approved_per_day: day, approved_per_minute: minute } = known;
  if (!within(asked.perDay, day) || !within(asked.perMinute, minute)) return await amend(context, call);
  const now = clock.now();
  const { before, after } = await changing(
    database,
    { noun: 'grant', key: known.id, at: now },
    async (trx) => {
      const row = await mustSeeGrant(trx, call);
      assertAtWork(row, 'quota');
      const per_minute = asked.perMinute === undefined ? row.per_minute : asked.perMinute;
      return {
        before: row,
        after: await changeGrant(trx, row.id, { per_day: asked.perDay, per_minute }, now),
      };
    },
  );
  await context.refresh();
  return {
    status: 200,
    body: await grantDetails(context, after),
    act: { noun: 'grant', key: known.id, before: grantView(before, now), after: grantView(after, now) },
  };
}

/** The content of the request that the grant rests on, with what is to change. */
async function amendedContent(trx: Knex, grant: GrantRow, asked: Wanted): Promise<Content> {
  const based = grant.request_id === null ? undefined : await findRequest(trx, grant.request_id);
  if (based === undefined) throw notFound();
  const content = contentOf(based);
  return {
    ...content,
    from: null,
    perDay: asked.perDay ?? content.perDay,
    perMinute: asked.perMinute === undefined ? content.perMinute : asked.perMinute,
    until: asked.until ?? content.until,
  };
}

async function newAmendment(
  trx: Knex,
  context: ControlContext,
  call: ControlCall,
  grant: GrantRow,
): Promise<RequestRow> {
  const now = context.clock.now();
  const open = await openRequestOf(trx, grant.system_id, grant.service_id);
  if (open !== undefined)
    throw conflict(`Yêu cầu ${open.id} đang được xử lý.`, `${open.id} is under way.`, {
      kind: 'sharing_request',
      id: open.id,
      state: open.state,
    });
  const actor = actorOf(call.caller);
  const row: RequestRow = {
    id: await nextNumber(trx, 'yc', vietnamDay(now)),
    service_id: grant.service_id,
    provider: grant.provider,
    consumer: grant.consumer,
    system_id: grant.system_id,
    state: 'submitted',
    state_since: now,
    due_at: dueAt(now, context.config.sharing.receiveWorkingDays, await readCalendar(trx)),
    overdue_told_at: null,
    content: JSON.stringify(await amendedContent(trx, grant, call.body as Wanted)),
    agreement: null,
    refusal: null,
    grant_id: null,
    amends: grant.id,
    submitted_by: actor,
    agreed_by: null,
    created_by: actor,
    created_at: now,
    updated_at: now,
  };
  await assertComplete(trx, context, row);
  await insertRequest(trx, row);
  return row;
}

/** Asks for more than was approved, or for longer: a request of its own, which takes the grant's place once approved. */
export async function amend(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const { document, reason = null } = call.body as Wanted;
  const { row, paper } = await changing(
    database,
    { noun: 'sharing_request', key: call.path['id'] ?? '', at: now },
    async (trx) => {
      const grant = await mustSeeGrant(trx, call);
      sideFor(call.caller, grant, TRANSITIONS.submit);
      assertAtWork(grant, 'amend');
      const found = await mustRestOn(trx, document, call.caller);
      const made = await newAmendment(trx, context, call, grant);
      await addStep(trx, {
        request_id: made.id,
        step: 'submit',
        from_state: 'draft',
        to_state: 'submitted',
        side: 'consumer',
        actor: actorOf(call.caller),
        agency: call.caller.agency,
        at: now,
        reason,
        document_id: found.id,
        legal_basis: null,
      });
      await tellParties(trx, made, 'consumer', {
        kind: 'sharing_request_submit',
        noun: 'sharing_request',
        key: made.id,
        title: {
          vi: `${made.id}: đề nghị sửa đổi ${grant.id}`,
          en: `${made.id}: an amendment of ${grant.id}`,
        },
        text: {
          vi: `Đề nghị thay đổi hạn mức hoặc thời hạn của ${grant.id}. ${reason ?? ''}`,
          en: `Another quota or term is asked for ${grant.id}. ${reason ?? ''}`,
        },
        at: now,
      });
      return { row: made, paper: found };
    },
  );
  return {
    status: 202,
    body: await detailsOf(context, row, call.caller),
    act: {
      noun: 'sharing_request',
      key: row.id,
      before: null,
      after: { ...requestFacts(row), step: 'submit', document: citation(paper) },
    },
  };
}
