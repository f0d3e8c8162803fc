import {
  countUnread,
  findNotice,
  type InboxRow,
  markAllRead,
  markRead,
  pageNotices,
} from '../../store/notices.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { notFound } from '../refusals.js';
import { readerOf } from './rules.js';

const iso = (ms: number): string => new Date(ms).toISOString();

function view(row: InboxRow) {
  return {
    id: row.id,
    agency: row.agency,
    role: row.role,
    user: row.user,
    kind: row.kind,
    noun: row.noun,
    key: row.key,
    title: { vi: row.title_vi, en: row.title_en },
    text: { vi: row.text_vi, en: row.text_en },
    at: iso(row.created_at),
    readAt: row.read_at === null ? null : iso(row.read_at),
  };
}

export async function list(context: ControlContext, { query, caller }: ControlCall): Promise<ControlResult> {
  const { knex } = context.database;
  const reader = readerOf(caller);
  const page = await pageNotices(knex, reader, query, pageAsked(query));
  return { status: 200, body: { ...pageBody(page, view), unread: await countUnread(knex, reader) } };
}

async function mustFind(context: ControlContext, { path, caller }: ControlCall): Promise<InboxRow> {
  const row = await findNotice(context.database.knex, readerOf(caller), path['id'] ?? '');
  if (row === undefined) throw notFound();
  return row;
}

export async function get(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  return { status: 200, body: view(await mustFind(context, call)) };
}

/** That somebody read something concerns nobody else: no other node has to hear of it. */
export async function read(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const row = await mustFind(context, call);
  if (row.read_at !== null) return { status: 200, body: view(row) };
  const now = context.clock.now();
  await markRead(context.database.knex, readerOf(call.caller), row.id, now);
  return {
    status: 200,
    body: view({ ...row, read_at: now }),
    act: { noun: 'notice', key: row.id, before: { readAt: null }, after: { readAt: iso(now) } },
  };
}

export async function readAll(context: ControlContext, { caller }: ControlCall): Promise<ControlResult> {
  const now = context.clock.now();
  const read = await markAllRead(context.database.knex, readerOf(caller), now);
  return {
    status: 200,
    body: { read },
    act: { noun: 'notice', key: caller.agency, before: { unread: read }, after: { unread: 0 } },
  };
}
