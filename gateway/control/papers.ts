import type { Knex } from 'knex';
import { uuidv7 } from '../base/ids.js';
import { Problem } from '../base/problem.js';
import { dueAt } from '../base/working-days.js';
import { readCalendar } from '../store/calendar.js';
import { type DebtRow, type DocumentRow, findDocument, insertDebt } from '../store/documents.js';
import type { AccountAct, AskedAct } from './accounts.js';
import { actorOf } from './actor.js';
import type { ControlCall, ControlContext } from './handler.js';

type Caller = ControlCall['caller'];

/** Roles that see the documents of every agency. */
const SEE_ALL_DOCUMENTS = ['owner', 'manager', 'operator', 'auditor'] as const;

export function seesAllDocuments({ roles }: Caller): boolean {
  return roles.some((role) => (SEE_ALL_DOCUMENTS as readonly string[]).includes(role));
}

/** Whether the caller may rest an act on this document, or read it. */
export function seesDocument(caller: Caller, row: DocumentRow): boolean {
  return caller.agency === row.agency_code || seesAllDocuments(caller);
}

function required(state: 'absent' | 'unknown', id?: string): Problem {
  return new Problem('document_required', {
    rule: { kind: 'document', state, ...(id === undefined ? {} : { id }) },
    errors: [
      {
        pointer: '/body/document',
        keyword: state === 'absent' ? 'required' : 'exists',
        message:
          state === 'absent'
            ? {
                vi: 'cần mã của văn bản làm căn cứ',
                en: 'needs the id of the document that the act rests on',
              }
            : { vi: 'không có văn bản này', en: 'there is no such document' },
      },
    ],
  });
}

/**
 * The document that an act rests on.
 *
 * @throws Problem `document_required` when none was named, or the caller knows of none by this id
 */
export async function mustRestOn(knex: Knex, id: string | undefined, caller: Caller): Promise<DocumentRow> {
  if (id === undefined) throw required('absent');
  const row = await findDocument(knex, id);
  if (row === undefined || !seesDocument(caller, row)) throw required('unknown', id);
  return row;
}

/** What the record keeps of a document: enough to know it again, and the digest of its file. */
export function citation(row: DocumentRow) {
  return {
    id: row.id,
    number: row.number,
    issuedOn: row.issued_on,
    issuer: row.issuer,
    sha256: row.attachment_sha256,
  };
}

export interface EmergencyAct {
  readonly noun: string;
  readonly key: string;
  readonly act: string;
  readonly reason: string;
}

/** An act that could not wait for its document: it stands at once, and the document is owed by a date. */
export async function oweDocument(
  trx: Knex,
  context: ControlContext,
  caller: Caller,
  act: EmergencyAct,
): Promise<DebtRow> {
  const now = context.clock.now();
  const row: DebtRow = {
    id: uuidv7(now),
    ...act,
    agency_code: caller.agency,
    owed_by: actorOf(caller),
    owed_at: now,
    due_at: dueAt(now, context.config.documents.debtWorkingDays, await readCalendar(trx)),
    reminded_at: null,
    escalated_at: null,
    settled_at: null,
    settled_by: null,
    document_id: null,
  };
  await insertDebt(trx, row);
  return row;
}

/** What an act on an account rests on: its document, or, where a lock could not wait, the debt of one. */
export async function groundOf(
  trx: Knex,
  context: ControlContext,
  call: ControlCall,
  { noun, act }: { readonly noun: 'system' | 'person'; readonly act: AccountAct },
) {
  const { document, emergency, reason } = call.body as AskedAct;
  const key = call.path['id'] ?? '';
  if (act === 'lock' && emergency === true && document === undefined) {
    const debt = await oweDocument(trx, context, call.caller, { noun, key, act, reason });
    return { id: null, debt: { id: debt.id, dueAt: new Date(debt.due_at).toISOString() } };
  }
  const paper = await mustRestOn(trx, document, call.caller);
  return { id: paper.id, document: citation(paper) };
}
