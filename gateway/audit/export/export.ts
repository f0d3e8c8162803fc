import { EXPORT_COLUMNS, harmless, type Particulars, type RecordPages } from './columns.js';
import { xlsxExport } from './xlsx.js';

export const EXPORT_FORMATS = ['csv', 'jsonl', 'xlsx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** Excel reads a file as UTF-8 when it begins with this. */
const BYTE_ORDER_MARK = '\ufeff';

function csvCell(cell: string | number | undefined): string {
  const text = String(harmless(cell) ?? '');
  return /[",;\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvLine = (cells: readonly (string | number | undefined)[]): string =>
  `${cells.map(csvCell).join(',')}\r\n`;

async function* csvExport(pages: RecordPages): AsyncGenerator<Buffer> {
  yield Buffer.from(BYTE_ORDER_MARK + csvLine(EXPORT_COLUMNS.map(({ header }) => header)));
  for await (const page of pages)
    yield Buffer.from(page.map((one) => csvLine(EXPORT_COLUMNS.map(({ value }) => value(one)))).join(''));
}

async function* jsonlExport(pages: RecordPages): AsyncGenerator<Buffer> {
  for await (const page of pages) yield Buffer.from(page.map((one) => `${JSON.stringify(one)}\n`).join(''));
}

/**
 * Records as bytes of a file. A page is asked for when what came before it was taken, so that memory does not grow
 * with the number of records, however slow the reader is.
 *
 * @param particulars asked for last, where the format has a place for them (XLSX: a second sheet)
 */
export function exportRecords(
  format: ExportFormat,
  pages: RecordPages,
  particulars: Particulars,
): AsyncGenerator<Buffer> {
  if (format === 'csv') return csvExport(pages);
  return format === 'jsonl' ? jsonlExport(pages) : xlsxExport(pages, particulars);
}
