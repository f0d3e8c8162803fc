import type { Knex } from 'knex';
import { type ChangeRequestRow, insertChangeRequest } from '../../store/change-requests.js';
import { changing } from '../../store/changes.js';
import { findService, type ServiceRow } from '../../store/services.js';
import { actorOf } from '../actor.js';
import type { AskedChange, ChangeExecutors } from '../change.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { citation, mustRestOn } from '../papers.js';
import { notFound } from '../refusals.js';
import { assertMayAsk, waitsFor } from './rules.js';
import { changeRequestView } from './views.js';

interface NewChangeRequest extends AskedChange {
  readonly service?: string;
  /** `upgrade`: to which version of the platform, and how. */
  readonly version?: string;
  readonly plan?: string;
  readonly reason: string;
}

/** The service, for somebody who may ask for its change: an operator, or its own provider. */
async function mustReach(trx: Knex, id: string, caller: ControlCall['caller']): Promise<ServiceRow> {
  const row = await findService(trx, id);
  const own = caller.roles.includes('operator') || row?.provider === caller.agency;
  if (row === undefined || !own) throw notFound();
  return row;
}

type Subject = Pick<ChangeRequestRow, 'subject_noun' | 'subject_key' | 'provider' | 'payload'>;

async function subjectOf(
  trx: Knex.Transaction,
  executors: ChangeExecutors,
  { body, caller }: ControlCall,
): Promise<Subject> {
  const asked = body as NewChangeRequest;
  const executor = executors[asked.kind];
  if (executor === undefined || asked.service === undefined) {
    const { version = '', plan = '' } = asked;
    const payload = JSON.stringify({ version, plan });
    return { subject_noun: 'platform', subject_key: 'lgsp-gateway', provider: null, payload };
  }
  const service = await mustReach(trx, asked.service, caller);
  const payload = JSON.stringify(await executor.pin(trx, service, asked, caller));
  return { subject_noun: 'service', subject_key: service.id, provider: service.provider, payload };
}

function newRow(
  subject: Subject,
  { body, caller }: ControlCall,
  now: number,
): Omit<ChangeRequestRow, 'id' | 'year' | 'number'> {
  const { kind, reason, document } = body as NewChangeRequest;
  return {
    kind,
    ...subject,
    reason: reason.trim(),
    document_id: document ?? null,
    state: 'pending',
    state_since: now,
    made_by: actorOf(caller),
    made_agency: caller.agency,
    made_at: now,
    decided_by: null,
    decided_at: null,
    decision_reason: null,
    expires_at: now + waitsFor(kind),
  };
}

export async function create(
  context: ControlContext,
  executors: ChangeExecutors,
  call: ControlCall,
): Promise<ControlResult> {
  const { database, clock } = context;
  const { kind, service, document } = call.body as NewChangeRequest;
  assertMayAsk(call.caller, kind);
  const now = clock.now();
  // The number is given inside, so that the note of what changed names the subject.
  const note = { noun: 'change_request', key: service ?? kind, at: now } as const;
  const { row, facts } = await changing(database, note, async (trx) => {
    const facts = document === undefined ? undefined : citation(await mustRestOn(trx, document, call.caller));
    const subject = await subjectOf(trx, executors, call);
    return { row: await insertChangeRequest(trx, newRow(subject, call, now)), facts };
  });
  const body = changeRequestView(row, now);
  const after = facts === undefined ? body : { ...body, document: facts };
  return { status: 201, body, act: { noun: 'change_request', key: row.id, before: null, after } };
}
