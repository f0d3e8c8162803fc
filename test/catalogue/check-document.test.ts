import assert from 'node:assert/strict';
import { checkDocument } from '../../gateway/catalogue/check-document.js';
import { type Json, places, sample, single } from './documents.js';

interface Case {
  readonly name: string;
  readonly document: Json;
  readonly faults: readonly string[];
}

const DON_VI = '/components/schemas/DonVi';
const GET = '/paths/~1don-vi~1{ma}/get';
const POST = '/paths/~1don-vi/post';
const PARAMETER = '/paths/~1x/get/parameters/0';

const schema = (change: (schema: Json, document: Json) => void, version: '3.0.3' | '3.1.0' = '3.1.0'): Json =>
  sample(version, (d) => change(d['components'].schemas.DonVi, d));
const property = (value: unknown, version: '3.0.3' | '3.1.0' = '3.1.0'): Json =>
  schema((s) => (s['properties'].x = value), version);
const changed = (change: (document: Json) => void): Json => sample('3.1.0', change);
const get = (change: (operation: Json) => void): Json =>
  changed((d) => change(d['paths']['/don-vi/{ma}'].get));
const parameter = (value: Json): Json => single({ parameters: [value] });
const query = (value: Json): Json => parameter({ name: 'q', in: 'query', ...value });
const body = (content: Json): Json => single({ requestBody: { content } });
const X = `${DON_VI}/properties/x`;

const REFERENCES: Case[] = [
  {
    name: 'a reference to a file',
    document: property({ $ref: 'file:///etc/passwd' }),
    faults: [`${X}/$ref $ref`],
  },
  {
    name: 'a reference to an address',
    document: property({ $ref: 'http://127.0.0.1/x.json#/a' }),
    faults: [`${X}/$ref $ref`],
  },
  { name: 'a relative reference', document: property({ $ref: 'x.json' }), faults: [`${X}/$ref $ref`] },
  {
    name: 'a reference that leads nowhere',
    document: property({ $ref: '#/components/schemas/Khong' }),
    faults: [`${X}/$ref $ref`],
  },
  {
    name: 'a reference to an inherited name',
    document: property({ $ref: '#/components/schemas/constructor' }),
    faults: [`${X}/$ref $ref`],
  },
  {
    name: 'a reference to something of another kind',
    document: property({ $ref: '#/info' }),
    faults: [`${X}/$ref $ref`],
  },
  {
    name: 'parameters that refer to each other',
    document: changed((d) => {
      d['components'].parameters = {
        a: { $ref: '#/components/parameters/b' },
        b: { $ref: '#/components/parameters/a' },
      };
    }),
    faults: ['/components/parameters/a/$ref circular', '/components/parameters/b/$ref circular'],
  },
  {
    name: 'an external reference in a response nobody uses',
    document: changed((d) => (d['components'].responses = { r: { $ref: 'other.yaml' } })),
    faults: ['/components/responses/r/$ref $ref'],
  },
];

