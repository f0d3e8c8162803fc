import { isSegmentAct } from '../archive/acts.js';
import { isHandOver } from '../key-hand-over.js';
import type { AuditRecord } from '../record.js';

/** What the log says about itself: records that verification has to follow. */
export class LogActs {
  /** Records that hand the log over to another key, by index. */
  readonly handOvers = new Map<number, AuditRecord>();
  /** Acts about sealed segments. */
  readonly segmentActs: AuditRecord[] = [];

  note(index: number, record: AuditRecord): void {
    const act = { ...record, noun: record.target?.noun };
    if (isHandOver(act)) this.handOvers.set(index, record);
    if (isSegmentAct(act)) this.segmentActs.push(record);
  }
}
