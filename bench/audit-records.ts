import { createHash } from 'node:crypto';
import type { AuditRecord } from '../gateway/audit/record.js';
import { newTraceId, uuidv7 } from '../gateway/base/ids.js';

/** Six months of a province. */
export const START = Date.UTC(2026, 0, 1);
export const END = Date.UTC(2026, 6, 1);

/** The same numbers at every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const REFUSALS = [
  ['rate_limited', 429],
  ['grant_required', 403],
  ['request_invalid', 400],
  ['operation_not_granted', 403],
] as const;
const RARE_SERVICES = ['dat-dai', 'ho-tich', 'doanh-nghiep', 'bao-tro', 'y-te', 'giao-duc', 'thue', 'xe'];
const digest = createHash('sha256').update('x').digest('base64url');

const pad = (value: number, length: number): string => String(value).padStart(length, '0');

/** Working hours have ten times the calls of the night. */
function pace(at: number): number {
  const hour = (new Date(at).getUTCHours() + 7) % 24;
  return hour >= 7 && hour < 17 ? 1 : 10;
}

/**
 * Calls as a real province makes them: one service has 95 % of them, one client 94 %; one in fifty is refused, one in two
 * hundred fails; three of four name an official, half a case.
 */
export function* provinceRecords(count: number): Generator<AuditRecord, undefined> {
  const next = numbers(1);
  // So that the last call comes at the end of the six months, nights passed over in longer steps.
  const step = (1.08 * (END - START)) / count;
  let at = START;
  for (let i = 0; i < count; i += 1) {
    at = Math.min(at + step * pace(at) * next() * 0.88, END - 1);
    const big = next() < 0.94;
    const client = Math.floor(next() * 40);
    const frequent = next() < 0.95;
    const fate = next();
    const [code, status] = REFUSALS[Math.floor(next() * REFUSALS.length)] ?? REFUSALS[0];
    const received = Math.floor(at);
    yield {
      v: 1,
      id: uuidv7(received),
      kind: 'closing',
      plane: 'data',
      received: new Date(received).toISOString(),
      released: new Date(received + 20).toISOString(),
      sourceMs: 12.5,
      agency: big ? 'H35.1' : `H35.${2 + (client % 12)}`,
      system: big ? 'mot-cua-tinh' : `he-thong-${client}`,
      ...(next() < 0.75 ? { user: `cb-${pad(Math.floor(next() ** 2 * 4000), 6)}` } : {}),
      ...(next() < 0.5 ? { case: `HS-${pad(Math.floor(next() * count), 7)}` } : {}),
      address: `10.35.${client}.7`,
      tokenId: uuidv7(received),
      keyId: 'k-1',
      provider: frequent ? 'H35.8' : 'H35.9',
      service: frequent ? 'dan-cu' : (RARE_SERVICES[Math.floor(next() * RARE_SERVICES.length)] ?? 'xe'),
      version: 'v1',
      operation: next() < 0.0005 ? 'xacNhan' : next() < 0.8 ? 'traCuu' : 'chiTiet',
      sharing: 'special',
      method: 'GET',
      path: '/nguoi/{ma}',
      grant: `pd-2026-${pad(big ? 1 : 2 + client, 4)}`,
      ...ending(fate, code, status),
      bytesIn: 0,
      bytesOut: 950,
      responseSha256: digest,
      trace: newTraceId(received),
      node: 'nut-1',
    };
  }
  return undefined;
}

function ending(fate: number, code: string, status: number): Partial<AuditRecord> {
  if (fate < 0.02) return { outcome: 'refused', stage: 'authorise', code, status };
  if (fate < 0.025) return { outcome: 'failed', stage: 'forward', code: 'source_timeout', status: 504 };
  return { outcome: 'answered', stage: 'check-response', status: 200, success: true };
}
