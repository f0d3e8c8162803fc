import type { SummaryQuery } from '../gateway/audit/search/summary.js';
import { END, START } from './audit-records.js';

const DAY = 86_400_000;
const MONTH = { from: END - 30 * DAY, to: END };

/** What auditors ask: wide and narrow, what is frequent and what is rare, alone and together. */
export const SEARCHES: readonly (readonly [name: string, query: SummaryQuery])[] = [
  ['everything', {}],
  ['the service that has 95 %', { service: 'dan-cu' }],
  ['the client that makes 94 %, refused', { system: 'mot-cua-tinh', outcome: 'refused' }],
  ['a month, failed', { ...MONTH, outcome: 'failed' }],
  ['a rare operation of the frequent service', { service: 'dan-cu', operation: 'xacNhan' }],
  [
    'a code of one agency, in a stretch of odd minutes',
    { agency: 'H35.3', code: 'grant_required', from: START + 12_345_678, to: END - 7_654_321 },
  ],
  ['one person', { user: 'cb-000123' }],
  ['one case', { case: 'HS-0000777' }],
  ['a grant, one day', { grant: 'pd-2026-0002', from: END - 9 * DAY, to: END - 8 * DAY }],
  ['a rare client of a rare service', { system: 'he-thong-17', service: 'dat-dai', status: 200 }],
];
