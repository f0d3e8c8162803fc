import type { Knex } from 'knex';
import { vietnamDay } from '../../base/calendar.js';
import { dueAt } from '../../base/working-days.js';
import { readCalendar } from '../../store/calendar.js';
import { changing } from '../../store/changes.js';
import { GRANT_SIDES, type GrantRow, grantsOfPair, insertGrant } from '../../store/grants.js';
import { nextNumber } from '../../store/sequences.js';
import { findService, type ServiceRow } from '../../store/services.js';
import { findSystem, type Role, type SystemRow } from '../../store/systems.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { citation, mustRestOn } from '../papers.js';
import { conflict, invalid, wrongTransition } from '../refusals.js';
import { act } from './acting.js';
import { changeGrant } from './grant-making.js';
import { mustSeeGrant } from './grants.js';
import { flagColumn, flagOf } from './guards.js';
import { sideFor } from './parties.js';
import { tellParties, tellRole } from './telling.js';
import type { Side } from './transitions.js';
import { grantDetails, grantView } from './views.js';

interface Subscription {
  readonly service: string;
  readonly system: string;
  readonly purpose: string;
}

async function mustOffer(knex: Knex, id: string): Promise<ServiceRow> {
  const service = await findService(knex, id);
  if (service?.state !== 'published')
    throw invalid('/body/service', 'exists', 'không có dịch vụ này', 'there is no such service');
  if (service.sharing === 'default') return service;
  throw invalid(
    '/body/service',
    'sharing',
    'dịch vụ chia sẻ theo yêu cầu đặc thù: hãy lập yêu cầu chia sẻ',
    'is shared by special request: make a sharing request',
  );
}

async function mustOwn(knex: Knex, call: ControlCall, id: string): Promise<SystemRow> {
  const system = await findSystem(knex, id);
  const able = system?.state === 'active' && (JSON.parse(system.roles) as Role[]).includes('consumer');
  if (able && system.agency_code === call.caller.agency) return system;
  throw invalid(
    '/body/system',
    'exists',
    'cơ quan không có hệ thống khai thác đang hoạt động nào như vậy',
    'is no active consumer system of your agency',
  );
}

async function newSubscription(
  trx: Knex,
  context: ControlContext,
  call: ControlCall,
  confirmed: boolean,
): Promise<GrantRow> {
  const now = context.clock.now();
  const body = call.body as Subscription;
  const service = await mustOffer(trx, body.service);
  const system = await mustOwn(trx, call, body.system);
  const other = (await grantsOfPair(trx, system.id, service.id)).find(({ state }) =>
    ['active', 'requested'].includes(state),
  );
  if (other !== undefined)
    throw conflict(
      `Hệ thống đã đăng ký dịch vụ này (${other.id}).`,
      `The system has subscribed already (${other.id}).`,
      { kind: 'grant', id: other.id, state: other.state },
    );
  const days = context.config.sharing.accountWorkingDays;
  const grant: GrantRow = {
    id: await nextNumber(trx, 'dk', vietnamDay(now)),
    request_id: null,
    sharing: 'default',
    service_id: service.id,
    provider: service.provider,
    consumer: system.agency_code,
    system_id: system.id,
    state: confirmed ? 'active' : 'requested',
    state_since: now,
    suspended_consumer: null,
    suspended_provider: null,
    suspended_platform: null,
    operations: null,
    fields: null,
    approved_per_day: null,
    approved_per_minute: null,
    per_day: null,
    per_minute: null,
    purpose: body.purpose.normalize('NFC').trim(),
    legal_basis: null,
    valid_from: now,
    valid_until: null,
    version: 1,
    due_at: confirmed ? null : dueAt(now, days, await readCalendar(trx)),
    overdue_told_at: null,
    reason: null,
    document_id: null,
    created_by: actorOf(call.caller),
    decided_by: null,
    created_at: now,
    updated_at: now,
  };
  await insertGrant(trx, grant);
  await trx('changes').insert({ noun: 'grant', key: grant.id, at: now });
  return grant;
}

const news = (grant: GrantRow, kind: string, vi: string, en: string, at: number) => ({
  kind,
  noun: 'grant',
  key: grant.id,
  title: { vi: `${grant.id}: ${vi}`, en: `${grant.id}: ${en}` },
  text: {
    vi: `Đăng ký ${grant.id} của hệ thống ${grant.system_id} đối với dịch vụ ${grant.service_id}: ${vi}.`,
    en: `Subscription ${grant.id} of ${grant.system_id} to ${grant.service_id}: ${en}.`,
  },
  at,
});

