import type { Knex } from 'knex';
import { uuidv7 } from '../base/ids.js';
import type { Bilingual } from '../base/problem.js';
import { matchingChannels } from './notice-channels.js';
import { enqueue } from './outbox.js';
import type { Page, PageAsk } from './page.js';

/** Something that an agency, those of it who hold a role, or one person of it should know. */
export interface Notice {
  /** Whose inbox: the code of an agency. */
  readonly agency: string;
  /** Only this person of the agency; everybody when absent. */
  readonly user?: string;
  /** Only those of the agency who hold this role. */
  readonly role?: string;
  /** What happened, e.g. `grant_expiring`; channels choose by it. */
  readonly kind: string;
  /** What it is about, e.g. `grant` and its id. */
  readonly noun: string;
  readonly key: string;
  readonly title: Bilingual;
  readonly text: Bilingual;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** A second notice with the same one is silently ignored, for ever. */
  readonly dedupe?: string;
}

export interface NoticeRow {
  id: string;
  agency: string;
  user: string | null;
  role: string | null;
  kind: string;
  noun: string;
  key: string;
  title_vi: string;
  title_en: string;
  text_vi: string;
  text_en: string;
  dedupe: string | null;
  created_at: number;
}

/** A notice as one reader sees it. */
export interface InboxRow extends NoticeRow {
  read_at: number | null;
}

/** Who looks into an inbox. */
export interface Reader {
  readonly agency: string;
  readonly roles: readonly string[];
  /** Absent for a system that acts for no person. */
  readonly user?: string;
  /** Under which name it is noted that they have read something. */
  readonly name: string;
}

export interface NoticeFilter {
  readonly unread?: boolean | undefined;
  readonly kind?: string | undefined;
  readonly noun?: string | undefined;
  readonly key?: string | undefined;
}

const MOST_VALUES = 500;

function rowOf(notice: Notice): NoticeRow {
  return {
    id: uuidv7(notice.at),
    agency: notice.agency,
    user: notice.user ?? null,
    role: notice.role ?? null,
    kind: notice.kind,
    noun: notice.noun,
    key: notice.key,
    title_vi: notice.title.vi,
    title_en: notice.title.en,
    text_vi: notice.text.vi,
    text_en: notice.text.en,
    dedupe: notice.dedupe ?? null,
    created_at: notice.at,
  };
}

/**
 * Tells an agency something: in its inbox, and through each of its channels that wants this kind; one person of it in
 * the inbox only.
 *
 * Call it inside the transaction of the change it tells of: then nothing is sent unless the change was committed,
 * and nothing is lost once it was. It sends nothing itself.
 *
 * @example await postNotice(trx, { agency: 'H35.12', role: 'consumer', kind: 'grant_expiring', … })
 */
export async function postNotice(trx: Knex, notice: Notice): Promise<void> {
  const row = rowOf(notice);
  // Word for an agency that is not registered must not undo what it tells of.
  if ((await trx('agencies').where({ code: row.agency }).first('code')) === undefined) return;
  // A conflict must not fail the statement: PostgreSQL would give up the whole transaction around it.
  const made = (await trx<NoticeRow>('notices')
    .insert(row)
    .onConflict('dedupe')
    .ignore()
    .returning('id')) as unknown[];
  if (made.length === 0) return;
  // What is for one person is nobody else's: channels belong to the agency.
  if (row.user !== null) return;
  await enqueue(trx, row.id, await matchingChannels(trx, row.agency, row.kind), notice.at);
}

