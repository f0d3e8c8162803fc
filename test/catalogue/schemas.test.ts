import assert from 'node:assert/strict';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { LinearPattern, patternFault } from '../../gateway/catalogue/patterns.js';
import { bodyOperation, json, type Json, outcome, passes, text } from './documents.js';

interface Case {
  readonly name: string;
  readonly version?: '3.0.3' | '3.1.0';
  readonly schema: unknown;
  readonly components?: Json;
  /** Values that pass both ways. */
  readonly good: readonly unknown[];
  /** Values that pass neither way. */
  readonly bad: readonly unknown[];
  readonly onlyRequest?: readonly unknown[];
  readonly onlyResponse?: readonly unknown[];
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });
const object = (properties: Json, ...required: string[]): Json => ({
  type: 'object',
  properties,
  ...(required.length === 0 ? {} : { required }),
});
const tree = {
  CoQuan: object(
    { ma: { type: 'string' }, con: { type: 'array', items: ref('CoQuan') }, cha: ref('CoQuan') },
    'ma',
  ),
};
const shapes = {
  Tron: object({ loai: { enum: ['tron'] }, r: { type: 'number' } }, 'loai', 'r'),
  Vuong: object({ loai: { enum: ['vuong'] }, a: { type: 'number' } }, 'loai', 'a'),
};

