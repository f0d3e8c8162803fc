import type { Knex } from 'knex';
import type { Problem } from '../../base/problem.js';
import type { Manifest } from '../../catalogue/manifest.js';
import { findAgency } from '../../store/agencies.js';
import type { BreakGlassRow } from '../../store/break-glass.js';
import { findService, type ServiceRow, type ServiceState } from '../../store/services.js';
import type { ControlCall } from '../handler.js';
import { beyondRole, conflict, invalid, notFound, wrongTransition } from '../refusals.js';

export type ServiceAct = 'draft' | 'publish' | 'suspend' | 'resume' | 'retire';

/** From which states each act leads where; `draft` adds a revision and leaves the state. `retired` is final. */
export const SERVICE_ACTS: Readonly<
  Record<ServiceAct, { from: readonly ServiceState[]; to: ServiceState | null }>
> = {
  draft: { from: ['draft', 'published', 'suspended'], to: null },
  publish: { from: ['draft', 'published', 'suspended'], to: 'published' },
  suspend: { from: ['published'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'published' },
  retire: { from: ['draft', 'published', 'suspended'], to: 'retired' },
};

/** The state by the clock: what has come to its last day is retired, whether or not that is noted yet. */
export function stateAt(
  { state, state_since: since, sunset_at: sunset }: ServiceRow,
  now: number,
): { readonly state: ServiceState; readonly since: number } {
  const over = sunset != null && sunset <= now && (state === 'published' || state === 'suspended');
  return over ? { state: 'retired', since: sunset } : { state, since };
}

/** @param now milliseconds since the epoch */
export function nextState(row: ServiceRow, act: ServiceAct, now: number): ServiceState {
  const { from, to } = SERVICE_ACTS[act];
  const { state, since } = stateAt(row, now);
  if (from.includes(state)) return to ?? state;
  throw wrongTransition('service', { id: row.id, state, since }, act);
}

type Caller = ControlCall['caller'];

/** Roles that see every service with its drafts. */
export const SEE_ALL = ['owner', 'manager', 'operator', 'auditor'] as const;
/** Roles that see every manifest: it names the address of the source. */
export const SEE_MANIFESTS = ['manager', 'operator', 'auditor'] as const;

/** Whether the caller reaches services of this agency: by a role that reaches all, or as their provider. */
export function reaches(caller: Caller, provider: string, everywhere: readonly string[]): boolean {
  if (caller.roles.some((role) => everywhere.includes(role))) return true;
  return caller.roles.includes('provider') && caller.agency === provider;
}

/** Whose drafts the caller may see, as the store filters them. */
export function draftsOf(caller: Caller): 'all' | { agency: string | null } {
  if (caller.roles.some((role) => (SEE_ALL as readonly string[]).includes(role))) return 'all';
  return { agency: caller.roles.includes('provider') ? caller.agency : null };
}

function onlyOwn({ roles }: Caller): Problem {
  if (roles.includes('operator'))
    return beyondRole(
      roles,
      'Đơn vị vận hành chỉ làm việc này khi có truy cập khẩn cấp đang hiệu lực vào dịch vụ.',
      'The operator does this only while an emergency access to the service is in force.',
    );
  return beyondRole(
    roles,
    'Vai trò cung cấp chỉ dùng cho dịch vụ của cơ quan mình.',
    'The role provider reaches the services of its own agency only.',
  );
}

/** Says no to another agency's provider, whether or not the service exists. */
export function assertProvides(caller: Caller, provider: string, everywhere: readonly string[]): void {
  if (!reaches(caller, provider, everywhere)) throw onlyOwn(caller);
}

/** What was never published is nobody's business but its provider's: to others it does not exist. */
export function assertSees(caller: Caller, row: ServiceRow): void {
  if (row.published_revision === null && !reaches(caller, row.provider, SEE_ALL)) throw notFound();
}

/** The service, for a caller who may act on it: by role, or by an access in an emergency that is in force now. */
export async function mustReach(
  knex: Knex,
  id: string,
  caller: Caller,
  everywhere: readonly string[],
  access?: BreakGlassRow,
): Promise<ServiceRow> {
  const row = await findService(knex, id);
  if (row === undefined) throw notFound();
  if (access?.service_id === row.id) return row;
  assertSees(caller, row);
  assertProvides(caller, row.provider, everywhere);
  return row;
}

/** A provider does not undo what a manager decided. */
export function assertMayResume(caller: Caller, row: ServiceRow): void {
  if (caller.roles.includes('manager') || row.state_by === 'provider') return;
  throw beyondRole(
    caller.roles,
    'Dịch vụ do cơ quan quản lý tạm dừng chỉ được cơ quan quản lý khôi phục.',
    'What a manager suspended is resumed by a manager.',
  );
}

export async function assertProviderExists(knex: Knex, manifest: Manifest): Promise<void> {
  if ((await findAgency(knex, manifest.provider))?.code === manifest.provider) return;
  throw invalid(
    '/body/manifest/provider',
    'exists',
    'không có cơ quan này trong danh mục',
    'there is no such agency',
  );
}

/** The content of a revision belongs to the service in the path. */
export function assertSameService(id: string, contentId: string): void {
  if (id === contentId) return;
  throw invalid(
    '/body/manifest',
    'identity',
    `khai báo thuộc dịch vụ ${contentId}, không phải ${id}`,
    `the manifest belongs to ${contentId}, not to ${id}`,
  );
}

/** Two who save at once: the second is told, so that nothing is published unread. */
export function assertUnchanged(row: ServiceRow, revision: number): void {
  if (row.latest_revision === revision) return;
  throw conflict(
    'Đã có bản sửa đổi mới hơn trong lúc kiểm tra; hãy xem lại rồi thực hiện lại.',
    'A newer revision was saved during the check; look at it and try again.',
    { kind: 'service', id: row.id, state: 'revised', revision: row.latest_revision },
  );
}

/** What it was compared with must be in force still. */
export function assertSamePublished(row: ServiceRow, revision: number | null): void {
  if (row.published_revision === revision) return;
  throw conflict(
    'Trong lúc kiểm tra, bản đang có hiệu lực đã thay đổi; hãy thực hiện lại.',
    'What is in force has changed during the check; try again.',
    { kind: 'service', id: row.id, state: row.state, revision: row.published_revision ?? 0 },
  );
}