/** Which of these were posted already; see `Notice.dedupe`. */
export async function postedBefore(knex: Knex, dedupes: readonly string[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  // SQLite takes a bounded number of values in one statement.
  for (let from = 0; from < dedupes.length; from += MOST_VALUES) {
    const part = dedupes.slice(from, from + MOST_VALUES);
    const rows = await knex<NoticeRow>('notices').whereIn('dedupe', part).select('dedupe');
    for (const { dedupe } of rows) if (dedupe !== null) found.add(dedupe);
  }
  return found;
}

/** A notice that goes out through one channel only, whatever kinds it wants; to try it. @returns the delivery's id */
export async function postTo(trx: Knex, channelId: string, notice: Notice): Promise<string> {
  const row = rowOf(notice);
  await trx<NoticeRow>('notices').insert(row);
  const [id = ''] = await enqueue(trx, row.id, [channelId], notice.at);
  return id;
}

/** What is to be delivered, whoever may read it. */
export async function noticeToSend(knex: Knex, id: string): Promise<NoticeRow | undefined> {
  return await knex<NoticeRow>('notices').where({ id }).first();
}

/** What this reader may see: their agency's notices that are for everybody, for a role they hold, or for them. */
function seenBy(knex: Knex, reader: Reader): Knex.QueryBuilder {
  return knex('notices')
    .where('notices.agency', reader.agency)
    .where((role) => void role.whereNull('notices.role').orWhereIn('notices.role', [...reader.roles]))
    .where((person) => {
      void person.whereNull('notices.user');
      if (reader.user !== undefined) void person.orWhere('notices.user', reader.user);
    });
}

function isUnread(query: Knex.QueryBuilder, knex: Knex, reader: Reader): Knex.QueryBuilder {
  return query.whereNotExists(
    knex('notice_reads')
      .select(knex.raw('1'))
      .whereRaw('notice_reads.notice_id = notices.id')
      .where({ reader: reader.name }),
  );
}

function inbox(knex: Knex, reader: Reader): Knex.QueryBuilder {
  return seenBy(knex, reader)
    .leftJoin('notice_reads', (on) => {
      on.on('notice_reads.notice_id', 'notices.id').andOnVal('notice_reads.reader', reader.name);
    })
    .select('notices.*', 'notice_reads.at as read_at');
}

/** One page of an inbox, newest first. */
export async function pageNotices(
  knex: Knex,
  reader: Reader,
  filter: NoticeFilter,
  ask: PageAsk,
): Promise<Page<InboxRow>> {
  const query = inbox(knex, reader)
    .orderBy('notices.id', 'desc')
    .limit(ask.limit + 1);
  for (const name of ['kind', 'noun', 'key'] as const)
    if (filter[name] !== undefined) void query.where(`notices.${name}`, filter[name]);
  if (filter.unread !== undefined)
    void (filter.unread ? query.whereNull('notice_reads.at') : query.whereNotNull('notice_reads.at'));
  if (ask.after !== undefined) void query.where('notices.id', '<', ask.after);
  const found = (await query) as InboxRow[];
  const rows = found.slice(0, ask.limit);
  return { rows, next: found.length > ask.limit ? (rows.at(-1)?.id ?? null) : null };
}

export async function countUnread(knex: Knex, reader: Reader): Promise<number> {
  const row = (await isUnread(seenBy(knex, reader), knex, reader).count({ n: '*' }).first()) as
    | { n: number }
    | undefined;
  return row?.n ?? 0;
}

/** Undefined too for a notice that is not for this reader. */
export async function findNotice(knex: Knex, reader: Reader, id: string): Promise<InboxRow | undefined> {
  return (await inbox(knex, reader).where('notices.id', id).first()) as InboxRow | undefined;
}

export async function markRead(knex: Knex, reader: Reader, id: string, at: number): Promise<void> {
  await knex('notice_reads')
    .insert({ notice_id: id, reader: reader.name, at })
    .onConflict(['notice_id', 'reader'])
    .ignore();
}

/** @returns how many were unread until now */
export async function markAllRead(knex: Knex, reader: Reader, at: number): Promise<number> {
  const unread = isUnread(seenBy(knex, reader), knex, reader)
    .select('notices.id', knex.raw('? as reader', [reader.name]), knex.raw('? as at', [at]))
    .toSQL();
  const made = await knex.raw<{ rowCount?: number; changes?: number }>(
    `INSERT INTO notice_reads (notice_id, reader, at) ${unread.sql} ON CONFLICT DO NOTHING`,
    [...unread.bindings] as Knex.RawBinding[],
  );
  return made.rowCount ?? made.changes ?? 0;
}

/** The newest of this kind about this object. */
export async function lastNotice(
  knex: Knex,
  { agency, kind, noun, key }: Pick<Notice, 'agency' | 'kind' | 'noun' | 'key'>,
): Promise<NoticeRow | undefined> {
  return await knex<NoticeRow>('notices').where({ agency, kind, noun, key }).orderBy('id', 'desc').first();
}

/** Removes notices of long ago, at most `batch`, with who read them; none that is still to be sent, or could not be. */
export async function deleteOldNotices(knex: Knex, before: number, batch: number): Promise<void> {
  const old = knex('notices')
    .select('notices.id')
    .where('notices.created_at', '<', before)
    .whereNotExists(
      knex('outbox')
        .select(knex.raw('1'))
        .whereRaw('outbox.notice_id = notices.id')
        .whereNot('outbox.state', 'sent'),
    )
    .limit(batch);
  await knex('notices').whereIn('id', old).delete();
}
