import { randomBytes } from 'node:crypto';
import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import { findAgency } from '../../store/agencies.js';
import {
  type ChannelKind,
  type ChannelRow,
  countChannels,
  findChannel,
} from '../../store/notice-channels.js';
import type { Reader } from '../../store/notices.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { beyondRole, conflict, invalid, notFound } from '../refusals.js';

type Caller = ControlCall['caller'];

/** Every notice becomes as many messages as its agency has channels. */
const MOST_CHANNELS = 20;
/** Trying a channel sends a message to an address that somebody typed in: not again and again. */
export const TEST_PAUSE_MS = 60_000;

/** The inbox of a caller: of its agency, what is for everybody, for a role it holds, or for its person. */
export function readerOf(caller: Caller): Reader {
  const { agency, roles, user } = caller;
  return { agency, roles, name: actorOf(caller), ...(user === undefined ? {} : { user }) };
}

/** Operators reach the channels of all agencies, others those of their own. */
export function reachesAll(caller: Caller): boolean {
  return caller.roles.includes('operator');
}

export async function mustFindChannel(knex: Knex, caller: Caller, id: string): Promise<ChannelRow> {
  const row = await findChannel(knex, id);
  if (row === undefined || !(reachesAll(caller) || row.agency === caller.agency)) throw notFound();
  return row;
}

export async function assertMayCreate(knex: Knex, caller: Caller, agency: string): Promise<void> {
  if (agency !== caller.agency && !reachesAll(caller))
    throw beyondRole(
      caller.roles,
      'Chỉ được tạo kênh thông báo cho cơ quan mình.',
      'Channels can be made for your own agency only.',
    );
  if ((await findAgency(knex, agency))?.code !== agency)
    throw invalid('/body/agency', 'exists', 'không có cơ quan này', 'there is no such agency');
  if ((await countChannels(knex, agency)) < MOST_CHANNELS) return;
  throw conflict(
    `Cơ quan đã có ${MOST_CHANNELS} kênh thông báo; hãy xóa bớt.`,
    `The agency has ${MOST_CHANNELS} channels; delete some first.`,
  );
}

/** One plain address: no name, no quotes, no list, nothing that could begin another header. */
const ADDRESS =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$/;

function assertAddress(target: string, mail: boolean): void {
  const [local = ''] = target.split('@');
  if (target.length > 254 || local.length > 64 || !ADDRESS.test(target))
    throw invalid(
      '/body/target',
      'format',
      'không phải một địa chỉ thư điện tử',
      'is not one e-mail address',
    );
  if (mail) return;
  throw conflict(
    'Nền tảng chưa được cấu hình máy chủ thư (smtp).',
    'No mail server (smtp) is configured on the gateway.',
  );
}

function webhookUrl(target: string): URL {
  const url = URL.canParse(target) ? new URL(target) : null;
  const plain = url !== null && url.username === '' && url.password === '' && url.hash === '';
  if (plain && ['http:', 'https:'].includes(url.protocol)) return url;
  throw invalid(
    '/body/target',
    'format',
    'không phải địa chỉ http(s) không kèm tên, mật khẩu hay mảnh (#)',
    'is not an http(s) URL without a user, a password and a fragment',
  );
}

export async function assertTarget(
  context: ControlContext,
  kind: ChannelKind,
  target: string,
): Promise<void> {
  if (kind === 'email') {
    assertAddress(target, context.channels.mail);
    return;
  }
  if (await context.channels.mayCall(webhookUrl(target))) return;
  throw invalid(
    '/body/target',
    'egress',
    'không nằm trong danh sách địa chỉ được gọi ra (egress.addresses) của nền tảng',
    'is not on the egress allow-list (egress.addresses) of the gateway',
  );
}

/** Standard Webhooks asks for 24 to 64 random bytes. */
export function assertSecret(kind: ChannelKind, secret: string | undefined): void {
  if (secret === undefined) return;
  if (kind === 'email') throw invalid('/body/secret', 'kind', 'chỉ dùng cho webhook', 'is for webhooks only');
  const text = secret.slice('whsec_'.length);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length >= 24 && bytes.length <= 64 && bytes.toString('base64') === text) return;
  throw invalid(
    '/body/secret',
    'format',
    'phải là whsec_ và base64 của 24 đến 64 byte',
    'must be whsec_ and the base64 of 24 to 64 bytes',
  );
}

export function newWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export function assertActive(row: ChannelRow): void {
  if (row.active) return;
  throw conflict('Kênh thông báo đang tắt.', 'The channel is switched off.');
}

export function assertRested(last: number | undefined, now: number): void {
  if (last === undefined || now - last >= TEST_PAUSE_MS) return;
  const seconds = Math.ceil((TEST_PAUSE_MS - (now - last)) / 1000);
  throw new Problem('rate_limited', {
    detail: { vi: 'Vừa gửi thử kênh này xong.', en: 'This channel has just been tried.' },
    headers: { 'Retry-After': String(seconds) },
  });
}
