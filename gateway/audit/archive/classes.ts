import type { AuditRecord } from '../record.js';

/**
 * What retention tells apart:
 * - `calls`: calls of shared data, opening and closing records alike, in the sandbox too
 * - `logins`: who signed in, who got a token, and who was refused one
 * - `acts`: what was done on the platform, by people and by itself
 */
export const RECORD_CLASSES = ['calls', 'logins', 'acts'] as const;
export type RecordClass = (typeof RECORD_CLASSES)[number];

const CLASS_OF: Readonly<Record<AuditRecord['plane'], RecordClass>> = {
  data: 'calls',
  sandbox: 'calls',
  open: 'logins',
  admin: 'acts',
  system: 'acts',
};

/** By the plane alone, so that an opening record and its closing one are kept, and leave, together. */
export function classOf({ plane }: Pick<AuditRecord, 'plane'>): RecordClass {
  // What a later version writes is kept with what is kept longest by habit.
  return (CLASS_OF as Readonly<Record<string, RecordClass | undefined>>)[plane] ?? 'acts';
}

/** The planes of a class, as the column of the log has them. */
export function planesOf(wanted: RecordClass): string[] {
  return Object.entries(CLASS_OF).flatMap(([plane, one]) => (one === wanted ? [plane] : []));
}
