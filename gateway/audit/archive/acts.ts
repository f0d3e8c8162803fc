import type { LogSegment } from '../../store/log-segments.js';
import type { AuditRecord } from '../record.js';
import { systemAct } from '../system-act.js';
import { type SealedSegment, segmentFileOf } from './segment.js';

/** Records about segments never leave the table: they prove what became of the others. */
export const SEGMENT_NOUN = 'log-segment';

type Act = Pick<AuditRecord, 'kind' | 'plane'> & { readonly noun: unknown };

/** Whether a record is an act about a segment; only the platform itself writes such. */
export function isSegmentAct({ kind, plane, noun }: Act): boolean {
  return kind === 'act' && plane === 'system' && noun === SEGMENT_NOUN;
}

function act(at: number, operation: string, key: string, after: object): AuditRecord {
  return systemAct(at, { operation, outcome: 'answered', target: { noun: SEGMENT_NOUN, key, after } });
}

/** A segment was sealed: its descriptor by its digest, which names those of all its files. */
export function sealAct({ segment, sha256 }: SealedSegment, at: number): AuditRecord {
  const { from, to, files } = segment;
  const named = files.map(({ name, records, bytes, sha256 }) => ({ name, records, bytes, sha256 }));
  return act(at, 'sealLogSegment', segmentFileOf(segment), { from, to, sha256, files: named });
}

/** A file of records was destroyed because its time was over. */
export function destroyAct(
  file: { readonly name: string; readonly sha256: string; readonly class: string },
  period: { readonly fileMonths: number; readonly legalBasis: string },
  at: number,
): AuditRecord {
  const { name, sha256, class: wanted } = file;
  const { fileMonths, legalBasis } = period;
  return act(at, 'destroyLogSegmentFile', name, { sha256, class: wanted, fileMonths, legalBasis });
}

/** The digests that acts of one operation name, by what they are about. */
function named(acts: readonly AuditRecord[], operation: string): Set<string> {
  return new Set(
    acts
      .filter((one) => one.operation === operation)
      .map(
        ({ target }) =>
          `${target?.key ?? ''} ${String((target?.after as { sha256?: unknown } | undefined)?.sha256)}`,
      ),
  );
}

/** The first segment, or file of one that is said to be destroyed, of which no record of the log says so. */
export function segmentNotVouchedFor(
  segments: readonly LogSegment[],
  acts: readonly AuditRecord[],
): { readonly index: number; readonly detail: string } | undefined {
  const [sealed, destroyed] = [named(acts, 'sealLogSegment'), named(acts, 'destroyLogSegmentFile')];
  for (const { from_seq: index, name, sha256, files } of segments) {
    if (!sealed.has(`${name} ${sha256}`))
      return { index, detail: `no record says that ${name} was sealed as it is` };
    for (const file of files)
      if (file.destroyed_at !== null && !destroyed.has(`${file.name} ${file.sha256}`))
        return { index, detail: `${file.name} is gone, and no record says that it was destroyed` };
  }
  return undefined;
}
