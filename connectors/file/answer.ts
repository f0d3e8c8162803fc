import { type ConnectorRequest, SourceError } from '../connector.js';
import { MISSING } from '../mapping/conversion.js';
import { MappingFault } from '../mapping/fault.js';
import { type CompiledMapping, compileMapping } from '../mapping/mapping.js';
import { fromRequest } from '../mapping/scope.js';
import { fieldText, type RowTest, rowTest, today } from './filter.js';
import type { Row } from './rows.js';
import type { FileBinding, FileFilter } from './settings.js';

type ListBinding = Extract<FileBinding, { list: true }>;

/** A value of the call as text; null when it was not sent. */
function parameter(request: ConnectorRequest, name: string): string | null {
  for (const values of [request.query, request.path]) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  }
  return null;
}

function testFor(name: string, filter: FileFilter, request: ConnectorRequest, now: number): RowTest | null {
  const text =
    parameter(request, name) ??
    (filter.match === 'valid-at' && filter.default === 'today' ? today(now) : null);
  if (text === null) return null;
  const test = rowTest(filter, text);
  if (test === null) throw new MappingFault('date', `/query/${name}`);
  return test;
}

function testsOf(
  filters: Readonly<Record<string, FileFilter>>,
  request: ConnectorRequest,
  now: number,
): RowTest[] {
  return fromRequest(() =>
    Object.entries(filters)
      .map(([name, filter]) => testFor(name, filter, request, now))
      .filter((test) => test !== null),
  );
}

function wholeNumber(request: ConnectorRequest, name: string | undefined): number | null {
  const text = name === undefined ? null : parameter(request, name);
  if (text === null) return null;
  if (!/^\d{1,15}$/.test(text)) throw new MappingFault('integer', `/query/${name ?? ''}`);
  return Number(text);
}

function pageOf(binding: ListBinding, request: ConnectorRequest): { from: number; to: number } {
  const { page } = binding;
  if (page === undefined) return { from: 0, to: Number.POSITIVE_INFINITY };
  return fromRequest(() => {
    const size = Math.min(wholeNumber(request, page.limit) ?? Math.min(page.default, page.max), page.max);
    const number = wholeNumber(request, page.number);
    const from = wholeNumber(request, page.offset) ?? (number === null ? 0 : Math.max(0, number - 1) * size);
    return { from, to: from + size };
  });
}

const collator = new Intl.Collator('vi', { numeric: true });

function sorted(rows: readonly Row[], sort: ListBinding['sort']): readonly Row[] {
  if (sort === undefined) return rows;
  const sign = sort.order === 'asc' ? 1 : -1;
  return [...rows].sort((a, b) => sign * collator.compare(fieldText(a, sort.by), fieldText(b, sort.by)));
}

function mapped(map: CompiledMapping | null, row: Row): unknown {
  if (map === null) return row;
  try {
    return map(row);
  } catch (error) {
    if (!(error instanceof MappingFault)) throw error;
    throw new SourceError('failed', `a row does not fit the mapping: ${error.message}`);
  }
}

export interface FileAnswer {
  readonly status: number;
  readonly value: unknown;
}

/** What one operation answers from the rows. */
export type RowReader = (rows: readonly Row[], request: ConnectorRequest, now: number) => FileAnswer;

function oneReader(binding: Extract<FileBinding, { one: object }>, map: CompiledMapping | null): RowReader {
  const { by, param } = binding.one;
  return (rows, request, now) => {
    const text = parameter(request, param);
    const tests = testsOf(binding.filters, request, now);
    const found = rows.filter((row) => fieldText(row, by) === text && tests.every((test) => test(row)));
    if (found.length > 1) throw new SourceError('failed', 'more than one row has this key');
    const [row] = found;
    return row === undefined ? { status: 404, value: null } : { status: 200, value: mapped(map, row) };
  };
}

function listReader(binding: ListBinding, map: CompiledMapping | null): RowReader {
  return (rows, request, now) => {
    const tests = testsOf(binding.filters, request, now);
    const { from, to } = pageOf(binding, request);
    const found = tests.length === 0 ? rows : rows.filter((row) => tests.every((test) => test(row)));
    const items = sorted(found, binding.sort)
      .slice(from, to)
      .map((row) => mapped(map, row))
      .filter((item) => item !== MISSING);
    if (binding.wrap === undefined) return { status: 200, value: items };
    const value: Record<string, unknown> = { [binding.wrap.items]: items };
    if (binding.wrap.total !== undefined) value[binding.wrap.total] = found.length;
    return { status: 200, value };
  };
}

export function rowReader(binding: FileBinding): RowReader {
  const map = binding.fields === undefined ? null : compileMapping({ fields: binding.fields });
  return 'list' in binding ? listReader(binding, map) : oneReader(binding, map);
}
