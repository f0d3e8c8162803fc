import type { Knex } from 'knex';
import { Problem } from '../../base/problem.js';
import { findGrant, type GrantRow } from '../../store/grants.js';
import { listTasks, listTests, type RequestRow } from '../../store/sharing-requests.js';
import type { ControlContext } from '../handler.js';
import { assertComplete } from './content.js';
import type { Guard, Side } from './transitions.js';

export interface GuardedStep {
  readonly trx: Knex;
  readonly context: ControlContext;
  readonly row: RequestRow;
  readonly side: Side;
}

function stopped(row: RequestRow, state: string, vi: string, en: string): Problem {
  return new Problem('transition_not_allowed', {
    detail: { vi, en },
    rule: {
      kind: 'sharing_request',
      id: row.id,
      state,
      since: new Date(row.state_since).toISOString(),
    },
  });
}

async function assertTasksDone({ trx, row }: GuardedStep): Promise<void> {
  const open = (await listTasks(trx, row.id)).filter(({ done_at }) => done_at === null);
  if (open.length === 0) return;
  const names = open.map(({ title }) => title).join('; ');
  throw stopped(row, 'tasks_open', `Còn việc chưa xong: ${names}.`, `These tasks are open: ${names}.`);
}

/** The test that counts is the last one, and one from before the request last went into testing proves nothing. */
async function assertTestPassed({ trx, row }: GuardedStep): Promise<void> {
  const last = (await listTests(trx, row.id)).at(-1);
  if (last?.passed === true && last.at >= row.state_since) return;
  throw stopped(
    row,
    last === undefined ? 'untested' : 'test_failed',
    'Chưa có lần thử nghiệm đạt kể từ khi chuyển sang thử nghiệm.',
    'No test has passed since testing began.',
  );
}

const FLAGS = {
  consumer: 'suspended_consumer',
  provider: 'suspended_provider',
  platform: 'suspended_platform',
} as const;

export function flagOf(grant: GrantRow, side: Side): number | null {
  return side === 'time' ? null : grant[FLAGS[side]];
}

export function flagColumn(side: Side): (typeof FLAGS)[keyof typeof FLAGS] {
  if (side === 'time') throw new Problem('internal_error');
  return FLAGS[side];
}

async function assertOwnFlag({ trx, row, side }: GuardedStep, set: boolean): Promise<void> {
  const grant = row.grant_id === null ? undefined : await findGrant(trx, row.grant_id);
  if (grant !== undefined && (flagOf(grant, side) !== null) === set) return;
  throw stopped(
    row,
    row.state,
    set ? 'Bên này không tạm dừng nên không khôi phục được.' : 'Bên này đã tạm dừng.',
    set ? 'This side has not suspended it, and resumes only its own.' : 'This side has suspended it already.',
  );
}

const GUARDS: Readonly<Record<Guard, (step: GuardedStep) => Promise<void>>> = {
  complete: ({ trx, context, row }) => assertComplete(trx, context, row),
  tasksDone: assertTasksDone,
  testPassed: assertTestPassed,
  ownFlagClear: (step) => assertOwnFlag(step, false),
  ownFlagSet: (step) => assertOwnFlag(step, true),
};

export async function assertGuards(guards: readonly Guard[], step: GuardedStep): Promise<void> {
  for (const guard of guards) await GUARDS[guard](step);
}