/** One step to a default service: at once, or once an operator has confirmed it. */
export async function subscribe(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock, config } = context;
  const now = clock.now();
  const confirmed = config.sharing.defaultSharing !== 'confirm';
  const key = (call.body as Subscription).service;
  const grant = await changing(database, { noun: 'service', key, at: now }, async (trx) => {
    const made = await newSubscription(trx, context, call, confirmed);
    await tellParties(trx, made, 'consumer', news(made, 'subscription', 'đăng ký mới', 'new', now));
    if (!confirmed)
      await tellRole(
        trx,
        'operator',
        news(made, 'subscription', 'chờ xác nhận', 'waits to be confirmed', now),
      );
    return made;
  });
  await context.refresh();
  return {
    status: confirmed ? 201 : 202,
    body: await grantDetails(context, grant),
    act: { noun: 'grant', key: grant.id, before: null, after: grantView(grant, now) },
  };
}

type GrantStep = 'confirm' | 'refuse' | 'suspend' | 'resume' | 'terminate';

interface GrantStepBody {
  readonly step: GrantStep;
  readonly reason?: string;
  readonly document?: string;
  readonly legalBasis?: string;
}

interface GrantStepRow {
  readonly from: readonly GrantRow['state'][];
  readonly sides: readonly Side[];
  readonly reason: boolean;
}

const OPERATOR_OR_PARTY = {
  consumer: ['consumer'],
  provider: ['provider'],
  platform: ['manager', 'operator'],
} as const;

/** The way of a subscription. */
// biome-ignore format: a table reads best as a table
const GRANT_STEPS: Readonly<Record<GrantStep, GrantStepRow>> = {
  confirm:   { from: ['requested'], sides: ['platform'], reason: false },
  refuse:    { from: ['requested'], sides: ['platform'], reason: true },
  suspend:   { from: ['active'], sides: ['consumer', 'provider', 'platform'], reason: true },
  resume:    { from: ['active'], sides: ['consumer', 'provider', 'platform'], reason: false },
  terminate: { from: ['active', 'requested'], sides: ['consumer', 'provider', 'platform'], reason: true },
};

function patchOf(
  row: GrantRow,
  side: Side,
  body: GrantStepBody,
  actor: string,
  now: number,
): Partial<GrantRow> {
  const reason = body.reason?.trim() ?? null;
  const state = (to: GrantRow['state']) => ({ state: to, state_since: now, reason, due_at: null });
  if (body.step === 'confirm') return { ...state('active'), decided_by: actor, valid_from: now };
  if (body.step === 'refuse')
    return { ...state('refused'), decided_by: actor, legal_basis: body.legalBasis ?? null };
  if (body.step === 'terminate') return state('terminated');
  const set = flagOf(row, side) !== null;
  if (set === (body.step === 'suspend'))
    throw wrongTransition(
      'grant',
      { id: row.id, state: set ? 'suspended' : 'active', since: now },
      body.step,
    );
  if (body.step === 'suspend') return { [flagColumn(side)]: now, reason };
  // Why the others hold it is still true.
  const held = GRANT_SIDES.some((other) => other !== side && flagOf(row, other) !== null);
  return { [flagColumn(side)]: null, ...(held ? {} : { reason }) };
}

/** A step of a grant; one that a request led to goes the way of its request. */
export async function actOnGrant(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const known = await mustSeeGrant(database.knex, call);
  const body = call.body as GrantStepBody;
  if (known.request_id !== null) {
    if (body.step === 'confirm' || body.step === 'refuse')
      throw wrongTransition(
        'grant',
        { id: known.id, state: known.state, since: known.state_since },
        body.step,
      );
    const done = await act(context, { ...call, path: { id: known.request_id } });
    return { ...done, body: await grantDetails(context, await mustSeeGrant(database.knex, call)) };
  }
  const now = clock.now();
  const { before, after, paper } = await changing(
    database,
    { noun: 'grant', key: known.id, at: now },
    async (trx) => {
      const row = await mustSeeGrant(trx, call);
      const { from, sides, reason } = GRANT_STEPS[body.step];
      const side = sideFor(call.caller, row, { sides, roles: OPERATOR_OR_PARTY });
      if (!from.includes(row.state))
        throw wrongTransition('grant', { id: row.id, state: row.state, since: row.state_since }, body.step);
      if (reason && (body.reason ?? '').trim() === '')
        throw invalid('/body/reason', 'required', 'cần nêu lý do', 'this step needs a reason');
      const needsPaper = body.step === 'terminate' && side !== 'consumer';
      const found =
        needsPaper || body.document !== undefined ? await mustRestOn(trx, body.document, call.caller) : null;
      const patch = {
        ...patchOf(row, side, body, actorOf(call.caller), now),
        ...(found === null ? {} : { document_id: found.id }),
      };
      const changed = await changeGrant(trx, row.id, patch, now);
      await tellParties(trx, row, side, news(row, `subscription_${body.step}`, body.step, body.step, now));
      return { before: row, after: changed, paper: found };
    },
  );
  await context.refresh();
  return {
    status: 200,
    body: await grantDetails(context, after),
    act: {
      noun: 'grant',
      key: known.id,
      before: grantView(before, now),
      after: {
        ...grantView(after, now),
        step: body.step,
        document: paper === null ? undefined : citation(paper),
      },
    },
  };
}
