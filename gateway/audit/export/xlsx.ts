import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { EXPORT_COLUMNS, harmless, type Particulars, type RecordPages } from './columns.js';

/** The workbook writer takes whatever it is given; it is given no more while what left it is not taken. */
async function taken(out: PassThrough): Promise<void> {
  // The compressor works on another thread: it gets a chance to say that it is full.
  await new Promise((resolve) => setImmediate(resolve));
  while (out.writableNeedDrain && !out.destroyed)
    await Promise.race([once(out, 'drain'), once(out, 'close')]);
  if (out.destroyed) throw new Error('the export was not read to its end');
}

async function write(out: PassThrough, pages: RecordPages, particulars: Particulars): Promise<void> {
  // Loading it takes as long as half a start of the gateway: only who asks for a workbook waits for that.
  const { default: exceljs } = await import('exceljs');
  const book = new exceljs.stream.xlsx.WorkbookWriter({
    stream: out,
    useStyles: true,
    useSharedStrings: false,
  });
  const sheet = book.addWorksheet('Nhật ký', { views: [{ state: 'frozen', ySplit: 1 }] });
  sheet.columns = EXPORT_COLUMNS.map(({ header, width }) => ({ header, width }));
  sheet.getRow(1).font = { bold: true };
  sheet.getRow(1).commit();
  for await (const page of pages) {
    for (const one of page) sheet.addRow(EXPORT_COLUMNS.map(({ value }) => harmless(value(one)))).commit();
    await taken(out);
  }
  sheet.commit();
  const about = book.addWorksheet('Thông tin trích xuất');
  about.columns = [{ width: 34 }, { width: 80 }];
  for (const [name, value] of particulars()) about.addRow([name, harmless(value)]).commit();
  about.commit();
  await book.commit();
}

/** A workbook of two sheets: the records, and what they are an excerpt of. */
export async function* xlsxExport(pages: RecordPages, particulars: Particulars): AsyncGenerator<Buffer> {
  const out = new PassThrough();
  const written = write(out, pages, particulars).catch((error: unknown) => {
    out.destroy(error instanceof Error ? error : new Error('the export failed'));
  });
  try {
    for await (const chunk of out) yield chunk as Buffer;
    await written;
  } finally {
    out.destroy();
  }
}
