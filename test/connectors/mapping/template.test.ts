import assert from 'node:assert/strict';
import { MappingFault } from '../../../connectors/mapping/fault.js';
import {
  parseTemplate,
  type RequestScope,
  render,
  TemplateError,
} from '../../../connectors/mapping/template.js';

const scope: RequestScope = {
  path: { ma: 'HS/1' },
  query: { 'loc[ten]': 'Hẻo', ngay: '2025-08-01', co: true, so: 5, khong: null, ds: [1, 2] },
  header: { 'x-ma': 'm' },
  body: { a: { 'b.c': 'sâu' }, l: ['x'] },
  caller: { agency: 'H35', system: 's', user: null, case: 'HS-1' },
  request: { id: 'r-1' },
  credential: { khoa: 'bí mật' },
};

describe('mapping: templates', () => {
  const cases: readonly [text: string, expected: string | null][] = [
    ['chữ', 'chữ'],
    ['', ''],
    ['/ho-so/{path.ma}', '/ho-so/HS/1'],
    ['{query.loc[ten]}', 'Hẻo'],
    ['{query.ngay|compact-date}', '20250801'],
    ['{query.ngay | compact-date | string}', '20250801'],
    ['{query.co}-{query.so}', 'true-5'],
    ['{header.X-Ma}', 'm'],
    ['{body./a/b.c}', 'sâu'],
    ['{body.l.0}', 'x'],
    ['{caller.agency}/{caller.case}', 'H35/HS-1'],
    ['{caller.user}', null],
    ['{request.id}', 'r-1'],
    ['{credential.khoa}', 'bí mật'],
    ['a{query.thieu}', null],
    ['a{query.khong}', null],
    ['{query.constructor}', null],
  ];
  for (const [text, expected] of cases)
    it(`${JSON.stringify(text)} is ${String(expected)}`, () =>
      assert.equal(
        render(parseTemplate(text), scope, (value) => value),
        expected,
      ));

  for (const text of [
    '{',
    '}',
    '{a',
    'a}b',
    '{{query.a}}',
    '{query}',
    '{nothing.a}',
    '{caller.name}',
    '{request.ip}',
    '{query.a|rot13}',
    '{}',
  ])
    it(`refuses ${text}`, () => assert.throws(() => parseTemplate(text), TemplateError));

  it('names the place of a value that is no text', () =>
    assert.throws(
      () => render(parseTemplate('{query.ds}'), scope, (value) => value),
      (error) => error instanceof MappingFault && error.pointer === '/query/ds',
    ));
});
