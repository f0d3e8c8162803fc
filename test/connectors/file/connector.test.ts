import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execFileSync } from 'node:child_process';
import { type ConnectorRequest, SourceError } from '../../../connectors/connector.js';
import { DataSet } from '../../../connectors/file/data-set.js';
import { FileSettingsSchema } from '../../../connectors/file/settings.js';
import { createConnector } from '../../../connectors/registry.js';
import { Problem } from '../../../gateway/base/problem.js';
import { call, context, facts, forever, openEgress } from '../context.js';

const ROWS = [
  { ma: '03532', ten: 'Noong Hẻo', cap: 1, tu: '', den: '2025-06-30' },
  { ma: '03532', ten: 'Pu Sam Cáp', cap: 1, tu: '2025-07-01', den: null },
  { ma: 'H35.2', ten: 'Điện Biên', cap: 2, tu: '20200101', den: '31/12/2020' },
  { ma: 'H35.10', ten: 'Ánh Sáng', cap: 2, tu: 'không rõ', den: '' },
];

const CSV = `\uFEFFma;ten;cap\n03532;"Noong ""Hẻo"";\nxã";1\n\nH35.2; Điện Biên ;2\n`;

describe('file connector', () => {
  let folder = '';
  before(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'lgsp-file-')));
    writeFileSync(join(folder, 'rows.json'), JSON.stringify(ROWS));
    writeFileSync(join(folder, 'inner.json'), JSON.stringify({ data: { items: ROWS } }));
    writeFileSync(join(folder, 'rows.csv'), CSV);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const egress = () => openEgress({ folders: [folder] });

  async function ask(
    binding: Record<string, unknown>,
    query: Record<string, unknown> = {},
    more: Partial<ConnectorRequest> = {},
    settings: Record<string, unknown> = {},
  ) {
    const connector = createConnector(
      {
        kind: 'file',
        settings: { path: join(folder, 'rows.json'), format: 'json', ...settings },
        operations: { op: binding },
        facts: [facts()],
      },
      context({ egress: egress() }),
    );
    const { body, status, headers } = await connector.call(call({ query, ...more }), forever());
    return { status, headers, json: JSON.parse(body.toString()) as unknown };
  }

  const fields = { ten: 'ten' };
  const names = async (filters: Record<string, unknown>, query: Record<string, unknown>): Promise<string[]> =>
    ((await ask({ list: true, filters, fields }, query)).json as { ten: string }[]).map(({ ten }) => ten);

  const valid = { ngay: { match: 'valid-at', from: 'tu', to: 'den' } };
  const exclusive = { ngay: { ...valid.ngay, end: 'exclusive' } };
  const cases: readonly [
    title: string,
    filters: Record<string, unknown>,
    query: Record<string, unknown>,
    expected: string[],
  ][] = [
    ['everything', {}, {}, ['Noong Hẻo', 'Pu Sam Cáp', 'Điện Biên', 'Ánh Sáng']],
    [
      'a parameter that was not sent',
      { t: { match: 'equals', field: 'ten' } },
      {},
      ['Noong Hẻo', 'Pu Sam Cáp', 'Điện Biên', 'Ánh Sáng'],
    ],
    ['equals', { t: { match: 'equals', field: 'ten' } }, { t: 'Noong Hẻo' }, ['Noong Hẻo']],
    ['equals is exact', { t: { match: 'equals', field: 'ten' } }, { t: 'noong heo' }, []],
    ['equals a number', { c: { match: 'equals', field: 'cap' } }, { c: 2 }, ['Điện Biên', 'Ánh Sáng']],
    ['contains', { t: { match: 'contains', field: 'ten' } }, { t: 'Hẻo' }, ['Noong Hẻo']],
    ['prefix', { m: { match: 'prefix', field: 'ma' } }, { m: 'H35' }, ['Điện Biên', 'Ánh Sáng']],
    ['without accents', { t: { match: 'contains-folded', field: 'ten' } }, { t: 'dien' }, ['Điện Biên']],
    [
      'with accents that differ',
      { t: { match: 'contains-folded', field: 'ten' } },
      { t: 'ĐIÊN' },
      ['Điện Biên'],
    ],
    [
      'two filters',
      { m: { match: 'prefix', field: 'ma' }, t: { match: 'contains-folded', field: 'ten' } },
      { m: 'H35', t: 'anh' },
      ['Ánh Sáng'],
    ],
    ['a field that is not there', { m: { match: 'equals', field: 'constructor' } }, { m: 'x' }, []],
    ['the day before', valid, { ngay: '2025-06-29' }, ['Noong Hẻo']],
    ['the last day', valid, { ngay: '2025-06-30' }, ['Noong Hẻo']],
    ['the last day, exclusive', exclusive, { ngay: '2025-06-30' }, []],
    ['the first day', valid, { ngay: '2025-07-01' }, ['Pu Sam Cáp']],
    ['a compact day', valid, { ngay: '20250311' }, ['Noong Hẻo']],
    ['periods in other notations', valid, { ngay: '31/12/2020' }, ['Noong Hẻo', 'Điện Biên']],
    ['after them', valid, { ngay: '2021-01-01' }, ['Noong Hẻo']],
    ['today', { ngay: { ...valid.ngay, default: 'today' } }, {}, ['Pu Sam Cáp']],
  ];
  for (const [title, filters, query, expected] of cases)
    it(`lists ${title}`, async () => assert.deepEqual(await names(filters, query), expected));

  it('refuses a day that is none', async () => {
    await assert.rejects(
      names(valid, { ngay: 'hôm nay' }),
      (error) =>
        error instanceof Problem &&
        error.code === 'request_invalid' &&
        error.parts.errors?.[0]?.pointer === '/query/ngay',
    );
  });

  const page = { limit: 'so', offset: 'bo', number: 'trang', max: 3, default: 2 };
  const pages: readonly [query: Record<string, unknown>, expected: string[]][] = [
    [{}, ['H35.10', 'H35.2']],
    [{ so: 1 }, ['H35.10']],
    [{ so: 0 }, []],
    [{ so: 99 }, ['H35.10', 'H35.2', '03532']],
    [{ so: 1, bo: 1 }, ['H35.2']],
    [{ bo: 4 }, []],
    [{ trang: 2 }, ['03532', '03532']],
    [{ trang: 0 }, ['H35.10', 'H35.2']],
  ];
  for (const [query, expected] of pages)
    it(`pages ${JSON.stringify(query)}`, async () => {
      const { json } = await ask(
        { list: true, sort: { by: 'ten' }, page, wrap: { items: 'data', total: 'tong' } },
        query,
      );
      const { data, tong } = json as { data: { ma: string; ten: string }[]; tong: number };
      assert.equal(tong, 4);
      assert.equal(data.length, expected.length);
    });

  for (const query of [{ so: -1 }, { so: 'x' }, { bo: 1.5 }])
    it(`refuses the page ${JSON.stringify(query)}`, () =>
      assert.rejects(ask({ list: true, page }, query), Problem));

  for (const [order, expected] of [
    ['asc', ['Ánh Sáng', 'Điện Biên', 'Noong Hẻo', 'Pu Sam Cáp']],
    ['desc', ['Pu Sam Cáp', 'Noong Hẻo', 'Điện Biên', 'Ánh Sáng']],
  ] as const)
    it(`sorts ${order} as Vietnamese does`, async () => {
      const { json } = await ask({ list: true, sort: { by: 'ten', order }, fields });
      assert.deepEqual(
        (json as { ten: string }[]).map(({ ten }) => ten),
        expected,
      );
    });

  const one = { one: { by: 'ma', param: 'ma' }, filters: valid };
  for (const [ma, ngay, status, ten] of [
    ['03532', '2025-03-11', 200, 'Noong Hẻo'],
    ['03532', '2025-08-01', 200, 'Pu Sam Cáp'],
    ['99999', '2025-08-01', 404, undefined],
  ] as const)
    it(`finds ${ma} on ${ngay}: ${status}`, async () => {
      const answer = await ask(one, { ngay }, { path: { ma } });
      assert.equal(answer.status, status);
      assert.equal((answer.json as { ten?: string } | null)?.ten, ten);
    });

  it('fails when a key is not one row', async () => {
    await assert.rejects(
      ask({ one: { by: 'ma', param: 'ma' } }, {}, { path: { ma: '03532' } }),
      (error) => error instanceof SourceError && error.fault === 'failed',
    );
  });

  it('reads CSV: quotations, a byte order mark, blank lines', async () => {
    const { json } = await ask(
      { list: true },
      {},
      {},
      { path: join(folder, 'rows.csv'), format: 'csv', delimiter: ';' },
    );
    assert.deepEqual(json, [
      { ma: '03532', ten: 'Noong "Hẻo";\nxã', cap: '1' },
      { ma: 'H35.2', ten: 'Điện Biên', cap: '2' },
    ]);
  });

  it('finds the list inside a document', async () => {
    const { json } = await ask(
      { list: true },
      {},
      {},
      { path: join(folder, 'inner.json'), rows: '/data/items' },
    );
    assert.equal((json as unknown[]).length, 4);
  });

  it('fails on an answer that is too large', async () => {
    await assert.rejects(
      ask({ list: true }, {}, { maxResponseBytes: 50 }),
      (error) => error instanceof SourceError && error.fault === 'failed',
    );
  });

  it('fails on a row that does not fit the mapping, without quoting it', async () => {
    await assert.rejects(
      ask({ list: true, fields: { x: { from: 'ten', as: 'integer' } } }),
      (error) => error instanceof SourceError && error.fault === 'failed' && !error.message.includes('Noong'),
    );
  });

  const broken: readonly [title: string, content: string | Buffer, settings: Record<string, unknown>][] = [
    ['no JSON', '[{', {}],
    ['no list', '{"a":1}', {}],
    ['a list of something else', '[1]', {}],
    ['not UTF-8', Buffer.from([0x5b, 0xff, 0x5d]), {}],
    ['too large', JSON.stringify(ROWS), { maxBytes: 20 }],
    ['CSV with lines of other lengths', 'a,b\n1\n', { format: 'csv' }],
    ['CSV with two columns of one name', 'a,a\n1,2\n', { format: 'csv' }],
  ];
  for (const [title, content, settings] of broken)
    it(`is unreachable when the file is ${title}`, async () => {
      const path = join(folder, 'broken');
      writeFileSync(path, content);
      await assert.rejects(
        ask({ list: true }, {}, {}, { path, ...settings }),
        (error) => error instanceof SourceError && error.fault === 'unreachable',
      );
    });

  it('is unreachable when the file lies elsewhere, a pipe or a link', async () => {
    const pipe = join(folder, 'pipe');
    const link = join(folder, 'link');
    execFileSync('mkfifo', [pipe]);
    symlinkSync('/etc/hostname', link);
    for (const path of [pipe, link, '/etc/hostname', join(folder, 'none')])
      await assert.rejects(
        ask({ list: true }, {}, {}, { path }),
        (error) => error instanceof SourceError && error.fault === 'unreachable',
      );
  });
});

