import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import { nextNumber } from '../../store/sequences.js';
import {
  difficultiesOf,
  type DifficultyRow,
  type DifficultyState,
  findDifficulty,
  insertDifficulty,
  pageDifficulties,
  updateDifficulty,
} from '../../store/sharing-cases.js';
import { findRequest } from '../../store/sharing-requests.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { citation, mustRestOn } from '../papers.js';
import { conflict, notFound, ownDecision, wrongTransition } from '../refusals.js';
import { takeWithin } from './acting.js';
import { isParty, mustSeeRequest, seesAll, sideFor } from './parties.js';
import { tellParties, tellRole } from './telling.js';
import { TRANSITIONS } from './transitions.js';
import { difficultyView } from './views.js';

export async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const now = clock.now();
  const filter = {
    state: query['state'] as DifficultyState | undefined,
    ...(seesAll(caller) ? {} : { party: caller.agency }),
  };
  const page = await pageDifficulties(database, filter, pageAsked(query));
  return { status: 200, body: pageBody(page, (row) => difficultyView(row, now)) };
}

async function mustSee(knex: Knex, call: ControlCall): Promise<DifficultyRow> {
  const row = await findDifficulty(knex, call.path['id'] ?? '');
  const request = row === undefined ? undefined : await findRequest(knex, row.request_id);
  if (row === undefined || request === undefined || !isParty(call.caller, request)) throw notFound();
  return row;
}

export async function get({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  return { status: 200, body: difficultyView(await mustSee(database.knex, call), clock.now()) };
}

/** Whoever was refused may bring it before the managing agency. */
export async function raise(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, config } = context;
  const requestId = call.path['id'] ?? '';
  const now = clock.now();
  const { text } = call.body as { text: string };
  const row = await changing(database, { noun: 'sharing_request', key: requestId, at: now }, async (trx) => {
    const request = await mustSeeRequest(trx, requestId, call.caller);
    sideFor(call.caller, request, TRANSITIONS.submit);
    if (request.state !== 'refused')
      throw wrongTransition(
        'sharing_request',
        { id: requestId, state: request.state, since: request.state_since },
        'raise-difficulty',
      );
    const open = (await difficultiesOf(trx, requestId)).find(({ state }) => state !== 'concluded');
    if (open !== undefined)
      throw conflict(`Vướng mắc ${open.id} đang được giải quyết.`, `${open.id} is being settled.`);
    const made: DifficultyRow = {
      id: await nextNumber(trx, 'vm', vietnamDay(now)),
      request_id: requestId,
      state: 'received',
      state_since: now,
      due_at: dueAt(now, config.sharing.settleWorkingDays, await readCalendar(trx)),
      overdue_told_at: null,
      raised_by: actorOf(call.caller),
      raised_agency: call.caller.agency,
      text: text.normalize('NFC').trim(),
      outcome: null,
      conclusion: null,
      legal_basis: null,
      document_id: null,
      settled_by: null,
      created_at: now,
      updated_at: now,
    };
    await insertDifficulty(trx, made);
    const news = {
      kind: 'difficulty_received',
      noun: 'difficulty',
      key: made.id,
      title: {
        vi: `${made.id}: vướng mắc về ${requestId}`,
        en: `${made.id}: a difficulty over ${requestId}`,
      },
      text: { vi: made.text, en: made.text },
      at: now,
    };
    await tellRole(trx, 'manager', news);
    await tellParties(trx, request, 'consumer', news);
    return made;
  });
  const after = difficultyView(row, now);
  return { status: 201, body: after, act: { noun: 'difficulty', key: row.id, before: null, after } };
}

interface SettleBody {
  readonly step: 'settle' | 'conclude';
  readonly outcome?: 'upheld' | 'reconsider';
  readonly conclusion?: string;
  readonly legalBasis?: string;
  readonly document?: string;
}

const STEPS = {
  settle: { from: 'received', to: 'in_settlement' },
  conclude: { from: 'in_settlement', to: 'concluded' },
} as const;

async function concluded(trx: Knex, context: ControlContext, call: ControlCall, row: DifficultyRow) {
  const body = call.body as SettleBody;
  const paper = await mustRestOn(trx, body.document, call.caller);
  const outcome = body.outcome ?? 'upheld';
  const conclusion = body.conclusion ?? '';
  if (outcome === 'reconsider')
    await takeWithin(trx, context, call, row.request_id, {
      step: 'reopen',
      reason: conclusion,
      ...(body.legalBasis === undefined ? {} : { legalBasis: body.legalBasis }),
      document: paper.id,
    });
  const patch = { outcome, conclusion, legal_basis: body.legalBasis ?? null, document_id: paper.id };
  return { patch, paper: citation(paper) };
}

/** received → in settlement → concluded, by the managing agency; a conclusion may reopen the request. */
export async function settle(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const key = call.path['id'] ?? '';
  const now = clock.now();
  const body = call.body as SettleBody;
  const { before, after, paper } = await changing(
    database,
    { noun: 'sharing_request', key, at: now },
    async (trx) => {
      const row = await mustSee(trx, call);
      const { from, to } = STEPS[body.step];
      if (row.state !== from)
        throw wrongTransition('difficulty', { id: key, state: row.state, since: row.state_since }, body.step);
      if (row.raised_by === actorOf(call.caller))
        throw ownDecision(
          'Người nêu vướng mắc không được tự giải quyết.',
          'Who raised it does not settle it.',
        );
      const done =
        body.step === 'conclude' ? await concluded(trx, context, call, row) : { patch: {}, paper: null };
      const patch: Partial<DifficultyRow> = {
        ...done.patch,
        state: to,
        state_since: now,
        settled_by: actorOf(call.caller),
        updated_at: now,
      };
      await updateDifficulty(trx, key, patch);
      const request = await findRequest(trx, row.request_id);
      if (request !== undefined)
        await tellParties(trx, request, 'platform', {
          kind: `difficulty_${to}`,
          noun: 'difficulty',
          key,
          title: {
            vi: `${key}: ${to === 'concluded' ? 'đã có kết luận' : 'đang giải quyết'}`,
            en: `${key}: ${to === 'concluded' ? 'concluded' : 'in settlement'}`,
          },
          text: { vi: body.conclusion ?? row.text, en: body.conclusion ?? row.text },
          at: now,
        });
      return { before: row, after: { ...row, ...patch }, paper: done.paper };
    },
  );
  await context.refresh();
  const view = difficultyView(after, now);
  return {
    status: 200,
    body: view,
    act: {
      noun: 'difficulty',
      key,
      before: difficultyView(before, now),
      after: { ...view, document: paper ?? undefined },
    },
  };
}