const SCHEMAS: Case[] = [
  { name: 'an unknown type (3.1)', document: property({ type: 'strin' }), faults: [`${X}/type enum`] },
  {
    name: 'an unknown type (3.0)',
    document: property({ type: 'strin' }, '3.0.3'),
    faults: [`${X}/type enum`],
  },
  {
    name: 'two types in 3.0',
    document: property({ type: ['string', 'null'] }, '3.0.3'),
    faults: [`${X}/type enum`],
  },
  {
    name: 'an unknown keyword',
    document: property({ type: 'string', maxLenght: 5 }),
    faults: [`${X}/maxLenght unknownKeyword`],
  },
  {
    name: 'nullable in 3.1',
    document: property({ type: 'string', nullable: true }),
    faults: [`${X}/nullable unknownKeyword`],
  },
  {
    name: 'const in 3.0',
    document: property({ const: 1 }, '3.0.3'),
    faults: [`${X}/const unknownKeyword`],
  },
  {
    name: 'a keyword with a name that every object inherits',
    document: property({ constructor: 1 }),
    faults: [`${X}/constructor unknownKeyword`],
  },
  { name: '$id', document: property({ $id: 'http://x/' }), faults: [`${X}/$id unknownKeyword`] },
  {
    name: '$dynamicRef',
    document: property({ $dynamicRef: '#a' }),
    faults: [`${X}/$dynamicRef unknownKeyword`],
  },
  { name: 'an unknown format', document: property({ format: 'cmnd' }), faults: [`${X}/format format`] },
  { name: 'a look-ahead', document: property({ pattern: '^(?=a)' }), faults: [`${X}/pattern pattern`] },
  { name: 'a back-reference', document: property({ pattern: '(a)\\1' }), faults: [`${X}/pattern pattern`] },
  { name: 'a broken pattern', document: property({ pattern: '(' }), faults: [`${X}/pattern pattern`] },
  {
    name: 'a look-behind in patternProperties',
    document: property({ patternProperties: { '(?<=a)': {} } }),
    faults: [`${X}/patternProperties/(?<=a) pattern`],
  },
  {
    name: 'uniqueItems over objects without a bound',
    document: property({ type: 'array', uniqueItems: true, items: { type: 'object' } }),
    faults: [`${X}/uniqueItems uniqueItems`],
  },
  {
    name: 'uniqueItems over objects with too high a bound',
    document: property({ type: 'array', uniqueItems: true, maxItems: 1001, items: { type: 'object' } }),
    faults: [`${X}/uniqueItems uniqueItems`],
  },
  { name: 'a text as minimum', document: property({ minimum: '1' }), faults: [`${X}/minimum type`] },
  {
    name: 'required that is no list',
    document: schema((s) => (s['required'] = 'ma')),
    faults: [`${DON_VI}/required type`],
  },
  { name: 'an empty oneOf', document: property({ oneOf: [] }), faults: [`${X}/oneOf minItems`] },
  { name: 'a schema that is a text', document: property('string'), faults: [`${X} type`] },
  {
    name: 'a schema that is itself',
    document: schema((s) => (s['allOf'] = [{ $ref: `#${DON_VI}` }])),
    faults: [`${DON_VI} circular`],
  },
  {
    name: 'schemas that are each other',
    document: changed((d) => {
      d['components'].schemas.A = { anyOf: [{ $ref: '#/components/schemas/B' }] };
      d['components'].schemas.B = { not: { $ref: '#/components/schemas/A' } };
    }),
    faults: ['/components/schemas/A circular'],
  },
  {
    name: 'many faults at once, sorted',
    document: schema((s) => {
      s['properties'].b = { format: 'x' };
      s['properties'].a = { pattern: '(' };
      s['properties'].c = { $ref: 'x' };
    }),
    faults: [
      `${DON_VI}/properties/a/pattern pattern`,
      `${DON_VI}/properties/b/format format`,
      `${DON_VI}/properties/c/$ref $ref`,
    ],
  },
];

const OPERATIONS: Case[] = [
  { name: 'no operations', document: changed((d) => (d['paths'] = {})), faults: ['/paths minItems'] },
  {
    name: 'an id used twice',
    document: changed((d) => (d['paths']['/don-vi'].post.operationId = 'xem')),
    faults: [`${POST}/operationId duplicate`],
  },
  {
    name: 'an id with a blank',
    document: get((o) => (o['operationId'] = 'xem don vi')),
    faults: [`${GET}/operationId pattern`],
  },
  {
    name: 'two templates of one shape',
    document: changed((d) => {
      const item = structuredClone(d['paths']['/don-vi/{ma}']);
      item.get.operationId = 'khac';
      item.get.parameters[0].name = 'so';
      d['paths']['/don-vi/{so}'] = item;
    }),
    faults: ['/paths/~1don-vi~1{so} pathConflict'],
  },
  {
    name: 'an undeclared path parameter',
    document: get((o) => (o['parameters'] = [])),
    faults: [`${GET} pathParameter`],
  },
  {
    name: 'a path parameter that the path has not',
    document: get((o) =>
      o['parameters'].push({ name: 'so', in: 'path', required: true, schema: { type: 'string' } }),
    ),
    faults: [`${GET}/parameters/1 pathParameter`],
  },
  {
    name: 'an optional path parameter',
    document: get((o) => (o['parameters'][0].required = false)),
    faults: [`${GET}/parameters/0/required required`],
  },
  {
    name: 'a parameter declared twice',
    document: get((o) =>
      o['parameters'].push(
        { name: 'X-A', in: 'header', schema: { type: 'string' } },
        { name: 'x-a', in: 'header', schema: { type: 'string' } },
      ),
    ),
    faults: [`${GET}/parameters/2 duplicate`],
  },
  {
    name: 'a body on GET',
    document: get((o) => (o['requestBody'] = { content: { 'application/json': {} } })),
    faults: [`${GET}/requestBody requestBody`],
  },
  {
    name: 'no successful response',
    document: get((o) => (o['responses'] = { '404': { description: '' } })),
    faults: [`${GET}/responses success`],
  },
  {
    name: 'a status that is none',
    document: get((o) => (o['responses']['abc'] = { description: '' })),
    faults: [`${GET}/responses/abc unevaluatedProperties`],
  },
  {
    name: 'TRACE',
    document: changed((d) => (d['paths']['/don-vi'].trace = { responses: { default: { description: '' } } })),
    faults: ['/paths/~1don-vi/trace method'],
  },
  {
    name: 'two parameters in one segment',
    document: changed((d) => {
      d['paths']['/a/{b}.{c}'] = {
        get: {
          parameters: ['b', 'c'].map((name) => ({
            name,
            in: 'path',
            required: true,
            schema: { type: 'string' },
          })),
          responses: { default: { description: '' } },
        },
      };
    }),
    faults: ['/paths/~1a~1{b}.{c} path'],
  },
  {
    name: 'a path with a wildcard',
    document: changed((d) => (d['paths']['/a/*'] = { get: { responses: { default: { description: '' } } } })),
    faults: ['/paths/~1a~1* path'],
  },
  {
    name: 'an extension of ours that does not exist',
    document: get((o) => (o['x-lgsp-cache'] = 5)),
    faults: [`${GET}/x-lgsp-cache extension`],
  },
  {
    name: 'a missing title',
    document: changed((d) => delete d['info'].title),
    faults: ['/info/title required'],
  },
  {
    name: 'a missing response description',
    document: get((o) => delete o['responses']['200'].description),
    faults: [`${GET}/responses/200/description required`],
  },
];

