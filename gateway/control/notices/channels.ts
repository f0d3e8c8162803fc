import { uuidv7 } from '../../base/ids.js';
import { changing } from '../../store/changes.js';
import {
  type ChannelKind,
  type ChannelRow,
  deleteChannel,
  findChannel,
  insertChannel,
  kindsOf,
  pageChannels,
  updateChannel,
} from '../../store/notice-channels.js';
import { lastNotice, type Notice, postTo } from '../../store/notices.js';
import { failWaiting } from '../../store/outbox.js';
import { isUniqueViolation } from '../../store/unique.js';
import { actorOf } from '../actor.js';
import { assertChosenId } from '../chosen-ids.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { conflict } from '../refusals.js';
import {
  assertActive,
  assertMayCreate,
  assertRested,
  assertSecret,
  assertTarget,
  mustFindChannel,
  newWebhookSecret,
  reachesAll,
} from './rules.js';

/** An answer that shows a secret must not stay in any cache on its way. */
const NO_STORE = { 'cache-control': 'no-store' } as const;

interface NewChannel {
  readonly id?: string;
  readonly agency?: string;
  readonly kind: ChannelKind;
  readonly target: string;
  readonly kinds?: readonly string[] | null;
  readonly secret?: string;
}

interface ChannelChange {
  readonly target?: string;
  readonly kinds?: readonly string[] | null;
  readonly active?: boolean;
  readonly secret?: string;
  readonly rotateSecret?: true;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const json = (kinds: readonly string[] | null | undefined): string | null =>
  kinds === null || kinds === undefined ? null : JSON.stringify(kinds);

function view(row: ChannelRow) {
  return {
    id: row.id,
    agency: row.agency,
    kind: row.kind,
    target: row.target,
    kinds: kindsOf(row),
    active: row.active,
    failures: row.failures,
    disabledAt: row.disabled_at === null ? null : iso(row.disabled_at),
    disabledReason: row.disabled_reason,
    createdBy: row.created_by,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

/** For the record, which is kept for ever: the query of a webhook's URL may hold what opens it. */
function recorded(row: ChannelRow) {
  const target = row.kind === 'webhook' ? row.target.replace(/\?.*$/s, '') : row.target;
  return { ...view(row), target };
}

export async function list(context: ControlContext, { query, caller }: ControlCall): Promise<ControlResult> {
  const agency = reachesAll(caller) ? (query['agency'] as string | undefined) : caller.agency;
  const page = await pageChannels(context.database, { agency }, pageAsked(query));
  return { status: 200, body: pageBody(page, view) };
}

export async function get(context: ControlContext, { path, caller }: ControlCall): Promise<ControlResult> {
  return { status: 200, body: view(await mustFindChannel(context.database.knex, caller, path['id'] ?? '')) };
}

function newRow(context: ControlContext, call: ControlCall, secret: string | null): ChannelRow {
  const body = call.body as NewChannel;
  const now = context.clock.now();
  const id = body.id ?? uuidv7(now);
  return {
    id,
    agency: body.agency ?? call.caller.agency,
    kind: body.kind,
    target: body.target,
    kinds: json(body.kinds),
    sealed_secret: secret === null ? null : context.channels.seal(id, secret),
    active: true,
    created_by: actorOf(call.caller),
    created_at: now,
    updated_at: now,
    failures: 0,
    disabled_at: null,
    disabled_reason: null,
  };
}

export async function create(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { id, kind, target, secret: given } = call.body as NewChannel;
  assertChosenId(call.caller, reachesAll(call.caller), id);
  assertSecret(kind, given);
  const made = kind === 'webhook' && given === undefined ? newWebhookSecret() : undefined;
  const row = newRow(context, call, given ?? made ?? null);
  await assertMayCreate(context.database.knex, call.caller, row.agency);
  await assertTarget(context, kind, target);
  const taken = () => conflict(`Mã kênh ${row.id} đã được dùng.`, `The id ${row.id} is taken.`);
  const change = { noun: 'channel', key: row.id, at: row.created_at } as const;
  try {
    await changing(context.database, change, async (trx) => {
      if ((await findChannel(trx, row.id)) !== undefined) throw taken();
      await assertMayCreate(trx, call.caller, row.agency);
      await insertChannel(trx, row);
    });
  } catch (error) {
    throw isUniqueViolation(error) ? taken() : error;
  }
  return {
    status: 201,
    body: { channel: view(row), ...(made === undefined ? {} : { secret: made }) },
    headers: NO_STORE,
    act: { noun: 'channel', key: row.id, before: null, after: recorded(row) },
  };
}

/** Switching on again forgives what went wrong; switching off gives up what waits. */
function activity(row: ChannelRow, active: boolean | undefined, now: number): Partial<ChannelRow> {
  if (active === undefined || active === row.active) return {};
  if (active) return { active, failures: 0, disabled_at: null, disabled_reason: null };
  return { active, disabled_at: now, disabled_reason: 'switched off' };
}

function patchOf(row: ChannelRow, body: ChannelChange, sealed: string | null, now: number) {
  return {
    ...(body.target === undefined ? {} : { target: body.target }),
    ...(body.kinds === undefined ? {} : { kinds: json(body.kinds) }),
    ...(sealed === null ? {} : { sealed_secret: sealed }),
    ...activity(row, body.active, now),
    updated_at: now,
  };
}

/** The secret that the change brings: one that was sent, or one that is made here and shown once. */
function nextSecret(
  row: ChannelRow,
  { secret, rotateSecret }: ChannelChange,
): { secret?: string; made?: string } {
  assertSecret(row.kind, secret ?? (rotateSecret === true ? newWebhookSecret() : undefined));
  if (secret !== undefined) return { secret };
  if (rotateSecret !== true) return {};
  const made = newWebhookSecret();
  return { secret: made, made };
}

export async function update(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const body = call.body as ChannelChange;
  const now = clock.now();
  const seen = await mustFindChannel(database.knex, call.caller, id);
  const { secret, made } = nextSecret(seen, body);
  const comesAlive = body.active === true && !seen.active;
  if (body.target !== undefined || comesAlive)
    await assertTarget(context, seen.kind, body.target ?? seen.target);
  const sealed = secret === undefined ? null : context.channels.seal(id, secret);
  const [before, after] = await changing(database, { noun: 'channel', key: id, at: now }, async (trx) => {
    const row = await mustFindChannel(trx, call.caller, id);
    const patch = patchOf(row, body, sealed, now);
    await updateChannel(trx, id, patch);
    if (body.active === false) await failWaiting(trx, id, 'the channel is switched off');
    return [row, { ...row, ...patch }] as const;
  });
  const renewed = secret === undefined ? {} : { secretRenewed: true };
  return {
    status: 200,
    body: { channel: view(after), ...(made === undefined ? {} : { secret: made }) },
    headers: NO_STORE,
    act: { noun: 'channel', key: id, before: recorded(before), after: { ...recorded(after), ...renewed } },
  };
}

export async function remove(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const change = { noun: 'channel', key: id, at: clock.now() } as const;
  const before = await changing(database, change, async (trx) => {
    const row = await mustFindChannel(trx, call.caller, id);
    await deleteChannel(trx, id);
    return row;
  });
  return { status: 204, act: { noun: 'channel', key: id, before: recorded(before), after: null } };
}

function testNotice(row: ChannelRow, at: number): Notice {
  return {
    agency: row.agency,
    kind: 'channel_test',
    noun: 'channel',
    key: row.id,
    title: { vi: 'Gửi thử kênh thông báo', en: 'A test of this notice channel' },
    text: {
      vi: `Thông báo này được gửi thử qua kênh ${row.id}.`,
      en: `This notice was sent to try channel ${row.id}.`,
    },
    at,
  };
}

export async function test(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const now = clock.now();
  const delivery = await changing(database, { noun: 'channel', key: id, at: now }, async (trx) => {
    const row = await mustFindChannel(trx, call.caller, id);
    assertActive(row);
    const notice = testNotice(row, now);
    assertRested((await lastNotice(trx, notice))?.created_at, now);
    return await postTo(trx, id, notice);
  });
  return {
    status: 202,
    body: { delivery },
    act: { noun: 'channel', key: id, before: null, after: { test: delivery } },
  };
}
