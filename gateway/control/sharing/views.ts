import { vietnamDay } from '../../base/calendar.js';
import { callsTaken, type GrantRow, GRANT_SIDES } from '../../store/grants.js';
import type { AccountRequestRow, DifficultyRow } from '../../store/sharing-cases.js';
import { difficultiesOf } from '../../store/sharing-cases.js';
import { listSteps, listTasks, listTests, type RequestRow } from '../../store/sharing-requests.js';
import type { ControlCall, ControlContext } from '../handler.js';
import { type Content, contentOf } from './content.js';
import { flagOf } from './guards.js';
import { sideFor } from './parties.js';
import { ASKABLE, transition } from './transitions.js';

export const iso = (ms: number): string => new Date(ms).toISOString();
export const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
const parsed = (text: string | null): unknown => (text === null ? null : (JSON.parse(text) as unknown));

/** A request in few words, for lists. */
export function requestView(row: RequestRow, now: number) {
  return {
    id: row.id,
    service: row.service_id,
    provider: row.provider,
    consumer: row.consumer,
    system: row.system_id,
    state: row.state,
    stateSince: iso(row.state_since),
    dueAt: isoOrNull(row.due_at),
    overdue: row.due_at !== null && row.due_at < now,
    purpose: contentOf(row).purpose,
    amends: row.amends,
    grant: row.grant_id,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

/** What a record keeps of a request. */
export function requestFacts(row: RequestRow) {
  const { purpose, ...content } = contentOf(row);
  return {
    id: row.id,
    service: row.service_id,
    consumer: row.consumer,
    provider: row.provider,
    system: row.system_id,
    state: row.state,
    purpose,
    content: content satisfies Omit<Content, 'purpose'>,
    agreement: parsed(row.agreement),
    refusal: parsed(row.refusal),
    amends: row.amends,
    grant: row.grant_id,
  };
}

/** The steps that lead on from here and are the caller's to take; guards may still stand in the way. */
function stepsOpenTo(row: RequestRow, caller: ControlCall['caller']): string[] {
  return ASKABLE.filter((name) => {
    const step = transition(name);
    if (!step.from.includes(row.state)) return false;
    try {
      sideFor(caller, row, step);
      return true;
    } catch {
      return false;
    }
  });
}

/** A request with all that was done and is left to do. */
export async function detailsOf(context: ControlContext, row: RequestRow, caller: ControlCall['caller']) {
  const { knex } = context.database;
  const steps = await listSteps(knex, row.id);
  const tasks = await listTasks(knex, row.id);
  const tests = await listTests(knex, row.id);
  const difficulties = await difficultiesOf(knex, row.id);
  return {
    ...requestView(row, context.clock.now()),
    content: contentOf(row),
    agreement: parsed(row.agreement),
    refusal: parsed(row.refusal),
    nextSteps: stepsOpenTo(row, caller),
    steps: steps.map((step) => ({
      seq: step.seq,
      step: step.step,
      from: step.from_state,
      to: step.to_state,
      side: step.side,
      actor: step.actor,
      agency: step.agency,
      at: iso(step.at),
      reason: step.reason,
      document: step.document_id,
      legalBasis: step.legal_basis,
    })),
    tasks: tasks.map((task) => ({
      seq: task.seq,
      kind: task.kind,
      party: task.party,
      title: task.title,
      note: task.note,
      doneAt: isoOrNull(task.done_at),
      doneBy: task.done_by,
    })),
    tests: tests.map((test) => ({
      seq: test.seq,
      at: iso(test.at),
      actor: test.actor,
      passed: test.passed,
      checks: parsed(test.checks),
    })),
    difficulties: difficulties.map((one) => difficultyView(one, context.clock.now())),
  };
}

export function difficultyView(row: DifficultyRow, now: number) {
  return {
    id: row.id,
    request: row.request_id,
    state: row.state,
    stateSince: iso(row.state_since),
    dueAt: isoOrNull(row.due_at),
    overdue: row.state !== 'concluded' && row.due_at !== null && row.due_at < now,
    raisedBy: row.raised_by,
    raisedAgency: row.raised_agency,
    text: row.text,
    outcome: row.outcome,
    conclusion: row.conclusion,
    legalBasis: row.legal_basis,
    document: row.document_id,
    settledBy: row.settled_by,
    createdAt: iso(row.created_at),
  };
}

/** What a grant allows now, in the words of its state: a suspended grant is active with flags. */
function stateOf(row: GrantRow, now: number): string {
  if (row.state !== 'active') return row.state;
  if (row.valid_until !== null && row.valid_until <= now) return 'expired';
  return GRANT_SIDES.some((side) => flagOf(row, side) !== null) ? 'suspended' : 'active';
}

export function grantView(row: GrantRow, now: number) {
  return {
    id: row.id,
    request: row.request_id,
    sharing: row.sharing,
    service: row.service_id,
    provider: row.provider,
    consumer: row.consumer,
    system: row.system_id,
    state: stateOf(row, now),
    stateSince: iso(row.state_since),
    suspended: {
      consumer: isoOrNull(row.suspended_consumer),
      provider: isoOrNull(row.suspended_provider),
      platform: isoOrNull(row.suspended_platform),
    },
    operations: parsed(row.operations),
    fields: parsed(row.fields),
    approved: { perDay: row.approved_per_day, perMinute: row.approved_per_minute },
    quota: { perDay: row.per_day, perMinute: row.per_minute },
    purpose: row.purpose,
    legalBasis: row.legal_basis,
    validFrom: iso(row.valid_from),
    validUntil: isoOrNull(row.valid_until),
    version: row.version,
    dueAt: isoOrNull(row.due_at),
    reason: row.reason,
    document: row.document_id,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

/** With what is used and left of today's quota: the same number that calls meet. */
export async function grantDetails({ database, clock }: ControlContext, row: GrantRow) {
  const now = clock.now();
  const used = await callsTaken(database.knex, row.id, vietnamDay(now));
  const remaining = row.per_day === null ? null : Math.max(0, row.per_day - used);
  return { ...grantView(row, now), today: { used, remaining } };
}

export function accountRequestView(row: AccountRequestRow, now: number) {
  return {
    id: row.id,
    agency: row.agency,
    systemName: row.system_name,
    purpose: row.purpose,
    document: row.document_id,
    state: row.state,
    stateSince: iso(row.state_since),
    dueAt: iso(row.due_at),
    overdue: row.state === 'submitted' && row.due_at < now,
    system: row.system_id,
    reason: row.reason,
    legalBasis: row.legal_basis,
    decidedBy: row.decided_by,
    createdBy: row.created_by,
    createdAt: iso(row.created_at),
  };
}
