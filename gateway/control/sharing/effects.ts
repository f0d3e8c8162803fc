import type { Knex } from 'knex';
import type { GrantRow } from '../../store/grants.js';
import {
  addTask,
  deleteTasks,
  findRequest,
  type RequestRow,
  type RequestState,
  type TaskRow,
} from '../../store/sharing-requests.js';
import { GRANT_SIDES } from '../../store/grants.js';
import type { ControlContext } from '../handler.js';
import { recordByTime } from './by-time.js';
import type { Agreement } from './content.js';
import { amendGrant, changeGrant, makeGrant } from './grant-making.js';
import { flagColumn, flagOf } from './guards.js';
import type { Side, StepName } from './transitions.js';

/** What the caller sent along with a step. */
export interface StepBody {
  readonly step: StepName;
  readonly reason?: string;
  readonly document?: string;
  readonly legalBasis?: string;
  readonly agreement?: Agreement;
  readonly tasks?: readonly Pick<TaskRow, 'kind' | 'party' | 'title'>[];
}

export interface Taken {
  readonly trx: Knex;
  readonly context: ControlContext;
  readonly row: RequestRow;
  readonly side: Side;
  readonly actor: string;
  readonly now: number;
  readonly body: StepBody;
}

/** What a step does beside leading on: changes to the request, another state, and what the record adds. */
export interface Effect {
  readonly patch?: Partial<RequestRow>;
  readonly to?: RequestState;
  readonly grant?: GrantRow;
}

/** One task for each part that must be ready, with whoever usually has to do it. */
const USUAL_TASKS: readonly Pick<TaskRow, 'kind' | 'party' | 'title'>[] = [
  { kind: 'infrastructure', party: 'consumer', title: 'Chuẩn bị hạ tầng, hệ thống nhận dữ liệu' },
  { kind: 'network', party: 'platform', title: 'Mở kết nối mạng và kiểm tra thông tuyến' },
  { kind: 'connector', party: 'provider', title: 'Cấu hình kết nối tới nguồn dữ liệu' },
  { kind: 'data', party: 'provider', title: 'Chuẩn bị dữ liệu theo cấu trúc đã công bố' },
];

/** How a request stands whose grant is in force: as long as one side holds it up, it is suspended. */
function atWork(grant: GrantRow): 'active' | 'suspended' {
  return GRANT_SIDES.some((side) => flagOf(grant, side) !== null) ? 'suspended' : 'active';
}

async function approve(taken: Taken): Promise<Effect> {
  const { trx, row, now, body, actor } = taken;
  if (row.amends !== null) {
    const grant = await amendGrant(trx, row, actor, now);
    await supersede(trx, row, now);
    return { to: atWork(grant), patch: { grant_id: grant.id }, grant };
  }
  await deleteTasks(trx, row.id);
  for (const task of body.tasks ?? USUAL_TASKS)
    await addTask(trx, { request_id: row.id, note: null, done_at: null, done_by: null, ...task });
  return {};
}

/** The request whose grant was amended has done its work; the new one stands for the grant from now on. */
async function supersede(trx: Knex, by: RequestRow, now: number): Promise<void> {
  const before = await trx<RequestRow>('sharing_requests')
    .where({ grant_id: by.amends })
    .whereIn('state', ['active', 'suspended'])
    .first('id');
  const row = before === undefined ? undefined : await findRequest(trx, before.id);
  if (row === undefined) return;
  await recordByTime(trx, row, 'supersede', now, { by: by.id });
}

async function setFlag({ trx, row, side, now }: Taken, at: number | null): Promise<Effect> {
  const grant = await changeGrant(trx, row.grant_id ?? '', { [flagColumn(side)]: at }, now);
  return { to: atWork(grant), grant };
}

/** Only the steps that do more than lead on. */
export const EFFECTS: Readonly<Partial<Record<StepName, (taken: Taken) => Effect | Promise<Effect>>>> = {
  submit: ({ actor }) => ({ patch: { submitted_by: actor } }),
  resubmit: ({ actor }) => ({ patch: { submitted_by: actor } }),
  refuse: ({ body }) => ({
    patch: { refusal: JSON.stringify({ reason: body.reason, legalBasis: body.legalBasis }) },
  }),
  reopen: () => ({ patch: { refusal: null } }),
  agree: ({ body, actor }) => ({
    patch: { agreement: JSON.stringify(body.agreement), agreed_by: actor },
  }),
  return: () => ({ patch: { agreement: null, agreed_by: null } }),
  approve,
  activate: async ({ trx, row, actor, now }) => {
    const grant = await makeGrant(trx, row, actor, now);
    return { patch: { grant_id: grant.id }, grant };
  },
  suspend: (taken) => setFlag(taken, taken.now),
  resume: (taken) => setFlag(taken, null),
  terminate: async ({ trx, row, now, body }) => {
    const patch = { state: 'terminated', state_since: now, reason: body.reason ?? null } as const;
    return { grant: await changeGrant(trx, row.grant_id ?? '', patch, now) };
  },
};
