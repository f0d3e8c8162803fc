import assert from 'node:assert/strict';
import { loadConfig } from '../../gateway/base/config.js';
import { withinHours } from '../../gateway/base/hours.js';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { signsOf } from '../../gateway/security/signs.js';
import { median, unusualFrom } from '../../gateway/security/volume.js';
import { aRecord } from '../audit/records.js';

describe('an unusual volume', () => {
  const { volume } = loadConfig({}).security;
  const cases: readonly (readonly [what: string, history: number[], from: number | null])[] = [
    ['nothing known', [], null],
    ['one week known', [1000], null],
    ['two weeks known', [1000, 2000], 7500],
    ['a quiet system', [0, 0, 0, 0], 500],
    ['at the floor', [100, 100, 100, 100], 500],
    ['above the floor', [101, 101, 101, 101], 505],
    ['one odd week does not move it', [1000, 1000, 1000, 900_000], 5000],
  ];
  for (const [what, history, from] of cases)
    it(`${what}: from ${from}`, () => assert.equal(unusualFrom(history, volume), from));
  it('takes the middle of any order', () =>
    assert.deepEqual([median([3, 1, 2]), median([4, 1, 3, 2])], [2, 2.5]));
});

describe('declared hours', () => {
  const office = { days: [1, 2, 3, 4, 5], from: '07:00', to: '18:00' };
  const night = { days: [7], from: '22:00', to: '02:00' };
  // 2026-01-05 is a Monday; the times are those of Vietnam.
  const cases: readonly (readonly [hours: typeof office, time: string, within: boolean])[] = [
    [office, '2026-01-05T06:59', false],
    [office, '2026-01-05T07:00', true],
    [office, '2026-01-05T17:59', true],
    [office, '2026-01-05T18:00', false],
    [office, '2026-01-04T12:00', false],
    [night, '2026-01-04T21:59', false],
    [night, '2026-01-04T22:00', true],
    [night, '2026-01-05T01:59', true],
    [night, '2026-01-05T02:00', false],
    [night, '2026-01-04T01:00', false],
    [{ days: [1], from: '00:00', to: '24:00' }, '2026-01-05T23:59', true],
    [{ days: [1], from: '00:00', to: '24:00' }, '2026-01-06T00:00', false],
  ];
  for (const [hours, time, within] of cases)
    it(`${time} is ${within ? '' : 'not '}within ${hours.days.join()} ${hours.from}–${hours.to}`, () =>
      assert.equal(withinHours(hours, Date.parse(`${time}:00+07:00`)), within));
});

describe('what a record is a sign of', () => {
  const refused = (change: Partial<AuditRecord>): AuditRecord => {
    const {
      system: _,
      agency: __,
      ...rest
    } = aRecord({ outcome: 'refused', address: '203.0.113.7', ...change });
    return change.system === undefined ? rest : { ...rest, system: change.system };
  };
  const request = (key: string, error: string) => ({
    code: 'client_refused',
    target: { noun: 'token_request', key, after: { error } },
  });
  const counted = (codes: Record<string, number>, reasons: object): AuditRecord => {
    const count = Object.values(codes).reduce((sum, n) => sum + n, 0);
    return refused({ target: { noun: 'refusals', key: '203.0.113.7', after: { count, codes, reasons } } });
  };
  const A = 'address:203.0.113.7';
  const cases: readonly (readonly [what: string, record: AuditRecord, signs: string[]])[] = [
    ['an answer', aRecord(), []],
    ['no token', refused({ code: 'token_missing' }), [`refused_flood ${A}`]],
    ['an expired token', refused({ code: 'token_expired' }), [`refused_flood ${A}`]],
    [
      'a changed token',
      refused({ code: 'token_invalid', reason: 'signature', claimed: { client: 'c' } }),
      [`refused_flood ${A}`, `guessing ${A}`, 'guessing account:c'],
    ],
    [
      'a foreign token',
      refused({ code: 'token_invalid', reason: 'issuer' }),
      [`refused_flood ${A}`, `foreign_token ${A}`],
    ],
    [
      'a wrong secret',
      refused(request('c', 'invalid_client')),
      [`refused_flood ${A}`, `guessing ${A}`, 'guessing account:c'],
    ],
    [
      'a wrong secret of nobody',
      refused(request('unknown', 'invalid_client')),
      [`refused_flood ${A}`, `guessing ${A}`],
    ],
    ['a refused resource', refused(request('c', 'invalid_target')), [`refused_flood ${A}`]],
    [
      'a wrong password',
      refused({ code: 'sign_in_refused', user: 'lan' }),
      [`refused_flood ${A}`, `guessing ${A}`, 'guessing account:lan'],
    ],
    ['a refused system', refused({ code: 'grant_required', system: 's' }), ['refused_flood system:s']],
    [
      'counted refusals',
      refused({
        target: {
          noun: 'refusals',
          key: '203.0.113.7',
          after: { count: 9, codes: { token_invalid: 4, token_missing: 5 } },
        },
      }),
      [`refused_flood ${A}`, `guessing ${A}`],
    ],
    [
      'counted refusals of foreign tokens',
      counted({ token_invalid: 4 }, { token_invalid: { issuer: 3, key: 1 } }),
      [`refused_flood ${A}`, `foreign_token ${A}`],
    ],
    [
      'counted refusals of a client that may not',
      counted({ client_refused: 4 }, { client_refused: { invalid_scope: 4 } }),
      [`refused_flood ${A}`],
    ],
  ];
  for (const [what, record, signs] of cases)
    it(what, () =>
      assert.deepEqual(
        signsOf(record).map(({ kind, subject }) => `${kind} ${subject}`),
        signs,
      ),
    );
  it('counts each refusal as one sign of its kind', () => {
    const reasons = {
      token_invalid: { issuer: 3, signature: 2 },
      client_refused: { invalid_client: 1, invalid_scope: 5 },
    };
    const record = counted({ token_invalid: 7, client_refused: 6, token_expired: 1 }, reasons);
    assert.deepEqual(
      signsOf(record).map(({ kind, count }) => [kind, count]),
      [
        ['refused_flood', 14],
        ['foreign_token', 3],
        ['guessing', 5],
      ],
    );
  });
});
