import { convert } from '../mapping/conversion.js';
import { fold } from '../../gateway/base/fold.js';
import type { FileFilter } from './settings.js';
import type { Row } from './rows.js';

/** Whether a row passes, for one value of the parameter. */
export type RowTest = (row: Row) => boolean;

export function fieldText(row: Row, field: string): string {
  const value = Object.hasOwn(row, field) ? row[field] : undefined;
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : JSON.stringify(value);
}

/** The day in Vietnam, `yyyy-MM-dd`. */
export function today(now: number): string {
  return new Date(now + 7 * 3_600_000).toISOString().slice(0, 10);
}

/** A day as data sets write it: yyyy-MM-dd (with or without time), yyyyMMdd, dd/MM/yyyy; null where it is none. */
export function dayOf(text: string): string | null {
  const trimmed = text.trim();
  for (const conversion of ['vn-date', 'dmy-date'] as const) {
    try {
      return String(convert(trimmed, [conversion]));
    } catch {
      continue;
    }
  }
  return /^\d{4}-\d{2}-\d{2}/.test(trimmed) ? trimmed.slice(0, 10) : null;
}

type Validity = Extract<FileFilter, { match: 'valid-at' }>;

/** A period that cannot be read is no period: a row of unknown validity is not given out as valid. */
function validAt(filter: Validity, day: string): RowTest {
  return (row) => {
    const from = fieldText(row, filter.from);
    const to = fieldText(row, filter.to);
    const first = from === '' ? '0000-00-00' : dayOf(from);
    const last = to === '' ? '9999-99-99' : dayOf(to);
    if (first === null || last === null || day < first) return false;
    return filter.end === 'inclusive' ? day <= last : day < last;
  };
}

/** One test, or null when a date parameter is no date. */
export function rowTest(filter: FileFilter, text: string): RowTest | null {
  if (filter.match === 'valid-at') {
    const day = dayOf(text);
    return day === null ? null : validAt(filter, day);
  }
  const { field, match } = filter;
  const folded = fold(text);
  if (match === 'equals') return (row) => fieldText(row, field) === text;
  if (match === 'contains') return (row) => fieldText(row, field).includes(text);
  if (match === 'prefix') return (row) => fieldText(row, field).startsWith(text);
  return (row) => fold(fieldText(row, field)).includes(folded);
}
