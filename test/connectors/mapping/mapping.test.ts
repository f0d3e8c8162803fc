import assert from 'node:assert/strict';
import { MISSING } from '../../../connectors/mapping/conversion.js';
import { MappingFault } from '../../../connectors/mapping/fault.js';
import {
  compileMapping,
  type Mapping,
  MappingSchema,
  rootSources,
} from '../../../connectors/mapping/mapping.js';

const source = {
  error_code: 0,
  data: { MaHoSo: 'HS-1', NgayTra: '20250801083000', Rong: '', Khong: null, Le: '1.5', 'a.b': 1, 'x/y': 2 },
  one: { FULL_NAME: 'A' },
  many: [{ FULL_NAME: 'A' }, { FULL_NAME: 'B' }],
};

describe('mapping: JSON to JSON', () => {
  const cases: readonly [title: string, mapping: Mapping, expected: unknown][] = [
    ['dotted', 'data.MaHoSo', 'HS-1'],
    ['pointer', '/data/MaHoSo', 'HS-1'],
    ['pointer with a dot in a name', '/data/a.b', 1],
    ['pointer with an escaped slash', '/data/x~1y', 2],
    ['into a list', 'many.1.FULL_NAME', 'B'],
    ['the value itself', { from: '.', fields: { ma: 'error_code' } }, { ma: 0 }],
    ['null is a value', 'data.Khong', null],
    ['null has no fields', { from: 'data.Khong', fields: { a: 'b' } }, null],
    ['a default for a missing value', { from: 'data.x', default: 7 }, 7],
    ['no default for null', { from: 'data.Khong', default: 7 }, null],
    ['a missing value that may be', { from: 'data.x', optional: true }, MISSING],
    [
      'a missing field is left out',
      { fields: { a: { from: 'x', optional: true }, b: 'error_code' } },
      { b: 0 },
    ],
    ['a constant', { const: 'v1' }, 'v1'],
    ['conversions in a row', { from: 'data.Rong', as: ['empty-to-null', 'vn-datetime'] }, null],
    [
      'an object becomes a list',
      { from: 'one', as: 'array', items: { fields: { ten: 'FULL_NAME' } } },
      [{ ten: 'A' }],
    ],
    ['a list stays a list', { from: 'many', as: 'array', items: 'FULL_NAME' }, ['A', 'B']],
    ['nothing becomes a list', { from: 'none', as: 'array', items: 'FULL_NAME' }, []],
    ['null becomes a list', { from: 'data.Khong', as: 'array' }, []],
    ['the prototype is out of reach', { from: 'constructor', optional: true }, MISSING],
    ['so is __proto__', { from: 'data.__proto__.toString', optional: true }, MISSING],
    ['length of a list is no value', { from: 'many.length', optional: true }, MISSING],
  ];
  for (const [title, mapping, expected] of cases)
    it(title, () => assert.deepEqual(compileMapping(MappingSchema.parse(mapping))(source), expected));

  it('makes a field named __proto__ a plain one', () => {
    const made = compileMapping({
      fields: JSON.parse('{"__proto__":"error_code"}') as Record<string, Mapping>,
    })(source);
    assert.equal(JSON.stringify(made), '{"__proto__":0}');
    assert.equal(Object.getPrototypeOf(made), Object.prototype);
  });

  const faults: readonly [title: string, mapping: Mapping, pointer: string, keyword: string][] = [
    ['a missing value', 'data.x', '/data/x', 'required'],
    ['a value of another kind', { from: 'data.MaHoSo', as: 'vn-datetime' }, '/data/MaHoSo', 'vn-datetime'],
    ['fields of no object', { from: 'data.MaHoSo', fields: { a: 'b' } }, '/data/MaHoSo', 'object'],
    ['items of no list', { from: 'data.MaHoSo', items: 'a' }, '/data/MaHoSo', 'array'],
    ['inside a list', { from: 'many', items: { fields: { a: 'TUOI' } } }, '/many/0/TUOI', 'required'],
  ];
  for (const [title, mapping, pointer, keyword] of faults)
    it(`says where ${title} is, and not what it is`, () =>
      assert.throws(
        () => compileMapping(mapping)(source),
        (error) =>
          error instanceof MappingFault &&
          error.pointer === pointer &&
          error.keyword === keyword &&
          !error.message.includes('HS-1'),
      ));

  for (const wrong of [
    { from: 1 },
    { as: 'rot13' },
    { fields: {}, items: 'a' },
    { const: 1, from: 'a' },
    { frm: 'a' },
  ])
    it(`refuses ${JSON.stringify(wrong)}`, () => assert.equal(MappingSchema.safeParse(wrong).success, false));

  it('lists the sources it reads from the root', () => {
    assert.deepEqual(
      rootSources({
        fields: {
          a: 'body.x',
          b: { from: 'query', fields: { c: 'd' } },
          e: { const: 1 },
          f: { from: 'body.l', items: 'z' },
        },
      }),
      [
        ['body', 'x'],
        ['query', 'd'],
        ['body', 'l'],
      ],
    );
  });
});
