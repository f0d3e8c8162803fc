import type { Knex } from 'knex';
import { changing } from '../../store/changes.js';
import { type DebtRow, debtsToCall } from '../../store/documents.js';
import { postNotice } from '../../store/notices.js';
import { agenciesWithRole } from '../../store/systems.js';
import type { ControlContext } from '../handler.js';

type Call = 'reminded_at' | 'escalated_at';

const HOUR_MS = 3_600_000;

async function call(trx: Knex, debt: DebtRow, how: Call, now: number): Promise<void> {
  const marked = await trx<DebtRow>('document_debts')
    .where({ id: debt.id })
    .whereNull(how)
    .whereNull('settled_at')
    .update({ [how]: now });
  if (marked === 0) return;
  const late = how === 'escalated_at';
  const news = {
    kind: late ? 'document_overdue' : 'document_due',
    noun: 'document_debt',
    key: debt.id,
    title: {
      vi: late ? 'Văn bản bổ sung đã quá hạn' : 'Sắp đến hạn bổ sung văn bản',
      en: late ? 'An owed document is overdue' : 'An owed document is due soon',
    },
    text: {
      vi: `Việc ${debt.act} ${debt.noun} ${debt.key} chưa có văn bản: ${debt.reason}`,
      en: `${debt.act} of ${debt.noun} ${debt.key} still owes its document: ${debt.reason}`,
    },
    at: now,
  };
  await postNotice(trx, { ...news, agency: debt.agency_code, role: 'operator' });
  if (!late) return;
  for (const agency of await agenciesWithRole(trx, 'manager'))
    await postNotice(trx, { ...news, agency, role: 'manager' });
}

/** Reminds of documents that are still owed, and tells the managers of those that are late: each once. */
export async function callDebts(
  { database, config }: Pick<ControlContext, 'database' | 'config'>,
  now: number,
): Promise<void> {
  const due = await debtsToCall(database.knex, now, config.documents.remindHours * HOUR_MS);
  const calls: [DebtRow, Call][] = [
    ...due.remind.map((debt): [DebtRow, Call] => [debt, 'reminded_at']),
    ...due.escalate.map((debt): [DebtRow, Call] => [debt, 'escalated_at']),
  ];
  for (const [debt, how] of calls)
    await changing(database, { noun: 'document', key: debt.id, at: now }, (trx) => call(trx, debt, how, now));
}
