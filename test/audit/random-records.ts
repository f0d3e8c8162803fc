import fc from 'fast-check';
import type { AuditRecord } from '../../gateway/audit/record.js';
import type { Unit } from '../../gateway/audit/search/calendar.js';
import type { SummaryQuery } from '../../gateway/audit/search/summary.js';
import type { RecordFilters, RecordScope } from '../../gateway/audit/search/terms.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { aRecord } from './records.js';

const HOUR = 3_600_000;
/** Midnight of 1 January in Asia/Ho_Chi_Minh. */
const START = Date.UTC(2025, 11, 31, 17);
export const ALL: RecordScope = { all: true };

const FIELDS = {
  agency: ['H35.1', 'H35.2'],
  system: ['s1', 's2'],
  provider: ['H35.8', 'H35.9'],
  service: ['don-vi', 'ho-so'],
  version: ['v1', 'v2'],
  operation: ['tim', 'nop'],
  grant: ['pd-1', undefined],
  user: ['cb01', undefined],
  case: ['HS-1', undefined],
} as const;

export const oneOf = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Times gather at the beginnings of hours, days and months. */
export const time = fc
  .tuple(oneOf([0, 31 * 24, 59 * 24, 24, 48, 1, 7 * 24, 30 * 24 + 5]), fc.integer({ min: -HOUR, max: HOUR }))
  .map(([hours, ms]) => START + hours * HOUR + oneOfNear(ms));

function oneOfNear(ms: number): number {
  return Math.abs(ms) < HOUR / 4 ? 0 : ms;
}

export const record: fc.Arbitrary<AuditRecord> = fc
  .record({
    time,
    ending: oneOf([
      { outcome: 'answered', status: 200 },
      { outcome: 'refused', status: 403, code: 'grant_required' },
      { outcome: 'failed', status: 504, code: 'source_timeout' },
      { outcome: 'aborted' },
    ] as const),
    fields: fc.record(
      Object.fromEntries(Object.entries(FIELDS).map(([name, values]) => [name, oneOf<unknown>(values)])),
    ),
    admin: fc.boolean(),
  })
  .map(({ time: at, ending, fields, admin }) => {
    const change = { ...fields, ...ending, received: new Date(at).toISOString(), id: uuidv7(at) };
    return aRecord({
      ...change,
      ...(admin ? { plane: 'admin', target: { noun: 'system', key: 's1' } } : {}),
    });
  });

export const query: fc.Arbitrary<SummaryQuery> = fc.record(
  {
    from: time,
    to: time,
    interval: oneOf<Unit>(['hour', 'day', 'month']),
    ...Object.fromEntries(
      Object.entries(FIELDS).map(([name, values]) => [
        name,
        oneOf(values.filter((value) => value !== undefined)),
      ]),
    ),
    outcome: oneOf([['answered'], ['refused', 'failed'], 'aborted'] as const),
    code: oneOf(['grant_required', 'source_timeout']),
    status: oneOf([200, 403]),
    plane: oneOf(['data', 'admin'] as const),
    noun: oneOf(['system']),
  },
  { requiredKeys: [] },
);

export const scope: fc.Arbitrary<RecordScope> = oneOf<RecordScope>([
  ALL,
  ALL,
  { provider: 'H35.8' },
  { agency: 'H35.1' },
]);

export function meets(one: AuditRecord, asked: SummaryQuery, seen: RecordScope): boolean {
  const at = Date.parse(one.received);
  if (asked.from !== undefined && at < asked.from) return false;
  if (asked.to !== undefined && at >= asked.to) return false;
  if ('provider' in seen && one.provider !== seen.provider) return false;
  if ('agency' in seen && one.agency !== seen.agency) return false;
  for (const name of [...Object.keys(FIELDS), 'code', 'status', 'plane'] as (keyof RecordFilters &
    keyof AuditRecord)[])
    if (asked[name] !== undefined && one[name] !== asked[name]) return false;
  if (asked.noun !== undefined && one.target?.noun !== asked.noun) return false;
  return asked.outcome === undefined || [asked.outcome].flat().includes(one.outcome ?? 'aborted');
}
