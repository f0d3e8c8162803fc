import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { SAMPLE_FOLDER } from '../../examples/lai-chau/folder.js';
import { Problem } from '../../gateway/base/problem.js';
import { checkDocument } from '../../gateway/catalogue/check-document.js';
import { compileContract, type Operation, type SampleWish } from '../../gateway/catalogue/contract.js';
import { LinearPattern } from '../../gateway/catalogue/patterns.js';
import { sampleOfPattern } from '../../gateway/catalogue/sample-pattern.js';
import { type Json, operationOf, single } from './documents.js';

type Version = '3.0.3' | '3.1.0';

const WISH: SampleWish = { status: null, example: null, accept: undefined };

const answering = (content: Json, version: Version = '3.1.0', components: Json = {}): Json =>
  single({ responses: { '200': { description: '', content } } }, version, components);
const schemaOf = (schema: unknown, version: Version = '3.1.0', components: Json = {}): Operation =>
  operationOf(answering({ 'application/json': { schema } }, version, components));

function made(operation: Operation, wish: Partial<SampleWish> = {}) {
  const answer = operation.sampleAnswer({ ...WISH, ...wish });
  const contentType = answer.headers['content-type'] ?? null;
  return { ...answer, faults: operation.validateResponse({ ...answer, contentType }) };
}

/** The value made for a schema, after it was held against the schema. */
function valueFor(schema: unknown, version: Version = '3.1.0', components: Json = {}): unknown {
  const { body, faults } = made(schemaOf(schema, version, components));
  assert.equal(faults, null, body.toString());
  return JSON.parse(body.toString());
}

const NODE = (required: string[]): Json => ({
  schemas: {
    Nut: {
      type: 'object',
      required,
      properties: {
        ten: { type: 'string' },
        cha: { $ref: '#/components/schemas/Nut' },
        con: { type: 'array', items: { $ref: '#/components/schemas/Nut' } },
      },
    },
  },
});
const NUT = { $ref: '#/components/schemas/Nut' };

