import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import { postNotice } from '../../store/notices.js';
import { nextNumber } from '../../store/sequences.js';
import {
  type AccountRequestRow,
  type AccountState,
  findAccountRequest,
  insertAccountRequest,
  pageAccountRequests,
  updateAccountRequest,
} from '../../store/sharing-cases.js';
import { findSystem } from '../../store/systems.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { citation, mustRestOn } from '../papers.js';
import { beyondRole, invalid, notFound, ownDecision, wrongTransition } from '../refusals.js';
import { seesAll } from './parties.js';
import { tellRole } from './telling.js';
import { accountRequestView } from './views.js';

type Caller = ControlCall['caller'];

export async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const now = clock.now();
  const filter = {
    state: query['state'] as AccountState | undefined,
    ...(query['overdue'] === true ? { overdueAt: now } : {}),
    ...(seesAll(caller) ? {} : { agency: caller.agency }),
  };
  const page = await pageAccountRequests(database, filter, pageAsked(query));
  return { status: 200, body: pageBody(page, (row) => accountRequestView(row, now)) };
}

async function mustSee(knex: Knex, id: string, caller: Caller): Promise<AccountRequestRow> {
  const row = await findAccountRequest(knex, id);
  if (row === undefined || (!seesAll(caller) && row.agency !== caller.agency)) throw notFound();
  return row;
}

export async function get({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSee(database.knex, call.path['id'] ?? '', call.caller);
  return { status: 200, body: accountRequestView(row, clock.now()) };
}

interface NewAccountRequest {
  readonly agency?: string;
  readonly systemName: string;
  readonly purpose: string;
  readonly document?: string;
}

async function newRow(
  trx: Knex,
  { clock, config }: ControlContext,
  call: ControlCall,
  agency: string,
  document: string,
): Promise<AccountRequestRow> {
  const now = clock.now();
  const body = call.body as NewAccountRequest;
  return {
    id: await nextNumber(trx, 'tk', vietnamDay(now)),
    agency,
    system_name: body.systemName.normalize('NFC').trim(),
    purpose: body.purpose.normalize('NFC').trim(),
    document_id: document,
    state: 'submitted',
    state_since: now,
    due_at: dueAt(now, config.sharing.accountWorkingDays, await readCalendar(trx)),
    overdue_told_at: null,
    system_id: null,
    reason: null,
    legal_basis: null,
    decided_by: null,
    created_by: actorOf(call.caller),
    created_at: now,
    updated_at: now,
  };
}

/** A written request for a connection account: by the agency itself, or entered by an operator from paper. */
export async function create(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const now = clock.now();
  const body = call.body as NewAccountRequest;
  const agency = body.agency ?? call.caller.agency;
  if (agency !== call.caller.agency && !call.caller.roles.includes('operator'))
    throw beyondRole(
      call.caller.roles,
      'Chỉ đơn vị vận hành lập thay cơ quan khác.',
      'Only an operator enters this for another agency.',
    );
  const { row, paper } = await changing(
    database,
    { noun: 'account_request', key: agency, at: now },
    async (trx) => {
      const found = await mustRestOn(trx, body.document, call.caller);
      if ((await trx('agencies').where({ code: agency }).first('code')) === undefined)
        throw invalid('/body/agency', 'exists', 'không có cơ quan này', 'there is no such agency');
      const made = await newRow(trx, context, call, agency, found.id);
      await insertAccountRequest(trx, made);
      await tellRole(trx, 'operator', {
        kind: 'account_request',
        noun: 'account_request',
        key: made.id,
        title: {
          vi: `${made.id}: đề nghị cấp tài khoản kết nối`,
          en: `${made.id}: a connection account is asked for`,
        },
        text: { vi: `${agency}: ${made.system_name}`, en: `${agency}: ${made.system_name}` },
        at: now,
      });
      return { row: made, paper: found };
    },
  );
  const after = accountRequestView(row, now);
  return {
    status: 201,
    body: after,
    act: {
      noun: 'account_request',
      key: row.id,
      before: null,
      after: { ...after, document: citation(paper) },
    },
  };
}

interface AccountStep {
  readonly step: 'accept' | 'refuse' | 'withdraw';
  readonly system?: string;
  readonly reason?: string;
  readonly legalBasis?: string;
}

async function assertMade(trx: Knex, row: AccountRequestRow, id: string | undefined): Promise<string> {
  const system = id === undefined ? undefined : await findSystem(trx, id);
  if (system?.agency_code === row.agency && system.created_at >= row.created_at) return system.id;
  throw invalid(
    '/body/system',
    'exists',
    'cần mã của tài khoản đã cấp cho cơ quan này sau khi có đề nghị',
    'needs the account that was registered for this agency after it asked',
  );
}

async function patchOf(trx: Knex, call: ControlCall, row: AccountRequestRow, now: number) {
  const body = call.body as AccountStep;
  const own = body.step === 'withdraw';
  if (own && row.agency !== call.caller.agency)
    throw beyondRole(
      call.caller.roles,
      'Chỉ cơ quan đề nghị được rút.',
      'Only the agency that asked withdraws.',
    );
  if (!own && !call.caller.roles.includes('operator'))
    throw beyondRole(call.caller.roles, 'Chỉ đơn vị vận hành quyết định.', 'Only an operator decides.');
  if (!own && row.created_by === actorOf(call.caller) && row.agency === call.caller.agency)
    throw ownDecision('Người đề nghị không được tự quyết định.', 'Who asked does not decide.');
  if (body.step === 'refuse' && (body.reason ?? '').trim() === '')
    throw invalid('/body/reason', 'required', 'từ chối phải nêu lý do', 'a refusal needs its reason');
  const state = { accept: 'created', refuse: 'refused', withdraw: 'withdrawn' } as const;
  return {
    state: state[body.step],
    state_since: now,
    system_id: body.step === 'accept' ? await assertMade(trx, row, body.system) : null,
    reason: body.reason?.trim() ?? null,
    legal_basis: body.legalBasis ?? null,
    decided_by: actorOf(call.caller),
    updated_at: now,
  };
}

/** Within 02 working days: the account that was made, or a reason why not. */
export async function decide(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const key = call.path['id'] ?? '';
  const now = clock.now();
  const { step } = call.body as AccountStep;
  const { before, after } = await changing(
    database,
    { noun: 'account_request', key, at: now },
    async (trx) => {
      const row = await mustSee(trx, key, call.caller);
      if (row.state !== 'submitted')
        throw wrongTransition('account_request', { id: key, state: row.state, since: row.state_since }, step);
      const patch = await patchOf(trx, call, row, now);
      await updateAccountRequest(trx, key, patch);
      await postNotice(trx, {
        agency: row.agency,
        kind: `account_request_${step}`,
        noun: 'account_request',
        key,
        title: {
          vi: `${key}: ${step === 'accept' ? 'đã cấp tài khoản' : step === 'refuse' ? 'bị từ chối' : 'đã rút'}`,
          en: `${key}: ${step === 'accept' ? 'the account was made' : step === 'refuse' ? 'refused' : 'withdrawn'}`,
        },
        text: { vi: patch.reason ?? row.system_name, en: patch.reason ?? row.system_name },
        at: now,
      });
      return { before: row, after: { ...row, ...patch } };
    },
  );
  const view = accountRequestView(after, now);
  return {
    status: 200,
    body: view,
    act: { noun: 'account_request', key, before: accountRequestView(before, now), after: view },
  };
}
