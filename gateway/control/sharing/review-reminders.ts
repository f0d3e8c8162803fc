import { shownDay, vietnamDay } from '../../base/calendar.js';
import { type Notice, postedBefore, postNotice } from '../../store/notices.js';
import type { ServiceRow } from '../../store/services.js';
import { agenciesWithRole } from '../../store/systems.js';
import type { JobContext } from './deadlines.js';
import { offeredByDefault, reviewDueAt } from './default-list.js';

const DAY_MS = 86_400_000;

type News = Notice & { readonly dedupe: string };

/** The managers, who review; the provider is told with them, for it knows who needs the service. */
function newsOf(
  { id, provider, title }: ServiceRow,
  dueAt: number,
  now: number,
  managers: readonly string[],
) {
  const late = dueAt < now;
  const day = shownDay(vietnamDay(dueAt));
  const news = {
    kind: late ? 'default_review_overdue' : 'default_review_due',
    noun: 'service',
    key: id,
    title: {
      vi: late ? `Quá hạn rà soát dịch vụ ${id}` : `Sắp đến hạn rà soát dịch vụ ${id}`,
      en: late ? `The review of ${id} is overdue` : `The review of ${id} is due soon`,
    },
    text: {
      vi: `Dịch vụ ${id} (${title}) trong danh mục chia sẻ mặc định cần được rà soát trước ngày ${day}.`,
      en: `${id} (${title}) is on the default list; its review is due on ${day}.`,
    },
    at: now,
  };
  const dedupe = `review:${id}:${dueAt}:${late ? 'overdue' : 'due'}`;
  return [
    ...managers.map((agency): News => ({ ...news, agency, role: 'manager', dedupe: `${dedupe}:${agency}` })),
    { ...news, agency: provider, role: 'provider', dedupe: `${dedupe}:provider` } satisfies News,
  ];
}

/** Says of each default service once that its review is due, and once that it is late; after a stop, only the latter. */
export async function remindOfReviews({ database, config }: JobContext, now: number): Promise<void> {
  const { reviewMonths, reviewRemindDays } = config.sharing;
  const due = (await offeredByDefault(database.knex))
    .map(({ row, review }) => ({ row, dueAt: reviewDueAt(row, review, reviewMonths) }))
    .filter(({ dueAt }) => dueAt - reviewRemindDays * DAY_MS <= now);
  if (due.length === 0) return;
  const managers = await agenciesWithRole(database.knex, 'manager');
  const news = due.flatMap(({ row, dueAt }) => newsOf(row, dueAt, now, managers));
  // Looked at before it is written: what was told weeks ago must not take the write lock at every look.
  const told = await postedBefore(
    database.knex,
    news.map(({ dedupe }) => dedupe),
  );
  for (const one of news)
    if (!told.has(one.dedupe)) await database.knex.transaction((trx) => postNotice(trx, one));
}
