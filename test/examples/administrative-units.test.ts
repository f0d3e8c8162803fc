import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { parse } from 'yaml';
import { conversionList, convert } from '../../connectors/mapping/conversion.js';
import { SqlBindingSchema } from '../../connectors/sql/settings.js';
import { buildAdministrativeUnits, buildAgencyList } from '../../examples/lai-chau/data/build.js';
import { SAMPLE_FOLDER } from '../../examples/lai-chau/folder.js';
import { sampleAgencies } from '../../examples/lai-chau/read-yaml.js';

interface Found {
  code: string;
  name: string;
  parent_code: string | null;
  effective_from: string | null;
  effective_to: string | null;
  effective_to_basis: string | null;
  tong?: number;
}

const manifest = parse(
  readFileSync(join(SAMPLE_FOLDER, 'services/don-vi-hanh-chinh/manifest.yaml'), 'utf8'),
) as { operations: Record<string, unknown> };
const binding = (id: string) => SqlBindingSchema.parse(manifest.operations[id]);

describe('the administrative units of the sample', () => {
  let folder: string;
  let file: string;
  let database: Sqlite.Database;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'lgsp-units-'));
    file = join(folder, 'deep', 'dvhc.sqlite');
    assert.equal(buildAdministrativeUnits(file), true);
    database = new Sqlite(file, { readonly: true });
  });

  after(() => {
    database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The published statements themselves, bound as their manifest says. */
  function search(query: Record<string, unknown>): Found[] {
    const { sql, params } = binding('traCuuDonVi');
    const bound = Object.fromEntries(
      Object.entries(params).map(([name, param]) => {
        const { from, as, ...rest } = typeof param === 'string' ? { from: param } : param;
        const value = query[from.replace(/^query\./, '')];
        const converted = value === undefined ? undefined : convert(value, conversionList(as));
        return [name, converted ?? ('default' in rest ? rest.default : undefined) ?? null];
      }),
    );
    return database.prepare(sql).all(bound) as Found[];
  }

  const one = (ma: string, ngay: string | null): Found[] =>
    database.prepare(binding('layDonVi').sql).all({ ma, ngay }) as Found[];

  const dated = [
    { code: '03532', date: '2025-03-11', name: 'Noong Hẻo', parent: '108', to: '2025-06-30', basis: 'ended' },
    { code: '03532', date: '2025-06-30', name: 'Noong Hẻo', parent: '108', to: '2025-06-30', basis: 'ended' },
    { code: '03532', date: '2025-07-01', name: 'Pu Sam Cáp', parent: '12', to: null, basis: null },
    { code: '03532', date: '2025-08-01', name: 'Pu Sam Cáp', parent: '12', to: null, basis: null },
    { code: '12', date: '2025-03-11', name: 'Lai Châu', parent: null, to: null, basis: null },
    { code: '12', date: '2025-08-01', name: 'Lai Châu', parent: null, to: null, basis: null },
    { code: '108', date: '2025-06-30', name: 'Sìn Hồ', parent: '12', to: '2025-06-30', basis: 'ended' },
    { code: '01', date: '2025-06-30', name: 'Hà Nội', parent: null, to: '2025-06-30', basis: 'data_ends' },
    {
      code: '00001',
      date: '2025-03-11',
      name: 'Phúc Xá',
      parent: '001',
      to: '2025-06-30',
      basis: 'data_ends',
    },
  ];
  for (const { code, date, name, parent, to, basis } of dated) {
    it(`knows ${code} on ${date} as ${name}`, () => {
      const rows = one(code, date);
      assert.equal(rows.length, 1);
      const [row] = rows;
      assert.deepEqual(
        [row?.name, row?.parent_code, row?.effective_to, row?.effective_to_basis],
        [name, parent, to, basis],
      );
    });
  }

  for (const [code, date] of [
    ['108', '2025-07-01'],
    ['01', '2025-07-01'],
    ['99999', '2025-03-11'],
  ] as const) {
    it(`says nothing it does not know: ${code} on ${date}`, () => {
      assert.deepEqual(one(code, date), []);
    });
  }

  it('means today when no date is given', () => {
    assert.equal(one('03532', null)[0]?.name, 'Pu Sam Cáp');
  });

  const searches: { query: Record<string, unknown>; names: string[]; total: number }[] = [
    { query: { ten: 'pu sam cap', ngay: '2025-08-01' }, names: ['Pu Sam Cáp'], total: 1 },
    { query: { ten: '  PU SAM CÁP ', ngay: '2025-08-01' }, names: ['Pu Sam Cáp'], total: 1 },
    { query: { ten: 'xã pu sam', ngay: '2025-08-01' }, names: ['Pu Sam Cáp'], total: 1 },
    { query: { ten: 'doan ket', cap_tren: '12', ngay: '2025-08-01' }, names: ['Đoàn Kết'], total: 1 },
    { query: { ten: '%', ngay: '2025-08-01' }, names: [], total: 0 },
    { query: { ten: '_', ngay: '2025-08-01' }, names: [], total: 0 },
    { query: { ma: '03532', ngay: '2025-06-30' }, names: ['Noong Hẻo'], total: 1 },
    {
      query: { cap_tren: '12', loai: 'phuong', ngay: '2025-08-01' },
      names: ['Đoàn Kết', 'Tân Phong'],
      total: 2,
    },
    { query: { loai: 'tinh', ngay: '2025-03-11', gioi_han: 1, trang: 2 }, names: ['Cao Bằng'], total: 58 },
  ];
  for (const { query, names, total } of searches) {
    it(`finds by ${JSON.stringify(query)}`, () => {
      const rows = search(query);
      assert.deepEqual(
        rows.map((row) => row.name),
        names,
      );
      assert.equal(rows[0]?.tong ?? 0, total);
    });
  }

  it('holds the whole country before the reform and 31 communes of Lai Châu after it', () => {
    assert.equal(search({ ngay: '2025-06-30' })[0]?.tong, 63 + 705 + 10_599);
    assert.equal(search({ cap_tren: '12', ngay: '2025-06-30' })[0]?.tong, 8);
    assert.equal(search({ ngay: '2025-07-01' })[0]?.tong, 1 + 31);
  });

  it('never gives one code to two units on one day', () => {
    const clashes = database
      .prepare(
        `SELECT a.code FROM don_vi a JOIN don_vi b ON a.code = b.code AND a.rowid < b.rowid
          WHERE coalesce(a.effective_from, '') <= coalesce(b.effective_to, '9') AND
                coalesce(b.effective_from, '') <= coalesce(a.effective_to, '9')`,
      )
      .all();
    assert.deepEqual(clashes, []);
  });

  it('answers a look-up by code from an index', () => {
    const plan = database
      .prepare(`EXPLAIN QUERY PLAN ${binding('layDonVi').sql}`)
      .all({ ma: '03532', ngay: null }) as { detail: string }[];
    assert.match(plan.map((step) => step.detail).join(), /USING INDEX don_vi_code/);
  });

  it('leaves a file that is up to date alone, and nothing else behind', () => {
    const before = statSync(file).ino;
    assert.equal(buildAdministrativeUnits(file), false);
    assert.equal(statSync(file).ino, before);
    assert.deepEqual(readdirSync(join(folder, 'deep')), ['dvhc.sqlite']);
  });

  it('replaces a file that is not its own', () => {
    const other = join(folder, 'other.sqlite');
    writeFileSync(other, 'half a file');
    assert.equal(buildAdministrativeUnits(other), true);
    assert.equal(buildAdministrativeUnits(other), false);
  });

  it('writes the list of agencies once, in the published form', () => {
    const list = join(folder, 'co-quan.json');
    assert.equal(buildAgencyList(list), true);
    assert.equal(buildAgencyList(list), false);
    const rows = JSON.parse(readFileSync(list, 'utf8')) as Record<string, unknown>[];
    assert.equal(rows.length, sampleAgencies().length);
    assert.deepEqual(
      rows.find((row) => row['maDinhDanh'] === 'H35.41'),
      {
        maDinhDanh: 'H35.41',
        maCu: '000.00.41.H35',
        ten: 'Ủy ban nhân dân huyện Sìn Hồ',
        cap: 'district',
        maCapTren: 'H35',
        hieuLucTu: '2021-01-01',
        hieuLucDen: '2025-06-30',
      },
    );
  });
});