const PARAMETERS: Case[] = [
  { name: 'neither schema nor content', document: query({}), faults: [`${PARAMETER} schema`] },
  {
    name: 'content of another type',
    document: query({ content: { 'text/csv': {} } }),
    faults: [`${PARAMETER} schema`],
  },
  {
    name: 'a value or a list',
    document: query({ schema: { type: ['string', 'array'], items: {} } }),
    faults: [`${PARAMETER}/schema type`],
  },
  {
    name: 'a list of objects',
    document: query({ schema: { type: 'array', items: { type: 'object' } } }),
    faults: [`${PARAMETER}/schema type`],
  },
  {
    name: 'an object without properties',
    document: query({ schema: { type: 'object', additionalProperties: true } }),
    faults: [`${PARAMETER} properties`],
  },
  {
    name: 'deepObject for a text',
    document: query({ style: 'deepObject', schema: { type: 'string' } }),
    faults: [`${PARAMETER}/style style`],
  },
  {
    name: 'pipeDelimited exploded',
    document: query({
      style: 'pipeDelimited',
      explode: true,
      schema: { type: 'array', items: { type: 'string' } },
    }),
    faults: [`${PARAMETER}/explode explode`],
  },
  {
    name: 'an object in a header',
    document: parameter({ name: 'X-A', in: 'header', schema: { type: 'object' } }),
    faults: [`${PARAMETER}/schema type`],
  },
  {
    name: 'a header that carries credentials',
    document: parameter({ name: 'DPoP', in: 'header', schema: { type: 'string' } }),
    faults: [`${PARAMETER}/name reserved`],
  },
  {
    name: 'a name that reaches for prototypes',
    document: parameter({ name: '__proto__', in: 'query', schema: { type: 'string' } }),
    faults: [`${PARAMETER}/name name`],
  },
  {
    name: 'an object that takes the key of another parameter',
    document: single({
      parameters: [
        { name: 'a', in: 'query', schema: { type: 'string' } },
        { name: 'o', in: 'query', schema: { type: 'object', properties: { a: { type: 'string' } } } },
      ],
    }),
    faults: ['/paths/~1x/get/parameters/1 duplicate'],
  },
];

const BODIES: Case[] = [
  { name: 'no media type', document: body({}), faults: ['/paths/~1x/post/requestBody/content content'] },
  {
    name: 'a media type that is none',
    document: body({ json: {} }),
    faults: ['/paths/~1x/post/requestBody/content/json mediaType'],
  },
  {
    name: 'a partial wildcard',
    document: body({ 'application/x-*': {} }),
    faults: ['/paths/~1x/post/requestBody/content/application~1x-* mediaType'],
  },
  {
    name: 'one media type in two spellings',
    document: body({ 'application/json': {}, 'Application/JSON; charset=utf-8': {} }),
    faults: ['/paths/~1x/post/requestBody/content/Application~1JSON; charset=utf-8 duplicate'],
  },
  {
    name: 'multipart with a structure',
    document: body({ 'multipart/form-data': { schema: { type: 'object' } } }),
    faults: ['/paths/~1x/post/requestBody/content/multipart~1form-data/schema unsupported'],
  },
  {
    name: 'a form with an object inside',
    document: body({
      'application/x-www-form-urlencoded': {
        schema: { type: 'object', properties: { a: { type: 'object' } } },
      },
    }),
    faults: ['/paths/~1x/post/requestBody/content/application~1x-www-form-urlencoded/schema unsupported'],
  },
  {
    name: 'a response header that cannot be read',
    document: get((o) => (o['responses']['200'].headers = { 'X-A': { schema: { type: 'object' } } })),
    faults: [`${GET}/responses/200/headers/X-A/schema type`],
  },
];

