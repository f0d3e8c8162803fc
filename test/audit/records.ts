import { uuidv7 } from '../../gateway/base/ids.js';
import type { AuditRecord } from '../../gateway/audit/record.js';

/** 2026-01-05T01:02:03Z. */
export const T0 = Date.UTC(2026, 0, 5, 1, 2, 3);

/** The record of an answered call, with what a test changes in it. */
export function aRecord(change: Partial<AuditRecord> = {}): AuditRecord {
  return {
    v: 1,
    id: uuidv7(T0),
    kind: 'closing',
    plane: 'data',
    received: new Date(T0).toISOString(),
    agency: 'H35.61',
    system: 'mot-cua-pu-sam-cap',
    provider: 'H35.9',
    service: 'don-vi-hanh-chinh',
    version: 'v1',
    operation: 'searchUnits',
    method: 'GET',
    path: '/units/{code}',
    outcome: 'answered',
    stage: 'record',
    status: 200,
    success: true,
    ...change,
  };
}
