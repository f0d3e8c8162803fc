import type { Role } from '../store/systems.js';
import type { ControlCall } from './handler.js';
import { beyondRole } from './refusals.js';

/** Roles that see or decide more than one agency's own affairs: who holds one can undo the second pair of eyes. */
const POWERFUL: readonly Role[] = ['owner', 'manager', 'operator', 'auditor'];

/** An account with a powerful role, and any further way into it, comes from a manager. */
export function assertMayEmpower(caller: ControlCall['caller'], roles: readonly Role[]): void {
  const powerful = roles.filter((role) => POWERFUL.includes(role));
  if (powerful.length === 0 || caller.roles.includes('manager')) return;
  const named = powerful.join(', ');
  throw beyondRole(
    caller.roles,
    `Tài khoản có vai trò ${named} chỉ được cấp bởi tài khoản có vai trò manager (quản lý).`,
    `An account with the role ${named} is given by an account that holds the role manager.`,
  );
}
