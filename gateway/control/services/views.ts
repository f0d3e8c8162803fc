import type { RevisionFacts, ServiceRow } from '../../store/services.js';

const iso = (ms: number): string => new Date(ms).toISOString();

/** When it ends, and what follows it. */
function deprecationOf({ deprecated_at: since, sunset_on: sunsetOn, ...row }: ServiceRow) {
  if (since == null || sunsetOn == null) return null;
  return {
    since: iso(since),
    sunsetOn,
    successor: row.successor ?? null,
    reason: row.deprecation_reason ?? '',
  };
}

/** @param drafts whether the reader may know of revisions that are not published */
export function serviceView(row: ServiceRow, drafts: boolean, latestSha256?: string) {
  return {
    id: row.id,
    provider: row.provider,
    slug: row.slug,
    version: `v${row.major}`,
    title: row.title,
    sharing: row.sharing,
    classification: row.classification,
    state: row.state,
    stateSince: iso(row.state_since),
    stateReason: row.state_reason,
    deprecation: deprecationOf(row),
    publishedRevision: row.published_revision,
    ...(drafts ? { latestRevision: row.latest_revision } : {}),
    ...(drafts && latestSha256 !== undefined ? { latestSha256 } : {}),
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
  };
}

export function revisionView(row: RevisionFacts) {
  return {
    revision: row.revision,
    sha256: row.sha256,
    createdBy: row.created_by,
    createdAt: iso(row.created_at),
    publishedAt: row.published_at === null ? null : iso(row.published_at),
  };
}
