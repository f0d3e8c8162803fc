import type { Knex } from 'knex';
import { systemAct } from '../../audit/system-act.js';
import { oweRecord } from '../../store/owed-records.js';
import { addStep, type RequestRow, updateRequest } from '../../store/sharing-requests.js';
import { transition, type StepName } from './transitions.js';

/** A record of what the platform did by itself, owed to the log in the transaction that does it. */
export async function owePlatformAct(
  trx: Knex,
  now: number,
  operation: string,
  target: { noun: string; key: string; before: unknown; after: unknown },
): Promise<void> {
  await oweRecord(trx, systemAct(now, { operation, outcome: 'answered', target }));
}

/** A step that nobody takes: time does, or what was decided elsewhere. With its place in the history, and its record. */
export async function recordByTime(
  trx: Knex,
  row: RequestRow,
  step: Extract<StepName, 'expire' | 'lapse' | 'supersede'>,
  now: number,
  more: object = {},
): Promise<void> {
  const { to } = transition(step);
  await updateRequest(trx, row.id, { state: to, state_since: now, due_at: null, updated_at: now });
  await addStep(trx, {
    request_id: row.id,
    step,
    from_state: row.state,
    to_state: to,
    side: 'time',
    actor: 'platform',
    agency: '',
    at: now,
    reason: null,
    document_id: null,
    legal_basis: null,
  });
  await owePlatformAct(trx, now, `${step}SharingRequest`, {
    noun: 'sharing_request',
    key: row.id,
    before: { state: row.state },
    after: { state: to, step, ...more },
  });
}
