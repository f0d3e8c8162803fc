import type { ControlCall } from './handler.js';
import { invalid } from './refusals.js';

/** What the ids begin with that an agency chooses: no code holds a dash, so that no two agencies share one. */
export function namespaceOf(agency: string): string {
  return `${agency.toLowerCase().replaceAll('.', '-')}--`;
}

/**
 * Ids of all agencies are one space. Who sees only their own agency's objects chooses among its own names, so that
 * "taken" says nothing of what others have.
 *
 * @param seesAll whether the caller sees the objects of every agency anyway
 * @throws Problem `request_invalid`, whether or not there is such an object
 */
export function assertChosenId({ agency }: ControlCall['caller'], seesAll: boolean, id?: string): void {
  const namespace = namespaceOf(agency);
  if (id === undefined || seesAll || id.startsWith(namespace)) return;
  throw invalid(
    '/body/id',
    'namespace',
    `mã tự đặt phải bắt đầu bằng ${namespace}; không gửi mã thì nền tảng tự đặt`,
    `an id of your own begins with ${namespace}; without one the gateway chooses`,
  );
}