const CASES: Case[] = [
  {
    name: 'a circular schema (3.1)',
    schema: ref('CoQuan'),
    components: tree,
    good: [{ ma: 'a' }, { ma: 'a', con: [{ ma: 'b', con: [], cha: { ma: 'c' } }] }],
    bad: [{}, { ma: 'a', con: [{ ma: 'b', con: [{}] }] }, { ma: 'a', cha: { ma: 1 } }],
  },
  {
    name: 'a circular schema (3.0)',
    version: '3.0.3',
    schema: { type: 'array', items: ref('CoQuan') },
    components: tree,
    good: [[], [{ ma: 'a', con: [{ ma: 'b' }] }]],
    bad: [[{ ma: 'a', con: [{}] }]],
  },
  {
    name: 'a reference into a component',
    schema: { $ref: '#/components/schemas/CoQuan/properties/con' },
    components: tree,
    good: [[], [{ ma: 'a' }]],
    bad: [{}, [{}]],
  },
  {
    name: 'keywords beside a reference (3.1)',
    schema: { ...ref('So'), maximum: 10 },
    components: { So: { type: 'integer' } },
    good: [10],
    bad: [11, 'x'],
  },
  {
    name: 'keywords beside a reference (3.0: they do not exist)',
    version: '3.0.3',
    schema: { ...ref('So'), maximum: 10 },
    components: { So: { type: 'integer' } },
    good: [10, 11],
    bad: ['x'],
  },
  {
    name: 'oneOf with a discriminator',
    schema: {
      oneOf: [ref('Tron'), ref('Vuong')],
      discriminator: { propertyName: 'loai', mapping: { tron: '#/components/schemas/Tron' } },
    },
    components: shapes,
    good: [
      { loai: 'tron', r: 1 },
      { loai: 'vuong', a: 1 },
    ],
    bad: [{ loai: 'tron', a: 1 }, { loai: 'khac', r: 1 }, { r: 1 }],
  },
  {
    name: 'oneOf of two that both match',
    schema: { oneOf: [{ type: 'number' }, { type: 'integer' }] },
    good: [1.5],
    bad: [1, 'x'],
  },
  {
    name: 'allOf over references',
    version: '3.0.3',
    schema: { allOf: [ref('Goc'), object({ b: { type: 'integer' } }, 'b')] },
    components: { Goc: object({ a: { type: 'string' } }, 'a') },
    good: [{ a: 'x', b: 1 }],
    bad: [{ a: 'x' }, { b: 1 }, { a: 1, b: 1 }],
  },
  {
    name: 'nullable beside a type',
    version: '3.0.3',
    schema: object({ a: { type: 'string', nullable: true, maxLength: 2 } }),
    good: [{ a: null }, { a: 'xy' }, {}],
    bad: [{ a: 1 }, { a: 'xyz' }],
  },
  {
    name: 'nullable beside an enumeration without null',
    version: '3.0.3',
    schema: { type: 'string', nullable: true, enum: ['a'] },
    good: ['a'],
    bad: [null, 'b'],
  },
  {
    name: 'nullable beside a composition',
    version: '3.0.3',
    schema: object({ a: { nullable: true, allOf: [ref('So')] } }),
    components: { So: { type: 'integer' } },
    good: [{ a: null }, { a: 1 }],
    bad: [{ a: 'x' }],
  },
  {
    name: 'exclusive bounds as flags',
    version: '3.0.3',
    schema: { type: 'integer', minimum: 1, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false },
    good: [2, 5],
    bad: [1, 6],
  },
  {
    name: 'exclusive bounds as numbers',
    schema: { type: 'integer', exclusiveMinimum: 1, exclusiveMaximum: 5 },
    good: [2, 4],
    bad: [1, 5],
  },
  {
    name: 'members that travel one way',
    schema: object(
      { id: { type: 'integer', readOnly: true }, mk: { type: 'string', writeOnly: true } },
      'id',
      'mk',
    ),
    good: [],
    bad: [{}, { id: 1, mk: 'x' }],
    onlyRequest: [{ mk: 'x' }],
    onlyResponse: [{ id: 1 }],
  },
  {
    name: 'a read-only member that another part of an allOf requires',
    version: '3.0.3',
    schema: { allOf: [ref('Goc'), { required: ['id', 'a'] }] },
    components: {
      Goc: object({ id: ref('Id'), a: { type: 'string' } }),
      Id: { type: 'integer', readOnly: true },
    },
    good: [],
    bad: [{}, { id: 1 }],
    onlyRequest: [{ a: 'x' }],
    onlyResponse: [{ id: 1, a: 'x' }],
  },
  {
    name: 'a member that is read-only in one alternative stays required in the other',
    schema: {
      oneOf: [
        object({ k: { const: 1 }, id: { type: 'integer', readOnly: true } }, 'k', 'id'),
        object({ k: { const: 2 }, id: { type: 'integer' } }, 'k', 'id'),
      ],
    },
    good: [{ k: 2, id: 5 }],
    bad: [{ k: 2 }],
    onlyRequest: [{ k: 1 }],
    onlyResponse: [{ k: 1, id: 5 }],
  },
  {
    name: 'words of 2020-12',
    schema: {
      type: ['object', 'null'],
      properties: { a: { type: 'array', prefixItems: [{ type: 'string' }], items: false, minContains: 1 } },
      dependentRequired: { b: ['c'] },
      patternProperties: { '^x-': { type: 'integer' } },
      unevaluatedProperties: { type: 'string' },
      if: { required: ['d'] },
      then: { required: ['e'] },
    },
    good: [null, { a: ['x'] }, { b: 'x', c: 'x' }, { 'x-a': 1 }, { d: 'x', e: 'x' }],
    bad: [5, { a: ['x', 'y'] }, { b: 'x' }, { 'x-a': 'x' }, { z: 1 }, { d: 'x' }],
  },
  {
    name: 'required names that every object inherits',
    schema: { type: 'object', required: ['constructor', 'toString'] },
    good: [{ constructor: 1, toString: 2 }],
    bad: [{}],
  },
  {
    name: 'members with names that every object inherits',
    schema: { ...object({ valueOf: { type: 'string' } }), additionalProperties: false },
    good: [{}, { valueOf: 'x' }],
    bad: [{ valueOf: 1 }, { hasOwnProperty: 1 }],
  },
  {
    name: 'required members of format binary',
    version: '3.0.3',
    schema: object({ tep: { type: 'string', format: 'binary' } }, 'tep'),
    good: [{ tep: 'x' }],
    bad: [{}, { tep: 1 }],
  },
  {
    name: 'base64',
    schema: { type: 'string', format: 'byte' },
    good: ['', 'YQ==', 'YWJj'],
    bad: ['a', 'YQ=', '!!!!'],
  },
  { name: 'int32', schema: { type: 'integer', format: 'int32' }, good: [2147483647], bad: [2147483648, 0.5] },
  {
    name: 'formats',
    schema: object({
      n: { format: 'date' },
      t: { format: 'date-time' },
      u: { format: 'uuid' },
      e: { format: 'email' },
    }),
    good: [{ n: '2024-02-29', t: '2025-01-01T00:00:00+07:00', e: 'a@b.vn' }],
    bad: [{ n: '2025-02-29' }, { t: '2025-01-01' }, { u: 'x' }, { e: 'x' }],
  },
  {
    name: 'uniqueItems over referenced scalars',
    schema: { type: 'array', uniqueItems: true, items: ref('S') },
    components: { S: { type: 'string' } },
    good: [['a', 'b']],
    bad: [['a', 'a']],
  },
  {
    name: 'uniqueItems over objects',
    schema: { type: 'array', uniqueItems: true, maxItems: 3, items: { type: 'object' } },
    good: [[{ a: 1 }, { a: 2 }]],
    bad: [[{ a: 1 }, { a: 1 }]],
  },
  {
    name: 'a format, in texts that are short enough for its expression',
    schema: { type: 'string', format: 'uri' },
    good: [`http://a/${'x'.repeat(8183)}`],
    bad: [`http://a/${'x'.repeat(8184)}`],
  },
  { name: 'anything', schema: true, good: [null, 1, {}], bad: [] },
  { name: 'nothing', schema: false, good: [], bad: [null, 1, {}] },
];

