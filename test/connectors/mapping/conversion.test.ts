import assert from 'node:assert/strict';
import { type ConversionName, convert, MISSING } from '../../../connectors/mapping/conversion.js';
import { MappingFault } from '../../../connectors/mapping/fault.js';

describe('mapping: conversions', () => {
  const cases: readonly [name: ConversionName, given: unknown, expected: unknown][] = [
    ['vn-datetime', '20250801083000', '2025-08-01T08:30:00+07:00'],
    ['vn-datetime', 20250801083000, '2025-08-01T08:30:00+07:00'],
    ['vn-datetime', null, null],
    ['to-vn-datetime', '2025-08-01T08:30:00+07:00', '20250801083000'],
    ['to-vn-datetime', '2025-08-01T01:30:00Z', '20250801083000'],
    ['to-vn-datetime', '2025-07-31T18:00:00.123Z', '20250801010000'],
    ['to-vn-datetime', '2025-08-01', '20250801000000'],
    ['vn-date', '20240229', '2024-02-29'],
    ['to-vn-date', '2025-08-01', '20250801'],
    ['to-vn-date', '2025-07-31T18:00:00Z', '20250801'],
    ['compact-date', '2025-08-01', '20250801'],
    ['dmy-date', '1/8/2025', '2025-08-01'],
    ['to-dmy-date', '2025-08-01', '01/08/2025'],
    ['boolean', 'True', true],
    ['boolean', 'False', false],
    ['boolean', '1', true],
    ['boolean', 0, false],
    ['boolean', true, true],
    ['to-boolean-text', true, 'True'],
    ['to-boolean-text', false, 'False'],
    ['number', ' 1.50 ', 1.5],
    ['number', '-1e3', -1000],
    ['integer', '42', 42],
    ['integer', '9007199254740991', 9007199254740991],
    ['string', 42, '42'],
    ['array', 'a', ['a']],
    ['array', ['a'], ['a']],
    ['array', null, []],
    ['array', MISSING, []],
    ['trim', ' a ', 'a'],
    ['empty-to-null', '  ', null],
    ['empty-to-null', 0, 0],
    ['fold', 'Đặng Thị Hẻo', 'dang thi heo'],
    ['like-contains', '50%_\\', '%50\\%\\_\\\\%'],
    ['like-prefix', 'a', 'a%'],
    ['uri-encode', 'Hẻo', 'H%E1%BA%BBo'],
  ];
  for (const [name, given, expected] of cases)
    it(`${name} of ${String(given)} is ${JSON.stringify(expected)}`, () =>
      assert.deepEqual(convert(given, [name]), expected));

  const faults: readonly [name: ConversionName, given: unknown][] = [
    ['vn-datetime', '20250230000000'],
    ['vn-datetime', '20250801240000'],
    ['vn-datetime', '2025080108300'],
    ['vn-datetime', ''],
    ['to-vn-datetime', '2025-08-01T08:30:00'],
    ['to-vn-datetime', '2025-13-01'],
    ['vn-date', '1985'],
    ['vn-date', '20230229'],
    ['dmy-date', '31/02/2025'],
    ['boolean', 'yes'],
    ['boolean', 2],
    ['number', '0x10'],
    ['number', ''],
    ['number', 'Infinity'],
    ['number', '1e999'],
    ['number', true],
    ['integer', '1.5'],
    ['integer', '9007199254740993'],
    ['string', {}],
    ['uri-encode', '\ud800'],
  ];
  for (const [name, given] of faults)
    it(`${name} refuses ${JSON.stringify(given)}`, () =>
      assert.throws(
        () => convert(given, [name]),
        (error) => error instanceof MappingFault && error.keyword === name,
      ));
});
