import type { Bilingual } from '../../base/problem.js';
import type { Role } from '../../store/systems.js';
import type { RequestState } from '../../store/sharing-requests.js';

/** Who takes a step: one of the two agencies, the platform that runs the exchange, or the clock. */
export type Side = 'consumer' | 'provider' | 'platform' | 'time';

/** What a step must bring along. */
export type Need = 'reason' | 'legalBasis' | 'document' | 'agreement';

/** What must hold besides, by the name of its rule in `guards.ts`. */
export type Guard = 'complete' | 'tasksDone' | 'testPassed' | 'ownFlagClear' | 'ownFlagSet';

/** Until when the next step is due, by the name of its setting. */
export type Term = 'receiveWorkingDays' | 'reviewWorkingDays';

export interface Transition {
  readonly from: readonly RequestState[];
  /** Where it leads; effects may lead elsewhere (`approve` of an amendment, held up or not, `resume` of one flag among several). */
  readonly to: RequestState;
  readonly sides: readonly Side[];
  /** The role that the caller needs on that side. */
  readonly roles: Readonly<Partial<Record<Side, readonly Role[]>>>;
  readonly needs: readonly Need[];
  readonly guards: readonly Guard[];
  /** Whose maker may not take it: those who asked, or those who agreed. */
  readonly notBy: readonly ('submitted_by' | 'agreed_by')[];
  readonly term: Term | null;
  readonly title: Bilingual;
}

const CONSUMER = { sides: ['consumer'], roles: { consumer: ['consumer'] } } as const;
const PROVIDER = { sides: ['provider'], roles: { provider: ['provider'] } } as const;
const MANAGER = { sides: ['platform'], roles: { platform: ['manager'] } } as const;
const EITHER_SIDE = {
  sides: ['consumer', 'provider', 'platform'],
  roles: { consumer: ['consumer'], provider: ['provider'], platform: ['manager', 'operator'] },
} as const;
const PREPARING = {
  sides: ['provider', 'platform'],
  roles: { provider: ['provider'], platform: ['manager', 'operator'] },
} as const;
const NOTHING = { needs: [], guards: [], notBy: [], term: null } as const;

/**
 * The way of a special request (491/QĐ-UBND, 2.6): every step that there is, from where to where, who takes it, on
 * what. What is not in this table cannot happen.
 */
// biome-ignore format: a table reads best as a table
export const TRANSITIONS = {
  submit:         { ...NOTHING, ...CONSUMER, from: ['draft'], to: 'submitted', needs: ['document'], guards: ['complete'], term: 'receiveWorkingDays', title: { vi: 'Gửi yêu cầu', en: 'Submitted' } },
  take:           { ...NOTHING, ...PROVIDER, from: ['submitted'], to: 'in_review', term: 'reviewWorkingDays', title: { vi: 'Tiếp nhận yêu cầu', en: 'Taken up' } },
  ask_changes:    { ...NOTHING, ...PROVIDER, from: ['in_review'], to: 'needs_changes', needs: ['reason'], title: { vi: 'Yêu cầu bổ sung, chỉnh sửa', en: 'Changes asked for' } },
  resubmit:       { ...NOTHING, ...CONSUMER, from: ['needs_changes'], to: 'in_review', guards: ['complete'], term: 'reviewWorkingDays', title: { vi: 'Gửi lại sau chỉnh sửa', en: 'Submitted again' } },
  refuse:         { ...NOTHING, ...PROVIDER, from: ['submitted', 'in_review'], to: 'refused', needs: ['reason', 'legalBasis'], notBy: ['submitted_by'], title: { vi: 'Từ chối', en: 'Refused' } },
  withdraw:       { ...NOTHING, ...CONSUMER, from: ['draft', 'submitted', 'in_review', 'needs_changes'], to: 'withdrawn', title: { vi: 'Rút yêu cầu', en: 'Withdrawn' } },
  agree:          { ...NOTHING, ...PROVIDER, from: ['in_review'], to: 'agreed', needs: ['document', 'agreement'], guards: ['complete'], notBy: ['submitted_by'], title: { vi: 'Thống nhất chia sẻ', en: 'Agreed' } },
  return:         { ...NOTHING, ...MANAGER, from: ['agreed'], to: 'in_review', needs: ['reason'], term: 'reviewWorkingDays', title: { vi: 'Cơ quan quản lý trả lại', en: 'Returned by the manager' } },
  approve:        { ...NOTHING, ...MANAGER, from: ['agreed'], to: 'preparing', needs: ['document'], guards: ['complete'], notBy: ['submitted_by', 'agreed_by'], title: { vi: 'Cơ quan quản lý phê duyệt', en: 'Approved by the manager' } },
  begin_testing:  { ...NOTHING, ...PREPARING, from: ['preparing'], to: 'testing', guards: ['tasksDone'], title: { vi: 'Chuyển sang thử nghiệm', en: 'Testing began' } },
  prepare_again:  { ...NOTHING, ...PREPARING, from: ['testing'], to: 'preparing', needs: ['reason'], title: { vi: 'Chuẩn bị lại', en: 'Back to preparing' } },
  activate:       { ...NOTHING, ...PREPARING, from: ['testing'], to: 'active', guards: ['complete', 'testPassed'], notBy: ['submitted_by'], title: { vi: 'Đưa vào sử dụng', en: 'Activated' } },
  suspend:        { ...NOTHING, ...EITHER_SIDE, from: ['active', 'suspended'], to: 'suspended', needs: ['reason'], guards: ['ownFlagClear'], title: { vi: 'Tạm dừng', en: 'Suspended' } },
  resume:         { ...NOTHING, ...EITHER_SIDE, from: ['suspended'], to: 'active', guards: ['ownFlagSet'], title: { vi: 'Khôi phục', en: 'Resumed' } },
  terminate:      { ...NOTHING, ...EITHER_SIDE, from: ['active', 'suspended'], to: 'terminated', needs: ['reason', 'document'], title: { vi: 'Chấm dứt', en: 'Terminated' } },
  reopen:         { ...NOTHING, ...MANAGER, from: ['refused'], to: 'in_review', needs: ['reason', 'legalBasis'], notBy: ['submitted_by'], term: 'reviewWorkingDays', title: { vi: 'Xem xét lại sau giải quyết vướng mắc', en: 'Reopened' } },
  expire:         { ...NOTHING, sides: ['time'], roles: {}, from: ['preparing', 'testing', 'active', 'suspended'], to: 'expired', title: { vi: 'Hết thời hạn', en: 'Expired' } },
  lapse:          { ...NOTHING, sides: ['time'], roles: {}, from: ['active', 'suspended'], to: 'terminated', title: { vi: 'Chấm dứt do không xác nhận nhu cầu', en: 'Lapsed' } },
  supersede:      { ...NOTHING, sides: ['time'], roles: {}, from: ['active', 'suspended'], to: 'terminated', title: { vi: 'Được thay thế', en: 'Superseded' } },
} as const satisfies Readonly<Record<string, Transition>>;

export type StepName = keyof typeof TRANSITIONS;

/** The steps that somebody takes; the others are taken by time, or by what somebody else decided. */
export const ASKABLE = (Object.keys(TRANSITIONS) as StepName[]).filter(
  (name) => !['expire', 'lapse', 'supersede', 'reopen'].includes(name),
);

export function transition(name: StepName): Transition {
  return TRANSITIONS[name];
}
