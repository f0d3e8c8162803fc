import assert from 'node:assert/strict';
import { claimedBy } from '../../gateway/identity/claimed.js';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = (payload: unknown, header: object = {}): string =>
  `Bearer ${part({ alg: 'ES256', ...header })}.${part(payload)}.AAAA`;
const ISS = 'https://xac-thuc.example';

describe('what a refused token says of itself', () => {
  const cases: readonly (readonly [what: string, header: string | undefined, found: object | undefined])[] = [
    ['nothing sent', undefined, undefined],
    ['no token', 'Bearer not.a.token', undefined],
    ['another scheme', 'Basic YTpi', undefined],
    [
      'all of it',
      token({ client_id: 'mot-cua', iss: ISS }, { kid: 'k1' }),
      { client: 'mot-cua', issuer: ISS, kid: 'k1' },
    ],
    ['azp in place of client_id', token({ azp: 'app-7' }), { client: 'app-7' }],
    ['a proof of possession', token({ client_id: 'a' }).replace('Bearer', 'DPoP'), { client: 'a' }],
    ['a client of 64 characters', token({ client_id: 'a'.repeat(64) }), { client: 'a'.repeat(64) }],
    ['a client of 65 characters', token({ client_id: 'a'.repeat(65) }), undefined],
    ['a client that is no name', token({ client_id: 'Nguyễn Văn A 012345678901' }), undefined],
    ['a client that is no text', token({ client_id: { a: 1 } }), undefined],
    ['an issuer with a query', token({ iss: `${ISS}/?password=x` }), undefined],
    ['an issuer with a user', token({ iss: 'https://u:p@example.vn' }), undefined],
    ['a payload that is a list', token(['a']), undefined],
    ['a header of 10,000 characters', `Bearer ${'a'.repeat(10_000)}`, undefined],
  ];
  for (const [what, header, found] of cases) it(what, () => assert.deepEqual(claimedBy(header), found));
});
