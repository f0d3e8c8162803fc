import type { Knex } from 'knex';
import { dayEnds, shownDay, vietnamDay } from '../../base/calendar.js';
import { changing } from '../../store/changes.js';
import { findService, type ServiceRow, updateService } from '../../store/services.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { conflict, invalid, wrongTransition } from '../refusals.js';
import { idOf } from './reading.js';
import { mustReach, reaches, SEE_ALL, stateAt } from './rules.js';
import { type News, tellConsumers } from './telling.js';
import { serviceView } from './views.js';

interface Asked {
  readonly sunsetOn: string;
  readonly successor?: string;
  readonly reason: string;
}

const DECIDE_ALL = ['manager'] as const;
const DAY_MS = 86_400_000;

/** Long enough for everybody to change over. */
function assertEnoughTime(day: string, now: number, sunsetDays: number): void {
  const earliest = vietnamDay(now + sunsetDays * DAY_MS);
  if (day >= earliest) return;
  throw invalid(
    '/body/sunsetOn',
    'minimum',
    `sớm nhất là ngày ${shownDay(earliest)} (${sunsetDays} ngày nữa)`,
    `is ${earliest} at the earliest (${sunsetDays} days from now)`,
  );
}

async function assertSuccessor(knex: Knex, row: ServiceRow, successor: string | undefined): Promise<void> {
  if (successor === undefined) return;
  const found = successor === row.id ? undefined : await findService(knex, successor);
  if (found?.state === 'published') return;
  throw invalid(
    '/body/successor',
    'exists',
    'phải là một dịch vụ khác đang được cung cấp',
    'must be another service that is published',
  );
}

function assertAlive(row: ServiceRow, act: string, now: number): void {
  const { state, since } = stateAt(row, now);
  if (state === 'published' || state === 'suspended') return;
  throw wrongTransition('service', { id: row.id, state, since }, act);
}

function endingNews(row: ServiceRow, { sunsetOn, successor, reason }: Asked): News {
  const next = {
    vi: successor === undefined ? '' : ` Hãy chuyển sang ${successor}.`,
    en: successor === undefined ? '' : ` Change over to ${successor}.`,
  };
  return {
    kind: 'service_deprecated',
    title: { vi: `Dịch vụ ${row.id} sẽ ngừng cung cấp`, en: `The service ${row.id} will end` },
    text: {
      vi: `Dịch vụ ${row.id} (${row.title}) dùng được hết ngày ${shownDay(sunsetOn)}.${next.vi} Lý do: ${reason}`,
      en: `The service ${row.id} (${row.title}) works until the end of ${shownDay(sunsetOn)}.${next.en} Reason: ${reason}`,
    },
  };
}

function stayingNews(row: ServiceRow, reason: string): News {
  return {
    kind: 'service_deprecation_withdrawn',
    title: { vi: `Dịch vụ ${row.id} tiếp tục được cung cấp`, en: `The service ${row.id} goes on` },
    text: {
      vi: `Kế hoạch ngừng cung cấp dịch vụ ${row.id} đã được rút lại. Lý do: ${reason}`,
      en: `The plan to end the service ${row.id} was withdrawn. Reason: ${reason}`,
    },
  };
}

/** One way through for both: what changes, and who is told. */
async function plan(
  context: ControlContext,
  call: ControlCall,
  change: (trx: Knex, row: ServiceRow, now: number) => Promise<{ patch: Partial<ServiceRow>; news: News }>,
): Promise<ControlResult> {
  const { database, clock } = context;
  const id = idOf(call);
  const now = clock.now();
  const done = await changing(database, { noun: 'service', key: id, at: now }, async (trx) => {
    const row = await mustReach(trx, id, call.caller, DECIDE_ALL);
    assertAlive(row, call.operationId, now);
    const { patch, news } = await change(trx, row, now);
    const full = { ...patch, updated_at: now };
    await updateService(trx, id, full);
    return { before: row, after: { ...row, ...full }, told: await tellConsumers(trx, row, news, now) };
  });
  await context.refresh();
  const { before, after, told } = done;
  return {
    status: 200,
    body: serviceView(after, reaches(call.caller, after.provider, SEE_ALL)),
    act: {
      noun: 'service',
      key: id,
      before: serviceView(before, true),
      after: { ...serviceView(after, true), told },
    },
  };
}

/** Says when a service ends, and what follows it. Saying it again moves the date. */
export function deprecate(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const asked = call.body as Asked;
  return plan(context, call, async (trx, row, now) => {
    // What was told may be told again, or moved away, however near it is now.
    const nearer = row.sunset_on == null || asked.sunsetOn < row.sunset_on;
    if (nearer) assertEnoughTime(asked.sunsetOn, now, context.config.sharing.sunsetDays);
    await assertSuccessor(trx, row, asked.successor);
    const patch: Partial<ServiceRow> = {
      deprecated_at: row.deprecated_at ?? now,
      sunset_on: asked.sunsetOn,
      sunset_at: dayEnds(asked.sunsetOn),
      successor: asked.successor ?? null,
      deprecation_reason: asked.reason.trim(),
    };
    return { patch, news: endingNews(row, asked) };
  });
}

/** The service goes on after all. */
export function undeprecate(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { reason } = call.body as { reason: string };
  return plan(context, call, (_trx, row) => {
    if (row.deprecated_at == null)
      throw conflict('Dịch vụ không có kế hoạch ngừng cung cấp.', 'No end is planned for the service.', {
        kind: 'service',
        id: row.id,
        state: row.state,
      });
    const patch: Partial<ServiceRow> = {
      ...{ deprecated_at: null, sunset_on: null, sunset_at: null },
      ...{ successor: null, deprecation_reason: null },
    };
    return Promise.resolve({ patch, news: stayingNews(row, reason.trim()) });
  });
}