/** Each must be made and hold; `is` says more where more is promised. */
const SCHEMAS: readonly {
  readonly name: string;
  readonly schema: unknown;
  readonly version?: Version;
  readonly components?: Json;
  readonly is?: unknown;
}[] = [
  { name: 'type string', schema: { type: 'string' }, is: 'mẫu' },
  { name: 'type integer', schema: { type: 'integer' }, is: 1 },
  { name: 'type number', schema: { type: 'number' }, is: 1 },
  { name: 'type boolean', schema: { type: 'boolean' }, is: true },
  { name: 'type null', schema: { type: 'null' }, is: null },
  { name: 'types', schema: { type: ['null', 'integer'] }, is: 1 },
  { name: 'no type at all', schema: {} },
  { name: 'true', schema: true },
  { name: 'enum', schema: { enum: [null, 'b', 'c'] }, is: 'b' },
  { name: 'enum of null alone', schema: { enum: [null] }, is: null },
  { name: 'const', schema: { const: { a: [1] } }, is: { a: [1] } },
  { name: 'const false', schema: { const: false }, is: false },
  { name: 'enums met in allOf', schema: { allOf: [{ enum: [1, 2, 3] }, { enum: [3, 4] }] }, is: 3 },
  { name: 'nullable', schema: { type: 'string', nullable: true }, version: '3.0.3', is: 'mẫu' },
  ...[
    ...['date', 'date-time', 'time', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference'],
    ...[
      'uri-template',
      'uuid',
      'json-pointer',
      'relative-json-pointer',
      'regex',
      'byte',
      'password',
      'binary',
    ],
  ].map((format) => ({ name: `format ${format}`, schema: { type: 'string', format } })),
  { name: 'format of length', schema: { type: 'string', format: 'email', minLength: 30 } },
  { name: 'address of length', schema: { type: 'string', format: 'uri', minLength: 200, maxLength: 200 } },
  { name: 'format int32', schema: { type: 'integer', format: 'int32', minimum: 2147483647 }, is: 2147483647 },
  { name: 'format int64', schema: { type: 'integer', format: 'int64' }, is: 1 },
  ...[
    ...[
      '^[0-9]{5}$',
      '^[0-9]{10}(-[0-9]{3})?$',
      '^[0-9A-Z.-]+$',
      '^[0-9A-Z]+(\\.[0-9A-Z]+)*$',
      '^H[0-9]{2}$',
    ],
    ...[
      '^(nam|nu)$',
      '^\\d{2}/\\d{2}/\\d{4}$',
      '^[^/]+$',
      '^\\p{L}+$',
      '^(?:a|b){2,4}$',
      'x$',
      '^\\S+@\\S+$',
    ],
    ...[
      '^[\\u0041-\\u0043]$',
      '^(?<ma>[A-Z]{2})-\\w+$',
      '^$',
      '^a?$',
      '^.{3}$',
      '^[ăâ]+$',
      '^\\u{41}\\x42\\.$',
    ],
  ].map((pattern) => ({ name: `pattern ${pattern}`, schema: { type: 'string', pattern } })),
  {
    name: 'pattern of length',
    schema: { type: 'string', pattern: '^[a-z]+$', minLength: 40, maxLength: 41 },
  },
  { name: 'pattern open at its end', schema: { type: 'string', pattern: '^[0-9]', minLength: 9 } },
  { name: 'two patterns', schema: { allOf: [{ pattern: '^[a-z0-9]+$' }, { pattern: '^[a-f]{3}$' }] } },
  { name: 'minLength', schema: { type: 'string', minLength: 12 } },
  { name: 'maxLength', schema: { type: 'string', maxLength: 1 }, is: 'm' },
  { name: 'maxLength 0', schema: { type: 'string', maxLength: 0 }, is: '' },
  { name: 'minimum', schema: { type: 'integer', minimum: 7 }, is: 7 },
  { name: 'maximum', schema: { type: 'integer', maximum: -7 }, is: -7 },
  { name: 'exclusiveMinimum', schema: { type: 'integer', exclusiveMinimum: 7 }, is: 8 },
  { name: 'exclusiveMaximum', schema: { type: 'integer', exclusiveMaximum: -7 }, is: -8 },
  { name: 'between', schema: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 } },
  { name: 'one number', schema: { type: 'number', minimum: 0.5, maximum: 0.5 }, is: 0.5 },
  {
    name: 'exclusive bounds of 3.0',
    schema: { type: 'integer', minimum: 1, exclusiveMinimum: true },
    version: '3.0.3',
    is: 2,
  },
  { name: 'multipleOf', schema: { type: 'integer', multipleOf: 5, minimum: 12 }, is: 15 },
  { name: 'multipleOf of a fraction', schema: { type: 'number', multipleOf: 0.01, minimum: 0.29 } },
  { name: 'multipleOf below', schema: { type: 'integer', multipleOf: 5, maximum: -3 }, is: -5 },
  { name: 'two steps', schema: { allOf: [{ multipleOf: 4 }, { type: 'integer', multipleOf: 6 }] }, is: 12 },
  { name: 'items', schema: { type: 'array', items: { type: 'integer' } }, is: [1] },
  { name: 'minItems', schema: { type: 'array', items: { const: 1 }, minItems: 3 }, is: [1, 1, 1] },
  { name: 'maxItems 0', schema: { type: 'array', items: {}, maxItems: 0 }, is: [] },
  {
    name: 'uniqueItems',
    schema: {
      type: 'array',
      uniqueItems: true,
      minItems: 3,
      items: { type: 'string', pattern: '^[0-9]{2}$' },
    },
  },
  {
    name: 'unique objects',
    schema: {
      type: 'array',
      uniqueItems: true,
      minItems: 3,
      items: { type: 'object', required: ['ma'], properties: { ma: { type: 'string', example: 'A' } } },
    },
  },
  {
    name: 'prefixItems',
    schema: { type: 'array', prefixItems: [{ const: 1 }, { const: 'a' }], items: false },
    is: [1, 'a'],
  },
  { name: 'contains', schema: { type: 'array', contains: { const: 5 }, minContains: 2 }, is: [5, 5] },
  {
    name: 'required without a schema',
    schema: { type: 'object', required: ['a'], properties: { b: { type: 'integer' } } },
    is: { b: 1, a: 'mẫu' },
  },
  {
    name: 'members that need not be there',
    schema: { type: 'object', properties: { a: { const: 1 }, b: { const: 2 } } },
    is: { a: 1, b: 2 },
  },
  {
    name: 'an impossible member that need not be there',
    schema: { type: 'object', properties: { a: { const: 1 }, b: false } },
    is: { a: 1 },
  },
  {
    name: 'maxProperties',
    schema: { type: 'object', maxProperties: 1, required: ['b'], properties: { a: {}, b: { const: 2 } } },
    is: { b: 2 },
  },
  { name: 'minProperties', schema: { type: 'object', minProperties: 3, additionalProperties: { const: 1 } } },
  {
    name: 'additionalProperties',
    schema: { type: 'object', additionalProperties: { type: 'integer' } },
    is: { mau1: 1 },
  },
  { name: 'additionalProperties false', schema: { type: 'object', additionalProperties: false }, is: {} },
  {
    name: 'patternProperties',
    schema: { type: 'object', patternProperties: { '^x-[a-z]$': { const: 1 } }, additionalProperties: false },
    is: { 'x-c': 1 },
  },
  {
    name: 'propertyNames',
    schema: { type: 'object', minProperties: 2, propertyNames: { pattern: '^[A-Z]{2}$' } },
  },
  {
    name: 'allOf',
    schema: {
      allOf: [
        { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } },
        { properties: { a: { minimum: 9 }, b: { const: 'x' } }, required: ['b'] },
      ],
    },
    is: { a: 9, b: 'x' },
  },
  {
    name: 'oneOf, the first that holds',
    schema: {
      type: 'object',
      required: ['loai'],
      properties: { loai: { enum: ['b'] } },
      oneOf: [{ properties: { loai: { const: 'a' } } }, { properties: { n: { const: 1 } } }],
    },
    is: { loai: 'b', n: 1 },
  },
  {
    name: 'oneOf of which two fit',
    schema: { oneOf: [{ type: 'integer' }, { type: 'number', multipleOf: 0.5 }, { type: 'string' }] },
    is: 'mẫu',
  },
  { name: 'anyOf', schema: { anyOf: [{ type: 'string', maxLength: 0, minLength: 1 }, { const: 4 }] }, is: 4 },
  {
    name: 'anyOf beside oneOf',
    schema: { anyOf: [{ const: 1 }, { const: 2 }], oneOf: [{ const: 2 }, { const: 3 }] },
    is: 2,
  },
  {
    name: 'oneOf, null only where nothing else holds',
    schema: {
      oneOf: [{ type: 'null' }, { type: 'object', required: ['a'], properties: { a: { const: 1 } } }],
    },
    is: { a: 1 },
  },
  {
    name: 'anyOf of null and a reference, of 3.0',
    schema: {
      type: 'object',
      properties: { a: { anyOf: [{ nullable: true, enum: [null] }, { $ref: '#/components/schemas/So' }] } },
    },
    version: '3.0.3',
    components: { schemas: { So: { type: 'integer', minimum: 4 } } },
    is: { a: 4 },
  },
  { name: 'oneOf of nulls', schema: { oneOf: [{ const: null }, false] }, is: null },
  { name: 'not', schema: { type: 'object', properties: { a: {}, b: {} }, not: { required: ['a', 'b'] } } },
  {
    name: 'a branch that closes the object',
    schema: {
      allOf: [
        { type: 'object', required: ['a'], properties: { a: { const: 1 } }, additionalProperties: false },
        { properties: { b: { const: 2 } } },
      ],
    },
    is: { a: 1 },
  },
  {
    name: 'circular, ended at what need not be there',
    schema: NUT,
    components: NODE(['ten']),
    is: { ten: 'mẫu', con: [] },
  },
  { name: 'circular lists', schema: NUT, components: NODE(['con']), version: '3.0.3' },
  {
    name: 'circular, ended by null',
    schema: NUT,
    components: {
      schemas: {
        Nut: {
          type: 'object',
          required: ['ke'],
          properties: { ke: { oneOf: [{ $ref: '#/components/schemas/Nut' }, { type: 'null' }] } },
        },
      },
    },
    is: { ke: null },
  },
  {
    name: 'circular twice over',
    schema: NUT,
    components: {
      schemas: {
        Nut: {
          type: 'object',
          required: ['a', 'b'],
          properties: {
            a: { anyOf: [{ $ref: '#/components/schemas/Nut' }, { const: 1 }] },
            b: { anyOf: [{ $ref: '#/components/schemas/Nut' }, { const: 2 }] },
          },
        },
      },
    },
    is: { a: 1, b: 2 },
  },
  { name: 'example', schema: { type: 'string', example: 'Pu Sam Cáp' }, version: '3.0.3', is: 'Pu Sam Cáp' },
  { name: 'examples', schema: { type: 'string', examples: ['Sìn Hồ', 'x'] }, is: 'Sìn Hồ' },
  { name: 'default', schema: { type: 'integer', default: 20 }, is: 20 },
  { name: 'an example that does not fit', schema: { type: 'integer', example: 'x' }, is: 1 },
  {
    name: 'a pattern that nothing is made for, with an example',
    schema: { type: 'string', pattern: '^[\\u4e00-\\u4e01]$', example: '\u4e00' },
    is: '\u4e00',
  },
  {
    name: 'writeOnly',
    schema: {
      type: 'object',
      required: ['a', 'matKhau'],
      properties: { a: { const: 1 }, matKhau: { type: 'string', writeOnly: true } },
    },
    is: { a: 1 },
  },
];

