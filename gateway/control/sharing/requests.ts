import { vietnamDay } from '../../base/calendar.js';
import { Problem } from '../../base/problem.js';
import { changing } from '../../store/changes.js';
import { nextNumber } from '../../store/sequences.js';
import { findService } from '../../store/services.js';
import {
  insertRequest,
  listTasks,
  openRequestOf,
  pageRequests,
  type RequestFilter,
  type RequestRow,
  updateRequest,
  updateTask,
} from '../../store/sharing-requests.js';
import { findSystem } from '../../store/systems.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { conflict, invalid, notFound, wrongTransition } from '../refusals.js';
import { type Content, contentOf } from './content.js';
import { mustSeeRequest, seesAll, sideFor } from './parties.js';
import { TRANSITIONS } from './transitions.js';
import { detailsOf, requestFacts, requestView } from './views.js';

type SentContent = Partial<Content>;

const EMPTY: Content = {
  purpose: '',
  legalBasis: null,
  operations: [],
  fields: null,
  perDay: null,
  perMinute: null,
  from: null,
  until: null,
  afterUse: null,
};

export async function list({ database, clock }: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { query, caller } = call;
  const { overdue, ...asked } = query as RequestFilter & { overdue?: boolean };
  const now = clock.now();
  const filter = {
    ...asked,
    ...(overdue === true ? { overdueAt: now } : {}),
    ...(seesAll(caller) ? { draftsOf: caller.agency } : { party: caller.agency }),
  };
  const page = await pageRequests(database, filter, pageAsked(query));
  return { status: 200, body: pageBody(page, (row) => requestView(row, now)) };
}

/** What an agency may ask for: a published special service, for a system of its own. */
async function askedOf(
  context: ControlContext,
  call: ControlCall,
  body: { service: string; system: string },
) {
  const { knex } = context.database;
  const service = await findService(knex, body.service);
  if (service === undefined || service.published_revision === null || service.state === 'draft')
    throw invalid('/body/service', 'exists', 'không có dịch vụ này', 'there is no such service');
  if (service.sharing !== 'special')
    throw invalid(
      '/body/service',
      'sharing',
      'dịch vụ chia sẻ mặc định chỉ cần đăng ký',
      'is shared by default: one subscription is enough',
    );
  const system = await findSystem(knex, body.system);
  if (system?.agency_code !== call.caller.agency)
    throw invalid('/body/system', 'exists', 'cơ quan không có hệ thống này', 'is no system of your agency');
  return { service, system };
}

export async function create(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const {
    service: serviceId,
    system: systemId,
    ...sent
  } = call.body as SentContent & {
    service: string;
    system: string;
  };
  const { service, system } = await askedOf(context, call, { service: serviceId, system: systemId });
  const now = clock.now();
  const row = await changing(database, { noun: 'sharing_request', key: serviceId, at: now }, async (trx) => {
    const made: RequestRow = {
      id: await nextNumber(trx, 'yc', vietnamDay(now)),
      service_id: service.id,
      provider: service.provider,
      consumer: system.agency_code,
      system_id: system.id,
      state: 'draft',
      state_since: now,
      due_at: null,
      overdue_told_at: null,
      content: JSON.stringify({ ...EMPTY, ...sent }),
      agreement: null,
      refusal: null,
      grant_id: null,
      amends: null,
      submitted_by: null,
      agreed_by: null,
      created_by: actorOf(call.caller),
      created_at: now,
      updated_at: now,
    };
    const open = await openRequestOf(trx, system.id, service.id);
    if (open !== undefined)
      throw conflict(
        `Yêu cầu ${open.id} của hệ thống này đối với dịch vụ đang được xử lý.`,
        `${open.id} of this system for the service is under way.`,
        { kind: 'sharing_request', id: open.id, state: open.state },
      );
    await insertRequest(trx, made);
    return made;
  });
  return {
    status: 201,
    body: await detailsOf(context, row, call.caller),
    act: { noun: 'sharing_request', key: row.id, before: null, after: requestFacts(row) },
  };
}

export async function get(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSeeRequest(context.database.knex, call.path['id'] ?? '', call.caller);
  return { status: 200, body: await detailsOf(context, row, call.caller) };
}

