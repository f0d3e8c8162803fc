import { RECORD_CLASSES } from '../../audit/archive/classes.js';
import type { RecordFilters } from '../../audit/search.js';
import { leftUntil, listSegments, type LogSegment } from '../../store/log-segments.js';
import type { ControlCall, ControlContext, ControlResult } from '../handler.js';
import { pageAsked, pageBody } from '../paging.js';

const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));

function view({ name, sha256, from_seq, to_seq, first_at, last_at, sealed_at, files }: LogSegment) {
  return {
    ...{ name, sha256, from: from_seq, to: to_seq },
    ...{ firstReceived: iso(first_at), lastReceived: iso(last_at), sealedAt: iso(sealed_at) },
    files: files.map((file) => ({
      ...{ class: file.class, name: file.name, records: file.records, bytes: file.bytes },
      ...{ sha256: file.sha256, encrypted: file.encrypted },
      ...{ leftAt: isoOrNull(file.rows_removed_at), destroyedAt: isoOrNull(file.destroyed_at) },
    })),
  };
}

/** What left the database. */
export async function list({ database }: ControlContext, { query }: ControlCall): Promise<ControlResult> {
  return { status: 200, body: pageBody(await listSegments(database, pageAsked(query)), view) };
}

/** By which rule it leaves. */
export function retention({ config, archiveFolder }: ControlContext): ControlResult {
  const periods = RECORD_CLASSES.map((one) => ({ class: one, ...config.retention[one] }));
  return { status: 200, body: { active: archiveFolder !== null, periods } };
}

/** Where a search reaches back to records that left: until when they were received. */
export async function archivedUntil(
  { database }: ControlContext,
  { from }: RecordFilters,
): Promise<string | null> {
  const until = await leftUntil(database.knex);
  return until === null || (from !== undefined && from > until) ? null : iso(until);
}
