import assert from 'node:assert/strict';
import { PROBLEMS, type ProblemCode } from '../../gateway/base/problem.js';
import { REMEDIES } from '../../gateway/base/problem-remedies.js';
import { type OpenPortal, openPortal } from './open-portal.js';

const CODES = Object.keys(PROBLEMS) as ProblemCode[];
/** As a page shows it: `names` as code, the rest escaped. */
const shown = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
    .replace(/`([^`]*)`/g, '<code>$1</code>');

describe('portal/problem-pages', () => {
  let portal: OpenPortal;
  before(async () => (portal = await openPortal(() => Promise.resolve())));
  after(() => portal.close());

  it('explains every refusal that the gateway can utter, in both languages', async () => {
    for (const code of CODES) {
      const response = await portal.get(`/problems/${code}`);
      const page = await response.text();
      assert.equal(response.status, 200, code);
      const { status, title } = PROBLEMS[code];
      const { meaning, remedy } = REMEDIES[code];
      assert.ok(page.includes(`<span class="status">${status}</span>`), code);
      for (const text of [title.vi, title.en, meaning.vi, meaning.en, remedy.vi, remedy.en])
        assert.ok(page.includes(shown(text)), `${code}: ${text}`);
    }
  });

  it('lists each exactly once, in the order of the statuses', async () => {
    const page = await portal.page('/problems/');
    const listed = [...page.matchAll(/href="\/problems\/([a-z_]+)\?lang=vi"/g)].map(
      ([, code]) => code as ProblemCode,
    );
    assert.deepEqual([...listed].sort(), [...CODES].sort());
    const statuses = listed.map((code) => PROBLEMS[code].status);
    assert.deepEqual(
      statuses,
      [...statuses].sort((a, b) => a - b),
    );
  });

  const languages: readonly [string, string | undefined, string][] = [
    ['', undefined, 'vi'],
    ['', 'en-US,en;q=0.9', 'en'],
    ['', 'vi-VN,vi;q=0.9,en;q=0.8', 'vi'],
    ['', 'fr', 'vi'],
    ['?lang=vi', 'en', 'vi'],
    ['?lang=en', 'vi', 'en'],
    ['?lang=xx', 'en', 'vi'],
  ];
  for (const [query, accepted, language] of languages) {
    it(`speaks ${language} for ${query || 'no choice'} and ${accepted ?? 'no header'}`, async () => {
      const headers: Record<string, string> = accepted === undefined ? {} : { 'accept-language': accepted };
      const response = await portal.get(`/problems/token_expired${query}`, headers);
      assert.equal(response.headers.get('content-language'), language);
      assert.equal(response.headers.get('vary'), 'Accept-Language');
      assert.ok(
        (await response.text()).includes(`<h1>${PROBLEMS.token_expired.title[language as 'vi']}</h1>`),
      );
    });
  }

  for (const code of ['nothing', 'constructor', '__proto__', 'token_missing%00'])
    it(`has no page for ${code}`, async () =>
      assert.equal((await portal.get(`/problems/${code}`)).status, 404));

  it('says what a refusal rests on, while that is in force', async () => {
    assert.ok(
      !(await portal.page('/problems/client_locked')).includes('Căn cứ pháp lý'),
      'an empty registry',
    );
    const dates = { created_at: 0, updated_at: 0 };
    await portal.database.knex('legal_bases').insert({
      ...{ id: '491-qd-ubnd', number: '491/QĐ-UBND', title: 'Quy chế <thử>', issuer: 'UBND tỉnh' },
      ...{ kind: 'quyet_dinh', valid_from: '2025-03-11', search: '', ...dates },
    });
    await portal.database.knex('legal_clauses').insert({
      ...{ basis_id: '491-qd-ubnd', id: 'd7.3', label: 'Điều 7 khoản 3', summary: 'Tài khoản', position: 0 },
    });
    await portal.database.knex('changes').insert({ noun: 'legal_basis', key: '491-qd-ubnd', at: 0 });
    await portal.catalogue.refresh();
    const page = await portal.page('/problems/client_locked?lang=en');
    assert.match(
      page,
      /<h2>Legal basis<\/h2><ul><li>Điều 7 khoản 3, <strong>491\/QĐ-UBND<\/strong> – Quy chế &lt;thử&gt;<\/li>/,
    );
    assert.ok(!(await portal.page('/problems/token_missing')).includes('Căn cứ pháp lý'));
  });
});