describe('file connector: a file that changes', () => {
  let folder = '';
  let path = '';
  let now = 0;
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'lgsp-file-')));
    path = join(folder, 'a.json');
    now = 1_000_000;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const open = () =>
    new DataSet(
      FileSettingsSchema.parse({ path, format: 'json' }),
      openEgress({ folders: [folder] }),
      () => now,
    );

  function replace(text: string): void {
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
  }

  it('is read anew, but looked at once a second at most', async () => {
    replace('[{"a":1}]');
    const data = open();
    assert.deepEqual((await data.current()).rows, [{ a: 1 }]);
    replace('[{"a":2}]');
    now += 999;
    assert.deepEqual((await data.current()).rows, [{ a: 1 }]);
    now += 1;
    assert.deepEqual((await data.current()).rows, [{ a: 2 }]);
  });

  it('is not read anew while it stays the same', async () => {
    replace('[{"a":1}]');
    const data = open();
    const { rows } = await data.current();
    now += 5000;
    assert.equal((await data.current()).rows, rows);
  });

  it('stays in use when the new version is broken, and says so until it is mended', async () => {
    replace('[{"a":1}]');
    const data = open();
    await data.current();
    assert.equal(data.fault, null);
    replace('[{"a":');
    for (let look = 0; look < 3; look += 1) {
      now += 1000;
      assert.deepEqual((await data.current()).rows, [{ a: 1 }]);
      assert.equal(data.fault, 'the file is not JSON');
    }
    replace('[{"a":3}]');
    now += 1000;
    assert.deepEqual((await data.current()).rows, [{ a: 3 }]);
    assert.equal(data.fault, null);
  });

  it('stays in use when the file goes away', async () => {
    replace('[{"a":1}]');
    const data = open();
    await data.current();
    rmSync(path);
    now += 1000;
    assert.deepEqual((await data.current()).rows, [{ a: 1 }]);
    assert.notEqual(data.fault, null);
  });

  it('is looked at once for many calls at once', async () => {
    replace('[{"a":1}]');
    const data = open();
    const versions = await Promise.all(Array.from({ length: 20 }, () => data.current()));
    assert.equal(new Set(versions).size, 1);
  });
});