describe('catalogue/sample-answer', () => {
  describe('of a schema', () => {
    for (const { name, schema, version, components, is } of SCHEMAS) {
      it(name, () => {
        const value = valueFor(schema, version, components);
        if (is !== undefined) assert.deepEqual(value, JSON.parse(JSON.stringify(is)));
      });
    }

    it('makes what differs, where it must', () => {
      const items = valueFor({
        type: 'array',
        uniqueItems: true,
        minItems: 5,
        items: { type: 'string', format: 'date' },
      }) as string[];
      assert.equal(new Set(items).size, 5);
    });

    it('always gives the same', () => {
      const schema = {
        type: 'array',
        minItems: 3,
        uniqueItems: true,
        items: { type: 'string', pattern: '^\\w+$' },
      };
      const one = schemaOf(schema);
      const [first, again, other] = [made(one), made(one), made(schemaOf(schema))];
      assert.deepEqual(first.body, again.body);
      assert.deepEqual(first.body, other.body);
    });

    const IMPOSSIBLE: readonly (readonly [name: string, schema: unknown, components?: Json])[] = [
      ['no value at all', false],
      ['a bound above the other', { type: 'integer', minimum: 3, maximum: 2 }],
      ['a pattern against a length', { type: 'string', pattern: '^[0-9]{5}$', maxLength: 4 }],
      ['a pattern that nothing is made for', { type: 'string', pattern: '^[\\u4e00-\\u4e01]$' }],
      ['more items than fit', { type: 'array', items: { type: 'string' }, minItems: 1_000_000_000 }],
      ['lists of lists of lists', nested(9, { type: 'string' })],
      ['more text than fits', { type: 'string', minLength: 10_000_000 }],
      [
        'more alike items than may be',
        { type: 'array', uniqueItems: true, minItems: 3, items: { type: 'boolean' } },
      ],
      ['what contains itself for ever', NUT, NODE(['cha'])],
      ['what contains itself twice, for ever', NUT, NODE(['cha', 'con'])],
    ];
    for (const [name, schema, components] of IMPOSSIBLE) {
      it(`gives up, within bounds: ${name}`, () => {
        const operation = schemaOf(schema, '3.1.0', components);
        assert.throws(
          () => operation.sampleAnswer(WISH),
          (error) =>
            error instanceof Problem && error.code === 'response_invalid' && error.parts.errors?.length === 1,
        );
      });
    }

    it('stays small, however wide the schema', () => {
      const wide = Object.fromEntries(
        Array.from({ length: 40 }, (_, i) => [`p${i}`, { $ref: '#/components/schemas/B' }]),
      );
      const B = {
        type: 'object',
        properties: Object.fromEntries(Object.keys(wide).map((p) => [p, { $ref: '#/components/schemas/C' }])),
      };
      const C = {
        type: 'object',
        properties: Object.fromEntries(Object.keys(wide).map((p) => [p, { type: 'string' }])),
      };
      const { body, faults } = made(
        schemaOf({ type: 'object', properties: wide }, '3.1.0', { schemas: { B, C } }),
      );
      assert.equal(faults, null);
      assert.ok(body.length < 262_144, String(body.length));
    });
  });

  describe('of patterns', () => {
    it('only ever gives what the pattern matches', () => {
      const atom = fc.constantFrom(
        'a',
        '[0-9]',
        '\\d',
        '[^x]',
        '\\w',
        '.',
        '\\.',
        '(?:b|c)',
        '(d)',
        'đ',
        '[A-Z.-]',
      );
      const times = fc.constantFrom('', '*', '+', '?', '{2}', '{1,3}', '{2,}', '+?');
      const pattern = fc
        .array(fc.tuple(atom, times), { minLength: 1, maxLength: 6 })
        .map((parts) => `^${parts.map(([a, t]) => a + t).join('')}$`);
      fc.assert(
        fc.property(pattern, fc.nat(20), (source, turn) => {
          const linear = new LinearPattern(source);
          const text = sampleOfPattern(source, { fits: (one) => linear.test(one), minLength: 0, turn });
          return text !== null && linear.test(text);
        }),
      );
    });

    for (const pattern of [
      '(?=a)b',
      '(a',
      ')',
      '\\1',
      '(((((((((((((((((((((((((a)))))))))))))))))))))))))',
      '[',
      'x'.repeat(2000),
    ]) {
      it(`gives up: ${pattern.slice(0, 30)}`, () => {
        assert.equal(sampleOfPattern(pattern, { fits: () => true, minLength: 0, turn: 0 }), null);
      });
    }

    it('ends soon on what repeats without end', () => {
      const fits = (): boolean => false;
      assert.equal(sampleOfPattern('^((((a+)+)+)+){1000}$', { fits, minLength: 4096, turn: 0 }), null);
      assert.equal(sampleOfPattern('^(((){9999}){9999}){9999}$', { fits, minLength: 4096, turn: 0 }), null);
    });
  });

  describe('of an operation', () => {
    const schema = { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } };
    const json = (more: Json): Json => ({ 'application/json': { schema, ...more } });
    const respond = (responses: Json): Operation => operationOf(single({ responses }));

    it('takes the example of the document, then its examples, then the schema', () => {
      const example = { a: 7 };
      const examples = { mot: { value: { a: 8 } }, hai: { $ref: '#/components/examples/hai' } };
      const components = { examples: { hai: { value: { a: 9 } } } };
      const bodyOf = (more: Json, wish = {}): string =>
        made(operationOf(answering(json(more), '3.1.0', components)), wish).body.toString();
      assert.equal(bodyOf({ example, examples }), '{"a":7}');
      assert.equal(bodyOf({ examples }), '{"a":8}');
      assert.equal(bodyOf({}), '{"a":1}');
      assert.equal(bodyOf({ examples }, { example: 'hai' }), '{"a":9}');
      assert.equal(bodyOf({ examples }, { example: 'khong-co' }), '{"a":8}');
      assert.equal(bodyOf({ examples: { xa: { externalValue: 'http://127.0.0.1/x' } } }), '{"a":1}');
    });

    it('says which wishes it met', () => {
      const operation = operationOf(answering(json({ examples: { mot: { value: { a: 8 } } } })));
      const applied = (wish: Partial<SampleWish>) => made(operation, wish).applied;
      assert.deepEqual(applied({ example: 'mot', status: 200 }), { status: true, example: true });
      assert.deepEqual(applied({ example: 'hai', status: 404 }), { status: false, example: false });
      assert.deepEqual(applied({ example: '__proto__' }), { status: false, example: false });
    });

    for (const [responses, status] of [
      [{ '201': {}, '200': {} }, 200],
      [{ '204': {}, '202': {} }, 202],
      [{ default: {} }, 200],
      [{ '2XX': {}, '404': {} }, 200],
      [{ '404': {}, '207': {} }, 207],
    ] as const) {
      it(`answers ${status} where ${Object.keys(responses).join(', ')} are documented`, () => {
        const described = Object.fromEntries(Object.keys(responses).map((key) => [key, { description: '' }]));
        assert.equal(made(respond(described)).status, status);
      });
    }

    it('answers a documented status that is asked for, by its own, its class or default', () => {
      const operation = respond({
        '200': { description: '', content: json({}) },
        '404': { description: '', content: json({ example: { a: 404 } }) },
        '5XX': { description: '', content: json({ example: { a: 500 } }) },
      });
      const answer = (status: number) => made(operation, { status });
      assert.deepEqual([answer(404).status, answer(404).body.toString()], [404, '{"a":404}']);
      assert.deepEqual([answer(503).status, answer(503).body.toString()], [503, '{"a":500}']);
      assert.deepEqual([answer(403).status, answer(403).applied.status], [200, false]);
    });

    const REFUSED = {
      responses: {
        KhongThay: {
          description: '',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Loi' } } },
        },
      },
      schemas: {
        Loi: {
          oneOf: [
            { type: 'null' },
            {
              type: 'object',
              required: ['status'],
              properties: { status: { type: 'integer', minimum: 400 } },
            },
          ],
        },
      },
    };
    const problem = (more: Json): Json => ({
      description: '',
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Loi' }, ...more } },
    });
    for (const key of ['404', '4XX', '4xx', 'default'])
      for (const [name, response, body] of [
        ['its example', problem({ example: { status: 404 } }), { status: 404 }],
        ['one of its examples', problem({ examples: { a: { value: { status: 410 } } } }), { status: 410 }],
        ['its schema', problem({}), { status: 400 }],
        ['what it refers to', { $ref: '#/components/responses/KhongThay' }, { status: 400 }],
      ] as const)
        it(`answers a refusal documented under ${key} with ${name}`, () => {
          const responses = { '200': { description: '', content: json({}) }, [key]: response };
          const operation = operationOf(single({ responses }, '3.1.0', REFUSED));
          const answer = made(operation, { status: 404, accept: 'application/json' });
          assert.deepEqual(
            [answer.status, answer.headers['content-type'], answer.faults],
            [404, 'application/problem+json', null],
          );
          assert.deepEqual(JSON.parse(answer.body.toString()), body);
        });

    it('has no body where there can be none', () => {
      for (const answer of [
        made(respond({ '204': { description: '' } })),
        made(respond({ '200': { description: '', content: json({}) }, '304': { description: '' } }), {
          status: 304,
        }),
      ]) {
        assert.equal(answer.body.length, 0);
        assert.equal(answer.faults, null);
        assert.equal(answer.headers['content-type'], undefined);
      }
    });

    it('makes the headers that every answer has', () => {
      const headers = {
        'X-Tong': { required: true, schema: { type: 'integer', minimum: 5 } },
        'X-Ma': { required: true, schema: { type: 'string', pattern: '^[A-Z]{3}$' } },
        'X-Danh-Sach': {
          required: true,
          schema: { type: 'array', items: { type: 'string' } },
          example: ['a', 'b'],
        },
        'X-Them': { schema: { type: 'string' } },
        'X-Chu': { required: true, schema: { type: 'string' } },
      };
      const answer = made(respond({ '200': { description: '', headers } }));
      assert.equal(answer.headers['x-tong'], '5');
      assert.match(answer.headers['x-ma'] ?? '', /^[A-Z]{3}$/);
      assert.equal(answer.headers['x-danh-sach'], 'a,b');
      assert.equal(answer.headers['x-them'], undefined);
    });

    it('leaves out a header that cannot be sent, and so does not fit', () => {
      const headers = { 'X-Ten': { required: true, schema: { type: 'string' }, example: 'Sìn Hồ\r\nx: y' } };
      const { faults } = made(respond({ '200': { description: '', headers } }));
      assert.deepEqual(
        faults?.map(({ pointer }) => pointer),
        ['/header/x-ten'],
      );
    });

    for (const [type, body] of [
      ['text/plain', 'mẫu'],
      ['text/csv', 'ten,gia_tri\r\nmẫu,1\r\n'],
      ['application/xml', '<?xml version="1.0" encoding="UTF-8"?>\n<mau/>\n'],
      ['application/soap+xml', '<?xml version="1.0" encoding="UTF-8"?>\n<mau/>\n'],
    ] as const) {
      it(`makes a plausible body of ${type}`, () => {
        const answer = made(operationOf(answering({ [type]: { schema: { type: 'string' } } })));
        assert.equal(answer.faults, null);
        assert.equal(answer.body.toString(), body);
        assert.match(answer.headers['content-type'] ?? '', new RegExp(`^${type.replace('+', '\\+')}`));
      });
    }

    it('takes a text example of another type as it stands', () => {
      const content = { 'application/pdf': { example: '%PDF-1.7' } };
      assert.equal(made(operationOf(answering(content))).body.toString(), '%PDF-1.7');
    });

    it('refuses what neither example nor schema gives', () => {
      for (const content of [
        { 'application/pdf': {} },
        { 'image/*': {} },
        { 'application/pdf': { example: { a: 1 } } },
      ])
        assert.throws(
          () => operationOf(answering(content)).sampleAnswer(WISH),
          (error) => error instanceof Problem && error.code === 'not_acceptable',
        );
    });

    it('answers in the media type that the caller likes best', () => {
      const content = { ...json({}), 'text/csv': {}, 'application/pdf': {} };
      const operation = operationOf(answering(content));
      const typeOf = (accept: string) => made(operation, { accept }).headers['content-type'];
      assert.equal(typeOf('*/*'), 'application/json');
      assert.equal(typeOf('text/csv, application/json;q=0.5'), 'text/csv; charset=utf-8');
      assert.equal(typeOf('application/pdf, text/*;q=0.1'), 'text/csv; charset=utf-8');
      assert.throws(() => operation.sampleAnswer({ ...WISH, accept: 'application/pdf' }), Problem);
    });

    it('reads ranges of media types', () => {
      const typeOf = (range: string, accept?: string) =>
        made(operationOf(answering({ [range]: {} })), { accept }).headers['content-type'];
      assert.equal(typeOf('*/*'), 'application/json');
      assert.equal(typeOf('*/*', 'text/csv'), 'text/csv; charset=utf-8');
      assert.equal(typeOf('text/*'), 'text/plain; charset=utf-8');
    });

    it('gives an example even where it does not fit: the check of the answer is what refuses it', () => {
      const { faults, body } = made(operationOf(answering(json({ example: { a: 'x' } }))));
      assert.equal(body.toString(), '{"a":"x"}');
      assert.deepEqual(
        faults?.map(({ pointer }) => pointer),
        ['/body/a'],
      );
    });
  });

  describe('and the check of a document', () => {
    const warningsOf = async (content: Json): Promise<string[]> => {
      const { faults, warnings } = await checkDocument(JSON.stringify(answering(content)));
      assert.deepEqual(faults, []);
      return warnings.map(({ pointer }) => pointer);
    };
    const CONTENT = '/paths/~1x/get/responses/200/content/application~1json';
    const schema = { type: 'integer' };

    it('warns of examples that do not fit, by their places', async () => {
      const examples = { dung: { value: 1 }, sai: { value: 'x' } };
      assert.deepEqual(await warningsOf({ 'application/json': { schema, examples } }), [
        `${CONTENT}/examples/sai`,
      ]);
      assert.deepEqual(await warningsOf({ 'application/json': { schema, example: 'x' } }), [
        `${CONTENT}/example`,
      ]);
    });

    it('warns where an example is needed', async () => {
      const impossible = { type: 'string', pattern: '^[\\u4e00-\\u4e01]$' };
      assert.deepEqual(await warningsOf({ 'application/json': { schema: impossible } }), [CONTENT]);
    });

    it('has nothing to say of what fits', async () => {
      assert.deepEqual(await warningsOf({ 'application/json': { schema, example: 3 } }), []);
      assert.deepEqual(await warningsOf({ 'application/json': { schema } }), []);
    });
  });

  describe('of the sample province', () => {
    const folder = join(SAMPLE_FOLDER, 'services');
    for (const slug of readdirSync(folder)) {
      const text = readFileSync(join(folder, slug, 'openapi.yaml'), 'utf8');
      for (const [id, operation] of compileContract(text).operations) {
        it(`${slug} ${id}`, () => assert.equal(made(operation).faults, null));
      }
    }
  });
});

function nested(depth: number, inner: unknown): unknown {
  return depth === 0 ? inner : { type: 'array', minItems: 9, items: nested(depth - 1, inner) };
}
