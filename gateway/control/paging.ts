import type { Page, PageAsk } from '../store/page.js';
import { invalid } from './refusals.js';

const DEFAULT_LIMIT = 50;

function readCursor(cursor: string): string {
  const key = Buffer.from(cursor, 'base64url').toString('utf8');
  // Decoding never fails, it drops what it cannot read: only a cursor that comes back unchanged is one of ours.
  if (writeCursor(key) !== cursor)
    throw invalid(
      '/query/cursor',
      'cursor',
      'không phải con trỏ trang của hệ thống',
      'is not a cursor of ours',
    );
  return key;
}

function writeCursor(key: string): string {
  return Buffer.from(key, 'utf8').toString('base64url');
}

/** The page that `limit` and `cursor` of a query ask for. */
export function pageAsked(query: Readonly<Record<string, unknown>>): PageAsk {
  const { limit, cursor } = query as { limit?: number; cursor?: string };
  return {
    limit: limit ?? DEFAULT_LIMIT,
    ...(cursor === undefined ? {} : { after: readCursor(cursor) }),
  };
}

export function pageBody<Row, Item>(
  page: Page<Row>,
  view: (row: Row) => Item,
): { items: Item[]; next: string | null } {
  return { items: page.rows.map(view), next: page.next === null ? null : writeCursor(page.next) };
}