describe('schemas', () => {
  for (const { name, version, schema, components, good, bad, onlyRequest = [], onlyResponse = [] } of CASES) {
    it(name, async () => {
      const operation = await bodyOperation(schema, version, { schemas: components ?? {} });
      const expected: [unknown, boolean, boolean][] = [
        ...good.map((value): [unknown, boolean, boolean] => [value, true, true]),
        ...bad.map((value): [unknown, boolean, boolean] => [value, false, false]),
        ...onlyRequest.map((value): [unknown, boolean, boolean] => [value, true, false]),
        ...onlyResponse.map((value): [unknown, boolean, boolean] => [value, false, true]),
      ];
      for (const [value, request, response] of expected) {
        assert.deepEqual(passes(operation, value), { request, response }, JSON.stringify(value));
      }
    });
  }

  it('decide exponential alternatives within their allowance, and refuse what needs more', async () => {
    const branch = object({ con: ref('Nut') });
    const schemas = {
      A: { ...branch, title: 'a' },
      B: { ...branch, title: 'b' },
      Nut: { anyOf: [{ type: 'null' }, { oneOf: [ref('A'), ref('B'), { type: 'string' }] }] },
    };
    const operation = await bodyOperation(ref('Nut'), '3.1.0', { schemas });
    assert.equal(outcome(operation, json('x')), 'ok');
    const deep = (levels: number): string => `${'{"con":'.repeat(levels)}1${'}'.repeat(levels)}`;
    assert.match(outcome(operation, text(deep(5))), /^request_invalid, \/body/);
    assert.equal(outcome(operation, text(deep(60))), 'request_invalid, /body complexity');
    const answer = { status: 200, headers: {}, contentType: 'application/json', body: Buffer.from(deep(60)) };
    assert.deepEqual(
      operation.validateResponse(answer)?.map(({ keyword }) => keyword),
      ['complexity'],
    );
  });

  it('match patterns in linear time', async () => {
    const operation = await bodyOperation({ type: 'string', pattern: '^(a+)+$' });
    assert.equal(outcome(operation, json(`${'a'.repeat(100_000)}!`)), 'request_invalid, /body pattern');
    const names = await bodyOperation({ patternProperties: { '^(a|a)*$': false } });
    assert.equal(outcome(names, json({ [`${'a'.repeat(50_000)}!`]: 1 })), 'ok');
  });

  it('check long texts in formats in linear time', async () => {
    const operation = await bodyOperation({ type: 'string', format: 'email' });
    assert.equal(outcome(operation, json(`a@${'a.'.repeat(300_000)}`)), 'request_invalid, /body format');
    const bytes = await bodyOperation({ type: 'string', format: 'byte' });
    assert.equal(outcome(bytes, json('YWJj'.repeat(1_000_000))), 'ok');
  });
});

const PATTERNS = [
  '^\\s+$',
  '^\\S$',
  '[^\\s]',
  '[\\S\\d]',
  '^.$',
  'a.c',
  '[[a]',
  '[\\b]',
  '\\bđ',
  '^\\w+$',
  '^\\p{L}+$',
  '\\u00e0',
  '[\\u{1F600}-\\u{1F64F}]',
  '\\/',
  '^\\d{10}(-\\d{3})?$',
  '(?<n>a)b',
  '[\\w.-]+',
  '^$',
  '[^a]',
  '\\t|\\v',
  '[.]',
  '\\.',
];

