import { parse as parseCsv } from 'csv-parse/sync';
import { parsePath, valueAt } from '../mapping/path.js';
import type { FileSettings } from './settings.js';

export type Row = Readonly<Record<string, unknown>>;

/** A data set that cannot be read; the message says why, for the operator. */
export class DataSetError extends Error {
  override readonly name = 'DataSetError';
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataSetError('the file is not UTF-8');
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonRows(text: string, pointer: string | undefined): readonly Row[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new DataSetError('the file is not JSON');
  }
  const list = valueAt(parsed, parsePath(pointer ?? ''));
  if (!Array.isArray(list)) throw new DataSetError('the file holds no list at that place');
  if (!list.every(isRow)) throw new DataSetError('an element of the list is not an object');
  return list;
}

function csvRows(text: string, delimiter: string): readonly Row[] {
  try {
    return parseCsv(text, {
      delimiter,
      columns: uniqueColumns,
      skip_empty_lines: true,
      trim: true,
      bom: true,
    });
  } catch (error) {
    if (error instanceof DataSetError) throw error;
    throw new DataSetError('the file is not CSV with the same columns in every line');
  }
}

/** Of two columns with one name the first would vanish without a word. */
function uniqueColumns(header: string[]): string[] {
  if (new Set(header).size !== header.length) throw new DataSetError('two columns have one name');
  return header;
}

/** @throws DataSetError */
export function readRows(bytes: Buffer, settings: FileSettings): readonly Row[] {
  const text = decode(bytes);
  return settings.format === 'json' ? jsonRows(text, settings.rows) : csvRows(text, settings.delimiter);
}
