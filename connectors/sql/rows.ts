import { SourceError } from '../connector.js';
import { conversionList, convert } from '../mapping/conversion.js';
import { MappingFault } from '../mapping/fault.js';
import type { SqlBinding } from './settings.js';
import type { Rows } from './source.js';

interface Field {
  readonly name: string;
  readonly index: number;
  readonly conversions: ReturnType<typeof conversionList>;
}

function columnIndex(columns: readonly string[], column: string): number {
  const exact = columns.indexOf(column);
  if (exact !== -1) return exact;
  // PostgreSQL folds unquoted names to lower case: the manifest's spelling may be another.
  const index = columns.findIndex((name) => name.toLowerCase() === column.toLowerCase());
  if (index === -1) throw new SourceError('failed', `the statement gives no column ${column}`);
  return index;
}

function fieldsOf(binding: SqlBinding, columns: readonly string[]): readonly Field[] {
  if (binding.fields === undefined) return columns.map((name, index) => ({ name, index, conversions: [] }));
  return Object.entries(binding.fields).map(([name, field]) => ({
    name,
    index: columnIndex(columns, typeof field === 'string' ? field : field.column),
    conversions: typeof field === 'string' ? [] : conversionList(field.as),
  }));
}

function converted(field: Field, value: unknown): unknown {
  if (field.conversions.length === 0) return value;
  try {
    return convert(value, field.conversions);
  } catch (error) {
    if (!(error instanceof MappingFault)) throw error;
    throw new SourceError('failed', `column of ${field.name} does not fit ${error.keyword}`);
  }
}

/** Published objects for the rows of a statement, `limit` at most. */
function objectsOf(binding: SqlBinding, rows: Rows): Record<string, unknown>[] {
  const fields = fieldsOf(binding, rows.columns);
  return rows.rows.slice(0, binding.rowLimit).map((row) => {
    const made = Object.create(null) as Record<string, unknown>;
    for (const field of fields) made[field.name] = converted(field, row[field.index]);
    return made;
  });
}

export interface Published {
  readonly status: number;
  readonly value: unknown;
  readonly truncated: boolean;
}

function one(objects: readonly Record<string, unknown>[]): Published {
  if (objects.length > 1) throw new SourceError('failed', 'the statement gives more than one row');
  const [value] = objects;
  return { status: value === undefined ? 404 : 200, value: value ?? null, truncated: false };
}

function total(binding: SqlBinding, rows: Rows, objects: readonly unknown[]): unknown {
  const column = binding.wrap?.totalColumn;
  if (column === undefined) return objects.length;
  return rows.rows[0]?.[columnIndex(rows.columns, column)] ?? 0;
}

/** The answer's value; a list that was cut off says so. */
export function publish(binding: SqlBinding, rows: Rows): Published {
  if (rows.columns.length === 0) return { status: 200, value: { changed: rows.changed }, truncated: false };
  const objects = objectsOf(binding, rows);
  if (binding.one) return one(objects);
  const truncated = rows.rows.length > binding.rowLimit;
  if (binding.wrap === undefined) return { status: 200, value: objects, truncated };
  const value: Record<string, unknown> = { [binding.wrap.items]: objects };
  if (binding.wrap.total !== undefined) value[binding.wrap.total] = total(binding, rows, objects);
  return { status: 200, value, truncated };
}
