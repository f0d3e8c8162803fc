import type { Knex } from 'knex';
import type { Database } from './database.js';
import { type Page, type PageAsk, pageOf } from './page.js';

export type ChannelKind = 'webhook' | 'email';

/** Where the notices of an agency are sent besides its inbox. */
export interface ChannelRow {
  id: string;
  agency: string;
  kind: ChannelKind;
  /** A URL, or an e-mail address. */
  target: string;
  /** JSON array of the kinds of notice that are sent; null sends all. */
  kinds: string | null;
  /** What a webhook's messages are signed with; null for e-mail. */
  sealed_secret: string | null;
  active: boolean;
  created_by: string;
  created_at: number;
  updated_at: number;
  /** Failed attempts in a row. */
  failures: number;
  disabled_at: number | null;
  disabled_reason: string | null;
}

/** SQLite has no booleans. */
const tidy = (row: ChannelRow): ChannelRow => ({ ...row, active: Number(row.active) === 1 });

export function kindsOf(row: Pick<ChannelRow, 'kinds'>): readonly string[] | null {
  return row.kinds === null ? null : (JSON.parse(row.kinds) as string[]);
}

/** The active channels of the agency that want this kind of notice. */
export async function matchingChannels(knex: Knex, agency: string, kind: string): Promise<string[]> {
  const rows = await knex<ChannelRow>('notice_channels')
    .select('id', 'kinds')
    .where({ agency, active: true });
  return rows.filter((row) => kindsOf(row)?.includes(kind) ?? true).map(({ id }) => id);
}

export async function findChannel(knex: Knex, id: string): Promise<ChannelRow | undefined> {
  const row = await knex<ChannelRow>('notice_channels').where({ id }).first();
  return row === undefined ? undefined : tidy(row);
}

export async function countChannels(knex: Knex, agency: string): Promise<number> {
  const row = await knex('notice_channels').where({ agency }).count<{ n: number }[]>({ n: '*' }).first();
  return row?.n ?? 0;
}

/** One page, by id. */
export async function pageChannels(
  database: Database,
  filter: { readonly agency?: string | undefined },
  ask: PageAsk,
): Promise<Page<ChannelRow>> {
  const query = database.knex('notice_channels').select();
  if (filter.agency !== undefined) void query.where({ agency: filter.agency });
  const page = await pageOf<ChannelRow>(query, 'id', ask, database.engine);
  return { ...page, rows: page.rows.map(tidy) };
}

export async function insertChannel(knex: Knex, row: ChannelRow): Promise<void> {
  await knex<ChannelRow>('notice_channels').insert(row);
}

export async function updateChannel(knex: Knex, id: string, patch: Partial<ChannelRow>): Promise<void> {
  await knex<ChannelRow>('notice_channels').where({ id }).update(patch);
}

/** What was still to be sent there goes with it. */
export async function deleteChannel(knex: Knex, id: string): Promise<void> {
  await knex('outbox').where({ channel_id: id }).delete();
  await knex<ChannelRow>('notice_channels').where({ id }).delete();
}

export async function countFailure(knex: Knex, id: string): Promise<void> {
  await knex<ChannelRow>('notice_channels').where({ id }).increment('failures', 1);
}

export async function forgetFailures(knex: Knex, id: string): Promise<void> {
  await knex<ChannelRow>('notice_channels').where({ id }).where('failures', '>', 0).update({ failures: 0 });
}
