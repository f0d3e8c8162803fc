import { type ChangeRequestRow, stateAt } from '../../store/change-requests.js';

const iso = (ms: number): string => new Date(ms).toISOString();

export function changeRequestView(row: ChangeRequestRow, now: number) {
  const { state, state_since } = stateAt(row, now);
  return {
    id: row.id,
    kind: row.kind,
    subject: { noun: row.subject_noun, key: row.subject_key },
    payload: JSON.parse(row.payload) as Record<string, unknown>,
    reason: row.reason,
    document: row.document_id,
    state,
    stateSince: iso(state_since),
    madeBy: row.made_by,
    madeAgency: row.made_agency,
    madeAt: iso(row.made_at),
    decidedBy: row.decided_by,
    decidedAt: row.decided_at === null ? null : iso(row.decided_at),
    decisionReason: row.decision_reason,
    expiresAt: iso(row.expires_at),
  };
}