const TEXTS: readonly [name: string, text: string, faults: readonly string[]][] = [
  ['nothing', '', [' type']],
  ['a list', '[]', [' type']],
  ['broken YAML', 'openapi: 3.1.0\n  info: [', [' syntax']],
  ['an unknown version', '{"openapi":"3.2.0"}', ['/openapi version']],
  ['Swagger 2', 'swagger: "2.0"', ['/openapi version']],
  ['a name twice in YAML', 'openapi: 3.1.0\ninfo:\n  title: a\n  title: b\n', ['/info/title duplicate']],
  ['a name twice in JSON', '{"openapi":"3.1.0","info":{"title":"a","title":"b"}}', ['/info/title duplicate']],
  ['a name twice in a list', 'openapi: 3.1.0\ntags:\n  - name: a\n    name: b\n', ['/tags/0/name duplicate']],
  ['a tag', 'openapi: !!js/function "x"', [' syntax']],
  ['two documents', 'openapi: 3.1.0\n---\nopenapi: 3.1.0\n', [' syntax']],
  ['__proto__', '{"openapi":"3.1.0","info":{"__proto__":{"a":1}}}', ['/info/__proto__ prototype']],
  ['infinity', 'openapi: 3.1.0\nx-a: .inf\n', ['/x-a type']],
  ['more than 2 MB', `# ${'x'.repeat(2_100_000)}`, [' size']],
  ['endless lists', `openapi: ${'['.repeat(100_000)}`, [' syntax']],
  ['an alias bomb', bomb(), [' alias']],
];

function bomb(): string {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `x-${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]`,
  );
  return ['openapi: 3.1.0', 'x-0: &a0 [x]', ...levels].join('\n');
}

describe('checking a document', () => {
  for (const version of ['3.0.3', '3.1.0'] as const) {
    it(`finds no fault in a correct OpenAPI ${version} document`, async () => {
      const { faults, operations } = await checkDocument(JSON.stringify(sample(version)));
      assert.deepEqual(faults, []);
      assert.deepEqual(
        operations.map(({ id, method, template }) => [id, method, template]),
        [
          ['xem', 'GET', '/don-vi/{ma}'],
          ['them', 'POST', '/don-vi'],
        ],
      );
    });
  }

  const groups = { REFERENCES, SCHEMAS, OPERATIONS, PARAMETERS, BODIES };
  for (const [group, cases] of Object.entries(groups)) {
    describe(group.toLowerCase(), () => {
      for (const { name, document, faults } of cases) {
        it(`refuses ${name}`, async () => {
          const report = await checkDocument(JSON.stringify(document));
          assert.deepEqual(places(report.faults), faults);
          for (const { message } of report.faults) assert.ok(message.vi !== '' && message.en !== '');
        });
      }
    });
  }

  for (const [name, text, faults] of TEXTS) {
    it(`refuses a text: ${name}`, async () => {
      assert.deepEqual(places((await checkDocument(text)).faults), faults);
    });
  }

  it('accepts nesting of 64 schemas and refuses 65', async () => {
    const nested = (levels: number): Json => {
      let inner: Json = { type: 'string' };
      for (let i = 1; i < levels; i += 1) inner = { type: 'object', properties: { a: inner } };
      return inner;
    };
    const document = (levels: number): string =>
      JSON.stringify(changed((d) => (d['components'].schemas.Sau = nested(levels))));
    assert.deepEqual((await checkDocument(document(65))).faults, []);
    const { faults } = await checkDocument(document(66));
    assert.deepEqual(
      faults.map(({ keyword }) => keyword),
      ['depth'],
    );
  });

  it('lists 200 faults and says how many more there are', async () => {
    const document = schema((s) => {
      for (let i = 0; i < 250; i += 1) s['properties'][`p${i}`] = { format: 'x' };
    });
    const { faults } = await checkDocument(JSON.stringify(document));
    assert.equal(faults.length, 201);
    assert.deepEqual(faults.at(-1)?.message.en, '50 more faults are not listed');
  });

  it('gives an operation without an id the same id every time', async () => {
    const document = changed((d) => {
      delete d['paths']['/don-vi/{ma}'].get.operationId;
      delete d['paths']['/don-vi'].post.operationId;
    });
    const { faults, operations } = await checkDocument(JSON.stringify(document));
    assert.deepEqual(faults, []);
    assert.deepEqual(
      operations.map(({ id }) => id),
      ['get_don-vi_by_ma', 'post_don-vi'],
    );
  });

  it('does not take data for schemas: examples, defaults and enumerations may hold anything', async () => {
    const data = { $ref: 'http://x/', pattern: '(', 'x-lgsp-a': 1, nullable: 1 };
    const document = schema((s) => {
      s['properties'].x = { default: data, enum: [data], examples: [data] };
      s['properties'].example = { type: 'string' };
    });
    assert.deepEqual((await checkDocument(JSON.stringify(document))).faults, []);
  });
});
