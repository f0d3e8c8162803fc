import assert from 'node:assert/strict';
import { addAgency, addService } from '../kit/province.js';
import { type OpenPortal, openPortal, titlesIn } from './open-portal.js';

const SOURCE = 'http://127.0.0.1:9';
const HOSTILE = `<script>alert("x")</script>'"><img src=x onerror=alert(1)>`;

/** Every tag as a browser would see it, with the values of its attributes left out. */
function tagsIn(page: string): string[] {
  const tags = page.match(/<[a-z!/](?:"[^"]*"|'[^']*'|[^"'>])*>/gi) ?? [];
  return tags.map((tag) => tag.replaceAll(/"[^"]*"|'[^']*'/g, '""'));
}

describe('portal/catalogue-page', () => {
  let portal: OpenPortal;

  before(async () => {
    portal = await openPortal(async (database) => {
      await addAgency(database, 'H35.11', { name: 'Sở Nội vụ' });
      await addAgency(database, 'H35.12', { name: 'Sở Đất đai' });
      await addAgency(database, 'H35.13', { name: 'Ban Dân tộc', alias: '000.00.13.H35' });
      const add = (
        provider: string,
        slug: string,
        title: string,
        more: Parameters<typeof addService>[2] = {},
      ): Promise<string> =>
        addService(database, SOURCE, { ...more, provider, slug, manifest: { title, ...more.manifest } });
      await add('H35.11', 'dvhc', 'Đơn vị hành chính', { manifest: { description: 'Tra cứu xã, phường' } });
      await add('H35.11', 'can-bo', 'Ăn mòn công trình', { sharing: 'special' });
      await add('H35.11', 'am-nhac', 'Âm nhạc dân gian', { state: 'suspended' });
      await add('H35.12', 'hostile', HOSTILE, { manifest: { description: HOSTILE, contact: HOSTILE } });
      await add('H35.13', 'cu', 'Dân tộc thiểu số', { state: 'retired' });
      await add('H35.13', 'nhap', 'Bản nháp bí mật', { state: 'draft' });
    });
  });
  after(() => portal.close());

  it('leads from / to the list and keeps the language', async () => {
    const [plain, english] = [await portal.get('/'), await portal.get('/?lang=en')];
    assert.deepEqual([plain.status, plain.headers.get('location')], [302, '/docs/']);
    assert.equal(english.headers.get('location'), '/docs/?lang=en');
  });

  it('lists by agency, then by title, as Vietnamese dictionaries do', async () => {
    const page = await portal.page('/docs/');
    assert.deepEqual(
      titlesIn(page).filter((title) => !title.includes('script')),
      ['Dân tộc thiểu số', 'Ăn mòn công trình', 'Âm nhạc dân gian', 'Đơn vị hành chính'],
    );
    const agencies = [...page.matchAll(/<h2 id="group-\d+">([^<]*) </g)].map(([, name]) => name);
    assert.deepEqual(agencies, ['Ban Dân tộc', 'Sở Đất đai', 'Sở Nội vụ']);
  });

  const searches: readonly [string, string, string[]][] = [
    ['accents left out', 'q=don+vi+hanh', ['Đơn vị hành chính']],
    ['accents given', 'q=%C4%90%C6%A0N+V%E1%BB%8A', ['Đơn vị hành chính']],
    ['words in any order, in title and agency', 'q=noi+vu+nhac', ['Âm nhạc dân gian']],
    ['a word that is being typed', 'q=hanh+ch', ['Đơn vị hành chính']],
    ['words that stand together rather than apart', 'q=an+m', ['Ăn mòn công trình']],
    ['the beginning of a word, never its middle', 'q=anh', []],
    ['the identifier', 'q=h35.11%2Fdvhc', ['Đơn vị hành chính']],
    ['a word of the description', 'q=phuong', ['Đơn vị hành chính']],
    ['the form of sharing', 'sharing=special', ['Ăn mòn công trình']],
    ['the provider', 'provider=H35.13', ['Dân tộc thiểu số']],
    ['both, with nothing left', 'provider=H35.13&sharing=special', []],
    ['a form of sharing that does not exist', 'sharing=secret&provider=H35.13', ['Dân tộc thiểu số']],
    ['nothing but blanks', 'q=++&provider=H35.13', ['Dân tộc thiểu số']],
    ['letters that are special elsewhere', 'q=%25.*%5B', []],
    ['a draft', 'q=bi+mat', []],
    ['a page past the last', 'page=999999&provider=H35.13', ['Dân tộc thiểu số']],
    ['a page that is no number', 'page=-1&provider=H35.13', ['Dân tộc thiểu số']],
  ];
  for (const [what, query, expected] of searches) {
    it(`finds by ${what}`, async () => {
      assert.deepEqual(titlesIn(await portal.page(`/docs/?${query}`)), expected);
    });
  }

  it('survives a query that is given twice', async () => {
    assert.equal((await portal.get('/docs/?lang=en&lang=vi&sharing=a')).status, 200);
  });

  it('says that nothing matches, and how to see everything again', async () => {
    const page = await portal.page('/docs/?q=zzz');
    assert.match(page, /Không có dịch vụ nào khớp/);
    assert.match(page, /<a href="\/docs\/">Bỏ điều kiện lọc<\/a>/);
    assert.match(page, /role="status">0 dịch vụ</);
  });

  it('shows what a caller must know of each service', async () => {
    const page = await portal.page('/docs/?q=am+nhac');
    for (const said of [
      'Tạm dừng từ 01/08/2025',
      'Chia sẻ mặc định',
      'Dùng trong cơ quan nhà nước',
      '<dd>1.0.0</dd>',
      '<code>/data/H35.11/am-nhac/v1</code>',
      'data-copy="https://lgsp.example/data/H35.11/am-nhac/v1"',
      'href="/docs/H35.11/am-nhac/v1"',
    ])
      assert.ok(page.includes(said), said);
  });

  it('names the other states', async () => {
    assert.match(await portal.page('/docs/?q=dan+toc+thieu'), /Ngừng cung cấp/);
    assert.match(await portal.page('/docs/?q=don+vi'), /Đang cung cấp/);
  });

  for (const path of ['/docs/', '/docs/H35.12/hostile/v1', `/docs/?q=${encodeURIComponent(HOSTILE)}`]) {
    it(`never lets a value become markup: ${path.slice(0, 30)}`, async () => {
      const page = await portal.page(path);
      assert.ok(page.includes('&lt;script&gt;alert(&quot;x&quot;)'), 'the hostile title is shown');
      const tags = tagsIn(page);
      assert.deepEqual(
        [...new Set(tags.filter((tag) => tag.startsWith('<script')))],
        ['<script src="" defer>'],
      );
      assert.equal(tags.filter((tag) => tag.startsWith('<img')).length, 1);
      assert.deepEqual(
        tags.filter((tag) => / (?:on[a-z]+|style|srcdoc)\b/.test(tag)),
        [],
      );
    });
  }

  it('speaks English when asked, and stays in it', async () => {
    const response = await portal.get('/docs/?lang=en&q=don+vi');
    const page = await response.text();
    assert.equal(response.headers.get('content-language'), 'en');
    assert.match(page, /<html lang="en">/);
    assert.match(page, /In service/);
    const inside = [...page.matchAll(/<a [^>]*href="(\/(?:docs|problems)[^"]*)"([^>]*)>/g)];
    const lost = inside.filter(
      ([, href, rest]) => !href!.includes('lang=en') && !rest!.includes('hreflang="vi"'),
    );
    assert.deepEqual(
      lost.map(([, href]) => href),
      [],
    );
    assert.match(page, /<input type="hidden" name="lang" value="en">/);
    assert.match(page, /href="\/docs\/\?q=don\+vi" hreflang="vi"/);
  });

  it('is a page that may load nothing from elsewhere and run nothing inline', async () => {
    const response = await portal.get('/docs/');
    const page = await response.text();
    assert.ok(page.startsWith('<!doctype html>'));
    assert.match(page, /<meta charset="utf-8">/);
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    const policy = response.headers.get('content-security-policy') ?? '';
    for (const rule of [
      "default-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "form-action 'self'",
    ])
      assert.ok(policy.includes(rule), rule);
    assert.doesNotMatch(policy, /unsafe|\*|data:/);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
    assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
    assert.doesNotMatch(page, /<style/);
  });

  it('has a label for every field, and every script and style sheet that it names', async () => {
    const page = await portal.page('/docs/');
    for (const [, id] of page.matchAll(/<(?:input|select) id="([^"]+)"/g))
      assert.ok(page.includes(`<label for="${id}">`), id);
    const files = [...page.matchAll(/(?:src|href)="(\/docs\/assets\/[^"]+)"/g)].map(([, file]) => file!);
    assert.ok(files.length >= 4);
    for (const file of files) assert.equal((await portal.get(file)).status, 200, file);
  });

  it('gives three commands that work when pasted, for a service that anybody may call', async () => {
    const page = await portal.page('/docs/');
    assert.match(page, /-d grant_type=client_credentials \\\n {2}https:\/\/lgsp\.example\/oidc\/token/);
    assert.equal(page.match(/<div class="command">/g)?.length, 3);
  });

  it('shows a new state as soon as the catalogue knows of it', async () => {
    await portal.database.knex('services').where({ id: 'H35.11/dvhc/v1' }).update({ state: 'suspended' });
    await portal.database.knex('changes').insert({ noun: 'service', key: 'H35.11/dvhc/v1', at: 0 });
    await portal.catalogue.refresh();
    assert.match(await portal.page('/docs/?q=don+vi'), /Tạm dừng/);
  });
});

describe('portal/catalogue-page, in numbers', () => {
  it('says so when nothing is published', async () => {
    const portal = await openPortal(() => Promise.resolve());
    try {
      const page = await portal.page('/docs/');
      assert.match(page, /Chưa có dịch vụ nào được công bố/);
      assert.doesNotMatch(page, /Bỏ điều kiện lọc/);
    } finally {
      await portal.close();
    }
  });

  for (const [count, pages] of [
    [50, 1],
    [51, 2],
  ] as const) {
    it(`shows ${count} services on ${pages} page(s)`, async () => {
      const portal = await openPortal(async (database) => {
        await addAgency(database, 'H35.11');
        for (let i = 1; i <= count; i += 1)
          await addService(database, SOURCE, { slug: `s-${i}`, manifest: { title: `Dịch vụ ${i}` } });
      });
      try {
        const first = await portal.page('/docs/?sharing=default');
        assert.deepEqual(
          titlesIn(first),
          Array.from({ length: 50 }, (_, i) => `Dịch vụ ${i + 1}`),
        );
        assert.equal(first.includes('rel="next"'), pages === 2);
        if (pages === 1) return;
        assert.ok(first.includes('href="/docs/?sharing=default&amp;page=2"'));
        const second = await portal.page('/docs/?page=2');
        assert.deepEqual(titlesIn(second), ['Dịch vụ 51']);
        assert.ok(second.includes('rel="prev"') && !second.includes('rel="next"'));
      } finally {
        await portal.close();
      }
    });
  }
});