/** The content is its maker's until it is handed in, and again while changes are asked for. */
export async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const key = call.path['id'] ?? '';
  const now = clock.now();
  const { before, after } = await changing(
    database,
    { noun: 'sharing_request', key, at: now },
    async (trx) => {
      const row = await mustSeeRequest(trx, key, call.caller);
      sideFor(call.caller, row, TRANSITIONS.submit);
      if (row.state !== 'draft' && row.state !== 'needs_changes')
        throw wrongTransition(
          'sharing_request',
          { id: key, state: row.state, since: row.state_since },
          'update',
        );
      const content = { ...contentOf(row), ...(call.body as SentContent) };
      if (row.amends !== null) assertOnlyTerms(contentOf(row), content);
      const patch = { content: JSON.stringify(content), updated_at: now };
      await updateRequest(trx, key, patch);
      return { before: row, after: { ...row, ...patch } };
    },
  );
  return {
    status: 200,
    body: await detailsOf(context, after, call.caller),
    act: { noun: 'sharing_request', key, before: requestFacts(before), after: requestFacts(after) },
  };
}

/** An amendment skips preparing and testing, so it cannot widen what is disclosed. */
function assertOnlyTerms(before: Content, after: Content): void {
  for (const name of ['operations', 'fields'] as const)
    if (JSON.stringify(before[name]) !== JSON.stringify(after[name]))
      throw invalid(
        `/body/${name}`,
        'const',
        'sửa đổi chỉ về hạn mức và thời hạn; phạm vi khác cần yêu cầu mới',
        'an amendment changes quota and term; another scope is another request',
      );
}

export async function doTask(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const key = call.path['id'] ?? '';
  const seq = Number(call.path['task']);
  const now = clock.now();
  const { done, note = null } = call.body as { done: boolean; note?: string | null };
  const { row, before, patch } = await changing(
    database,
    { noun: 'sharing_request', key, at: now },
    async (trx) => {
      const request = await mustSeeRequest(trx, key, call.caller);
      const task = (await listTasks(trx, key)).find((one) => one.seq === seq);
      if (task === undefined) throw notFound();
      sideFor(call.caller, request, {
        sides: [task.party],
        roles: { consumer: ['consumer'], provider: ['provider'], platform: ['manager', 'operator'] },
      });
      if (request.state !== 'preparing')
        throw wrongTransition(
          'sharing_request',
          { id: key, state: request.state, since: request.state_since },
          'task',
        );
      const change = { note, done_at: done ? now : null, done_by: done ? actorOf(call.caller) : null };
      await updateTask(trx, key, seq, change);
      return { row: request, before: task, patch: change };
    },
  );
  const fact = ({ done_at, note: said }: { done_at: number | null; note: string | null }) => ({
    task: seq,
    done: done_at !== null,
    note: said,
  });
  return {
    status: 200,
    body: await detailsOf(context, row, call.caller),
    act: { noun: 'sharing_request', key, before: fact(before), after: fact(patch) },
  };
}

/** What would leave, as a schema that a person can read: this is what the provider approves. */
export async function narrowed(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustSeeRequest(context.database.knex, call.path['id'] ?? '', call.caller);
  const { operations, fields } = contentOf(row);
  const contract = context.published(row.service_id)?.contract;
  if (contract === undefined) throw notFound();
  const items = operations.map((id) => {
    const operation = contract.operations.get(id);
    if (operation === undefined)
      throw new Problem('conflict', { rule: { kind: 'service', id: row.service_id, state: 'changed' } });
    const pointers = fields?.[id] ?? null;
    return {
      operation: id,
      fields: pointers,
      answers: pointers === null ? null : operation.narrowedSchemas(pointers),
    };
  });
  return { status: 200, body: { items } };
}

export function table(): Promise<ControlResult> {
  const steps = Object.entries(TRANSITIONS).map(([step, row]) => ({
    step,
    from: row.from,
    to: row.to,
    sides: row.sides,
    needs: row.needs,
    guards: row.guards,
    notBy: row.notBy,
    title: row.title,
  }));
  return Promise.resolve({ status: 200, body: { steps } });
}
