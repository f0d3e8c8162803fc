import assert from 'node:assert/strict';
import exceljs from 'exceljs';
import { harmless, localTime } from '../../gateway/audit/export/columns.js';
import { EXPORT_FORMATS, exportRecords } from '../../gateway/audit/export/export.js';
import type { FoundRecord } from '../../gateway/audit/search.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { aRecord, T0 } from './records.js';

const page = (first: number): FoundRecord[] =>
  Array.from({ length: 500 }, (_, i) => ({
    ...aRecord({ id: uuidv7(T0 + first + i), trace: uuidv7(T0).replaceAll('-', ''), tokenId: uuidv7(T0) }),
    index: first + i,
  }));

describe('exports of the record', () => {
  for (const [text, safe] of [
    ['=1+1', `'=1+1`],
    ['+84', `'+84`],
    ['-1', `'-1`],
    ['@SUM(A1)', `'@SUM(A1)`],
    ['\t=1', `'\t=1`],
    ['\r=1', `'\r=1`],
    ['a=1', 'a=1'],
    ['', ''],
    [-1, -1],
    [undefined, undefined],
  ] as const)
    it(`shows ${JSON.stringify(text)} as ${JSON.stringify(safe)}`, () => assert.equal(harmless(text), safe));

  for (const [time, local] of [
    ['2026-01-05T01:02:03.999Z', '05/01/2026 08:02:03'],
    ['2026-12-31T17:00:00.000Z', '01/01/2027 00:00:00'],
    [undefined, undefined],
  ] as const)
    it(`writes ${String(time)} as ${String(local)}`, () => assert.equal(localTime(time), local));

  for (const format of EXPORT_FORMATS) {
    it(`asks for no more pages than are taken, as ${format}`, async () => {
      let [asked, ended] = [0, false];
      const pages = async function* (): AsyncGenerator<FoundRecord[]> {
        try {
          for (; asked < 400; asked += 1) yield await Promise.resolve(page(asked * 500));
        } finally {
          ended = true;
        }
      };
      const chunks = exportRecords(format, pages(), () => []);
      // The first may be the header alone.
      for (let taken = 0; taken < 2; taken += 1)
        assert.ok(((await chunks.next()).value as Buffer).length > 0);
      const still = async (): Promise<number> => {
        const before = asked;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return asked === before ? asked : await still();
      };
      assert.ok((await still()) < 100, `${asked} pages were asked for, and one chunk taken`);
      await chunks.return(undefined);
      // A workbook is written by itself, and notices a moment later.
      for (let tries = 0; !ended && tries < 100; tries += 1)
        await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(ended, true, 'the source was let go');
    });
  }

  it('pass on what goes wrong with the source', async () => {
    for (const format of EXPORT_FORMATS) {
      const pages = async function* (): AsyncGenerator<FoundRecord[]> {
        yield await Promise.resolve(page(0));
        throw new Error('the source broke');
      };
      await assert.rejects(async () => {
        for await (const _ of exportRecords(format, pages(), () => []));
      }, /the source broke/);
    }
  });

  it('make a workbook that can be read', async () => {
    const pages = async function* (): AsyncGenerator<FoundRecord[]> {
      yield await Promise.resolve(page(0));
    };
    const parts: Buffer[] = [];
    for await (const chunk of exportRecords('xlsx', pages(), () => [['=a', '=b']])) parts.push(chunk);
    const book = new exceljs.Workbook();
    await book.xlsx.load(Buffer.concat(parts) as never);
    assert.equal(book.worksheets[0]?.rowCount, 501);
    assert.equal(book.worksheets[1]?.getCell('B1').value, `'=b`);
  });
});
