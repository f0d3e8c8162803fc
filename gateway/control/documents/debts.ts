import { changing } from '../../store/changes.js';
import { type DebtRow, findDebt, pageDebts, updateDebt } from '../../store/documents.js';
import { actorOf } from '../actor.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';
import { citation, mustRestOn } from '../papers.js';
import { conflict, notFound } from '../refusals.js';
import { debtView } from './views.js';

type DebtState = 'open' | 'overdue' | 'settled';

function filterFor(state: DebtState | undefined, now: number) {
  if (state === undefined) return {};
  return state === 'overdue' ? { overdueAt: now } : { open: state === 'open' };
}

export async function listDebts(
  { database, clock }: ControlContext,
  { query }: ControlCall,
): Promise<ControlResult> {
  const now = clock.now();
  const filter = filterFor(query['state'] as DebtState | undefined, now);
  const page = await pageDebts(database, filter, pageAsked(query));
  return { status: 200, body: pageBody(page, (row: DebtRow) => debtView(row, now)) };
}

/** The document that an emergency act owed has arrived. */
export async function settleDebt(context: ControlContext, call: ControlCall): Promise<ControlResult> {
  const { database, clock } = context;
  const id = call.path['id'] ?? '';
  const now = clock.now();
  const { document } = call.body as { document?: string };
  const { before, after, paper } = await changing(
    database,
    { noun: 'document', key: id, at: now },
    async (trx) => {
      const row = await findDebt(trx, id);
      if (row === undefined) throw notFound();
      const found = await mustRestOn(trx, document, call.caller);
      if (row.settled_at !== null)
        throw conflict('Văn bản còn thiếu này đã được bổ sung.', 'The document was supplied already.', {
          kind: 'document',
          id: row.document_id ?? '',
          state: 'settled',
          since: new Date(row.settled_at).toISOString(),
        });
      const patch = { settled_at: now, settled_by: actorOf(call.caller), document_id: found.id };
      await updateDebt(trx, id, patch);
      return { before: row, after: { ...row, ...patch }, paper: citation(found) };
    },
  );
  return {
    status: 200,
    body: debtView(after, now),
    act: {
      noun: 'document_debt',
      key: id,
      before: debtView(before, now),
      after: { ...debtView(after, now), document: paper },
    },
  };
}
