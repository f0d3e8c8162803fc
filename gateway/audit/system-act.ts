import { uuidv7 } from '../base/ids.js';
import type { AuditRecord } from './record.js';

type Act = Omit<Partial<AuditRecord>, 'v' | 'id' | 'kind' | 'plane' | 'received'> &
  Pick<AuditRecord, 'outcome' | 'target'>;

/**
 * The record of what the platform did by itself.
 *
 * @param at milliseconds since the epoch
 * @param id of what must be recorded once only, however often and on however many nodes it is tried
 */
export function systemAct(at: number, act: Act, id = uuidv7(at)): AuditRecord {
  return { v: 1, id, kind: 'act', plane: 'system', received: new Date(at).toISOString(), ...act };
}