describe('patterns', () => {
  it('mean what they mean in JavaScript', () => {
    const characters = [
      'a',
      'b',
      'c',
      'đ',
      'à',
      '0',
      '-',
      '.',
      '/',
      '[',
      ' ',
      '\t',
      '\v',
      '\n',
      '\u00a0',
      '\u2028',
      '\ufeff',
      '\b',
      '😀',
      '_',
    ];
    const texts = fc.array(fc.constantFrom(...characters), { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.constantFrom(...PATTERNS), texts, (pattern, value) => {
        assert.equal(new LinearPattern(pattern).test(value), new RegExp(pattern, 'u').test(value));
      }),
      { numRuns: 3000 },
    );
  });

  it('mean the same whatever they are put together from, or are refused', () => {
    const tokens = [
      'a',
      'b',
      '-',
      '.',
      '\\s',
      '\\S',
      '\\d',
      '\\w',
      '\\W',
      '\\b',
      '\\B',
      '^',
      '$',
      '|',
      '(',
      '(?:',
      ')',
      '[',
      '[^',
      ']',
      '*',
      '+?',
      '?',
      '{1,2}',
      '{2}',
      '\\0',
      '\\x61',
      '\\u0061',
      '\\cJ',
      '\\p{L}',
      '\\P{L}',
      '\\[',
      '\\]',
      '\\-',
      '\\/',
      '&&',
      ':alpha:',
      '(?<n>',
      '\\k<n>',
      '\\1',
      '(?=',
      '(?!',
    ];
    const pattern = fc
      .array(fc.constantFrom(...tokens), { minLength: 1, maxLength: 8 })
      .map((parts) => parts.join(''));
    const value = fc.array(
      fc.constantFrom('a', 'b', 'k', 'đ', '0', ' ', '\n', '\u00a0', '-', ':', ']', '[', '<', '\0'),
      { maxLength: 6 },
    );
    let compared = 0;
    fc.assert(
      fc.property(pattern, fc.array(value, { minLength: 8, maxLength: 8 }), (source, values) => {
        if (patternFault(source) !== null) return;
        compared += 1;
        const linear = new LinearPattern(source);
        const native = new RegExp(source, 'u');
        for (const parts of values)
          assert.equal(linear.test(parts.join('')), native.test(parts.join('')), source);
      }),
      { numRuns: 20_000 },
    );
    assert.ok(compared > 1000, `${compared} patterns compared`);
  });

  const refused = {
    '(': 'syntax',
    '(?=a)': 'lookaround',
    '(?<!a)b': 'lookaround',
    '(a)\\1': 'backreference',
    '(?<n>a)\\k<n>': 'backreference',
    'a{2000}': 'unsupported',
    '[[:alpha:': 'syntax',
    '\\Aa': 'syntax',
  };
  for (const [pattern, reason] of Object.entries(refused)) {
    it(`are refused: ${pattern}`, () => assert.equal(patternFault(pattern), reason));
  }
});

/** Schemas without formats or formats that plain Ajv lacks, so that the two can be compared. */
const leaf = fc.constantFrom<Json>(
  { type: 'string', minLength: 1, maxLength: 3 },
  { type: 'integer', minimum: 0, maximum: 9 },
  { type: 'number', multipleOf: 0.5 },
  { type: 'boolean' },
  { type: ['string', 'null'], pattern: '^[a-c]*$' },
  { enum: ['a', 1, null, { a: 1 }] },
  { const: 'a' },
  {},
  { $ref: '#/components/schemas/Cay' },
);
const names = ['a', 'b', 'constructor'];
const arbitrarySchema = fc.letrec<{ schema: Json }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    leaf,
    tie('schema').map((items) => ({ type: 'array', items, maxItems: 3 })),
    fc.record({
      type: fc.constant('object'),
      properties: fc.dictionary(fc.constantFrom(...names), tie('schema'), { maxKeys: 3 }),
      required: fc.uniqueArray(fc.constantFrom(...names)),
      additionalProperties: fc.oneof(fc.boolean(), tie('schema')),
    }),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((allOf) => ({ allOf })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((oneOf) => ({ oneOf })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    tie('schema').map((not) => ({ not })),
  ),
})).schema;
const arbitraryValue = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>('a', '', 'abcd', 0, 5, 1.5, 10, true, null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...names, 'c'), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;
const CAY = { type: 'object', required: ['a'], properties: { b: { $ref: '#/components/schemas/Cay' } } };

describe('random schemas and values', () => {
  it('pass exactly when an Ajv of its own lets them pass', async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitrarySchema,
        fc.array(arbitraryValue, { minLength: 20, maxLength: 20 }),
        async (schema, values) => {
          const operation = await bodyOperation(schema, '3.1.0', { schemas: { Cay: CAY } });
          const ajv = new Ajv2020({ strict: false, ownProperties: true });
          const plain = ajv.compile({ components: { schemas: { Cay: CAY } }, allOf: [schema] });
          for (const value of values) {
            const expected = plain(value);
            assert.deepEqual(
              passes(operation, value),
              { request: expected, response: expected },
              JSON.stringify(value),
            );
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
