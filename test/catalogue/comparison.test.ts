import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compareDocuments, compareDocumentTexts } from '../../gateway/catalogue/comparison/compare.js';
import type { ContractChange } from '../../gateway/catalogue/comparison/findings.js';
import { compareManifestTexts } from '../../gateway/catalogue/comparison/manifests.js';
import { documentOf } from '../../gateway/catalogue/document.js';

type Json = Record<string, any>;

/** A document with one operation: what it takes, what it answers. */
function documentWith(operation: Json, more: Json = {}, openapi = '3.1.0'): Json {
  return {
    openapi,
    info: { title: 'x', version: '1.0.0' },
    paths: {
      '/a/{id}': { get: { operationId: 'doc', responses: { 200: { description: '' } }, ...operation } },
    },
    ...more,
  };
}

function compared(before: Json, after: Json): readonly ContractChange[] {
  const [was, is] = [documentOf(before).document, documentOf(after).document];
  assert.ok(was !== null && is !== null);
  return compareDocuments(was, is);
}

const body = (schema: Json, required = true): Json => ({
  requestBody: { required, content: { 'application/json': { schema } } },
});
const answer = (schema: Json, status = '200'): Json => ({
  responses: { [status]: { description: '', content: { 'application/json': { schema } } } },
});
const query = (schema: Json, more: Json = {}): Json => ({
  parameters: [{ name: 'q', in: 'query', schema, ...more }],
});

const said = (changes: readonly ContractChange[]): string[] =>
  changes
    .map(({ rule, breaking, field }) => `${breaking ? '!' : ' '}${rule}${field === null ? '' : ` ${field}`}`)
    .sort();

const TEXT = { type: 'string' };
const PERSON = { type: 'object', properties: { ten: TEXT, tuoi: { type: 'integer' } }, required: ['ten'] };

/** name, schema before, schema after, whether it breaks who sends it, whether it breaks who reads it */
const SCHEMAS: readonly [string, Json, Json, boolean | null, boolean | null][] = [
  ['nothing', PERSON, { ...PERSON, description: 'mới', title: 'y', examples: [1] }, null, null],
  ['a type that is widened', { type: 'integer' }, { type: 'number' }, false, true],
  ['a type that is narrowed', { type: 'number' }, { type: 'integer' }, true, false],
  ['another type', { type: 'string' }, { type: 'integer' }, true, true],
  ['a value that may be null now', { type: 'string' }, { type: ['string', 'null'] }, false, true],
  ['a value that may be null no more', { type: ['string', 'null'] }, { type: 'string' }, true, false],
  ['any type that becomes one', {}, { type: 'string' }, true, false],
  ['a value more', { enum: ['a'] }, { enum: ['a', 'b'] }, false, true],
  ['a value less', { enum: ['a', 'b'] }, { enum: ['a'] }, true, false],
  ['a list of values that comes', TEXT, { type: 'string', enum: ['a'] }, true, false],
  ['a list of values that goes', { type: 'string', enum: ['a'] }, TEXT, false, true],
  ['a constant that becomes a choice', { const: 1 }, { enum: [1, 2] }, false, true],
  ['more room', { maxLength: 5 }, { maxLength: 6 }, false, true],
  ['less room', { maxLength: 6 }, { maxLength: 5 }, true, false],
  ['a bound that comes', { type: 'integer' }, { type: 'integer', minimum: 0 }, true, false],
  ['a bound that goes', { type: 'integer', minimum: 0 }, { type: 'integer' }, false, true],
  ['a lower minimum', { minimum: 3 }, { minimum: 2 }, false, true],
  ['a pattern that comes', TEXT, { ...TEXT, pattern: '^a' }, true, false],
  ['a pattern that goes', { ...TEXT, pattern: '^a' }, TEXT, false, true],
  ['another pattern', { ...TEXT, pattern: '^a' }, { ...TEXT, pattern: '^b' }, true, true],
  ['another format', { ...TEXT, format: 'date' }, { ...TEXT, format: 'date-time' }, true, true],
  ['unique items', { type: 'array' }, { type: 'array', uniqueItems: true }, true, false],
  ['a property more', PERSON, { ...PERSON, properties: { ...PERSON.properties, que: TEXT } }, false, false],
  ['a property less', PERSON, { ...PERSON, properties: { ten: TEXT } }, false, true],
  [
    'a property less where no other is taken',
    { ...PERSON, additionalProperties: false },
    { ...PERSON, properties: { ten: TEXT }, additionalProperties: false },
    true,
    true,
  ],
  ['a property that must be there', PERSON, { ...PERSON, required: ['ten', 'tuoi'] }, true, false],
  ['a property that may be missing', PERSON, { ...PERSON, required: [] }, false, true],
  ['no further properties', PERSON, { ...PERSON, additionalProperties: false }, true, false],
  ['further properties', { ...PERSON, additionalProperties: false }, PERSON, false, false],
  [
    'items of another type',
    { type: 'array', items: TEXT },
    { type: 'array', items: { type: 'integer' } },
    true,
    true,
  ],
  ['a choice more', { oneOf: [TEXT] }, { oneOf: [TEXT, { type: 'integer' }] }, false, true],
  ['a choice less', { oneOf: [TEXT, { type: 'integer' }] }, { oneOf: [TEXT] }, true, false],
  ['one condition more', { allOf: [TEXT] }, { allOf: [TEXT, { maxLength: 3 }] }, true, true],
  ['what is not understood', { not: { const: 1 } }, { not: { const: 2 } }, true, true],
];

describe('two versions of a contract', () => {
  for (const [name, before, after, asked, answered] of SCHEMAS) {
    it(`${name}: ${asked === true ? 'breaks' : 'spares'} who sends it`, () => {
      for (const place of [body, (schema: Json) => query(schema)]) {
        const changes = compared(documentWith(place(before)), documentWith(place(after)));
        assert.equal(changes.length === 0, asked === null, said(changes).join());
        assert.equal(
          changes.some(({ breaking }) => breaking),
          asked === true,
          said(changes).join(),
        );
      }
    });
    it(`${name}: ${answered === true ? 'breaks' : 'spares'} who reads it`, () => {
      const changes = compared(documentWith(answer(before)), documentWith(answer(after)));
      assert.equal(
        changes.some(({ breaking }) => breaking),
        answered === true,
        said(changes).join(),
      );
    });
  }

  const OPERATIONS: readonly [string, Json, Json, string[]][] = [
    ['another operationId', {}, { operationId: 'khac' }, ['!operation-renamed ']],
    ['a parameter that goes', query(TEXT), {}, ['!parameter-removed']],
    ['a parameter that comes', {}, query(TEXT), [' parameter-added']],
    ['a parameter that must be there', {}, query(TEXT, { required: true }), ['!parameter-required']],
    [
      'a parameter that must be there now',
      query(TEXT),
      query(TEXT, { required: true }),
      ['!parameter-required'],
    ],
    ['a parameter in another style', query(TEXT), query(TEXT, { explode: false }), ['!parameter-style']],
    ['a body that comes', {}, body(TEXT, false), [' body-added']],
    ['a body that must come', {}, body(TEXT), ['!body-required']],
    ['a body that goes', body(TEXT), {}, ['!body-removed']],
    ['a body that must come now', body(TEXT, false), body(TEXT), ['!body-required']],
    [
      'an answer that goes',
      answer(TEXT, '201'),
      answer(TEXT, '200'),
      [' response-added ', '!response-removed '],
    ],
    [
      'a media type that goes',
      answer(TEXT),
      { responses: { 200: { description: '', content: { 'text/csv': {} } } } },
      [' media-type-added ', '!media-type-removed '],
    ],
    [
      'a header that goes',
      { responses: { 200: { description: '', headers: { ETag: { schema: TEXT } } } } },
      { responses: { 200: { description: '', headers: { etag: { schema: TEXT } } } } },
      [],
    ],
    [
      'a header that is gone',
      { responses: { 200: { description: '', headers: { ETag: { schema: TEXT } } } } },
      {},
      ['!header-removed '],
    ],
  ];
  for (const [name, before, after, expected] of OPERATIONS)
    it(name, () => {
      assert.deepEqual(said(compared(documentWith(before), documentWith(after))), expected);
    });

  it('names an operation that goes, one that comes, and not the names of path parameters', () => {
    const before = documentWith({});
    const after = {
      ...before,
      paths: { '/a/{ma}': before['paths']['/a/{id}'], '/b': { get: { operationId: 'b', responses: {} } } },
    };
    assert.deepEqual(said(compared(before, after)), [' operation-added']);
    const gone = compared(after, before);
    assert.deepEqual(
      gone.map(({ pointer, rule, operation }) => [pointer, rule, operation]),
      [['/paths/~1b/get', 'operation-removed', 'b']],
    );
  });

  it('follows references, through circles, and says each field that is touched', () => {
    const tree = (leaf: Json): Json => ({
      components: {
        schemas: {
          Node: {
            type: 'object',
            properties: { ten: leaf, con: { type: 'array', items: { $ref: '#/components/schemas/Node' } } },
          },
          Two: {
            properties: {
              a: { $ref: '#/components/schemas/Leaf' },
              b: { $ref: '#/components/schemas/Leaf' },
            },
          },
          Leaf: { properties: { x: leaf } },
        },
      },
    });
    const ofNode = answer({ $ref: '#/components/schemas/Node' });
    assert.deepEqual(
      said(compared(documentWith(ofNode, tree(TEXT)), documentWith(ofNode, tree({ type: 'integer' })))),
      ['!type /ten'],
    );
    const ofTwo = answer({ type: 'array', items: { $ref: '#/components/schemas/Two' } });
    assert.deepEqual(
      said(compared(documentWith(ofTwo, tree(TEXT)), documentWith(ofTwo, tree({ type: 'integer' })))),
      ['!type /*/a/x', '!type /*/b/x'],
    );
  });

  it('ends for schemas that grow without end when they are written out', () => {
    const wide = (n: number): Json =>
      Object.fromEntries(
        Array.from({ length: n }, (_, i) => [
          `S${i}`,
          {
            properties: Object.fromEntries(
              Array.from({ length: 8 }, (_unused, j) => [
                `p${j}`,
                { $ref: `#/components/schemas/S${Math.min(i + 1, n - 1)}` },
              ]),
            ),
          },
        ]),
      );
    const before = documentWith(answer({ $ref: '#/components/schemas/S0' }), {
      components: { schemas: wide(12) },
    });
    const changes = compared(before, before);
    assert.deepEqual(
      [...new Set(changes.map(({ rule }) => rule))],
      ['composition'],
      'too large to be understood',
    );
  });

  it('knows the nullable of 3.0', () => {
    const before = documentWith(answer({ type: 'string' }), {}, '3.0.3');
    const after = documentWith(answer({ type: 'string', nullable: true }), {}, '3.0.3');
    assert.deepEqual(said(compared(before, after)), ['!type ']);
    assert.deepEqual(said(compared(after, before)), [' type ']);
  });

  it('finds no change in a contract that is the same, whatever it is', () => {
    const schema = fc.letrec((tie) => ({
      schema: fc.oneof(
        { maxDepth: 4 },
        fc.constant(TEXT),
        fc.record({ type: fc.constantFrom('integer', 'number'), minimum: fc.integer() }),
        fc.record({ type: fc.constant('array'), items: tie('schema') }),
        fc.record({
          type: fc.constant('object'),
          properties: fc.dictionary(fc.string({ maxLength: 4 }), tie('schema'), { maxKeys: 3 }),
        }),
        fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
      ),
    })).schema;
    fc.assert(
      fc.property(schema, (one) => {
        const document = documentWith({ ...body(one), ...answer(one) });
        if (documentOf(document).document === null) return;
        assert.deepEqual(compared(document, structuredClone(document)), []);
      }),
      { numRuns: 200 },
    );
  });
});

describe('what cannot be read any more', () => {
  const sound = JSON.stringify(documentWith({}));
  for (const [name, before, after] of [
    ['the old document', '{', sound],
    ['the new document', sound, 'x: ['],
    ['both documents', '', ''],
  ] as const)
    it(`breaks callers: ${name}`, () => {
      assert.deepEqual(said(compareDocumentTexts(before, after)), ['!unreadable ']);
    });
  it('is nothing where both can be read', () => assert.deepEqual(compareDocumentTexts(sound, sound), []));
});

describe('two manifests', () => {
  const defaults = { requestBytes: 1000, responseBytes: 2000, timeoutMs: 300 };
  const manifest = (more: Json) =>
    JSON.stringify({
      ...{ provider: 'H35.11', slug: 'a', version: '1.0.0', title: 'A', sharing: 'default' },
      ...{ classification: 'internal', connector: { kind: 'http', settings: {} }, ...more },
    });
  const limit = (calls: number, seconds = 60) => ({ limits: { system: { calls, seconds } } });
  const marks = { secrecyMarks: { request: ['/body/doMat'] } };
  const success = { success: { pointer: '/ok', equals: [true] } };

  /** name, before, after, what is found on the way there, and on the way back */
  const table: [string, Json, Json, string[], string[]][] = [
    ['who asks first', {}, { sharing: 'special' }, ['!/sharing'], [' /sharing']],
    ['bound tokens', {}, { senderConstrained: true }, ['!/senderConstrained'], [' /senderConstrained']],
    ['an answer kept back', { responseCheck: 'report' }, {}, ['!/responseCheck'], [' /responseCheck']],
    ['a default that is spelt out', {}, { responseCheck: 'enforce', senderConstrained: false }, [], []],
    ['smaller requests', {}, { requestBytes: 999 }, ['!/requestBytes'], [' /requestBytes']],
    ['a size that is the default', {}, { requestBytes: 1000, responseBytes: 2000, timeoutMs: 300 }, [], []],
    ['smaller answers', { responseBytes: 3000 }, {}, ['!/responseBytes'], [' /responseBytes']],
    ['less patience', {}, { timeoutMs: 299 }, [' /timeoutMs'], [' /timeoutMs']],
    ['a limit', {}, limit(5), [' /limits/system'], [' /limits/system']],
    ['a lower limit', limit(6), limit(5), [' /limits/system'], [' /limits/system']],
    ['a limit over another time', limit(6), limit(6, 90), [' /limits/system'], [' /limits/system']],
    ['no calls at all', limit(1), limit(0), ['!/limits/system'], [' /limits/system']],
    ['still no calls', limit(0), limit(0, 90), [' /limits/system'], [' /limits/system']],
    [
      'a limit for all',
      {},
      { limits: { service: { calls: 0, seconds: 1 } } },
      ['!/limits/service'],
      [' /limits/service'],
    ],
    ['the classification', {}, { classification: 'restricted' }, [' /classification'], [' /classification']],
    ['the direction', {}, { direction: 'collect' }, [' /direction'], [' /direction']],
    ['marks of secrecy', {}, marks, [' /secrecyMarks'], [' /secrecyMarks']],
    ['a rule of success', {}, success, [' /success'], [' /success']],
    [
      'what is the provider’s own',
      { title: 'A', connector: { kind: 'http', settings: { baseUrl: 'http://a' } }, operations: { a: {} } },
      { title: 'B', version: '1.1.0', contact: 'x', description: 'y', operations: { a: { path: '/b' } } },
      [],
      [],
    ],
  ];
  const found = (before: Json, after: Json) =>
    compareManifestTexts(manifest(before), manifest(after), defaults).map(({ part, breaking, pointer }) => {
      assert.equal(part, 'manifest');
      return `${breaking ? '!' : ' '}${pointer}`;
    });
  for (const [name, before, after, there, back] of table)
    it(`differ for callers: ${name}`, () => {
      assert.deepEqual([found(before, after), found(after, before)], [there, back]);
    });

  for (const [name, before, after] of [
    ['the old one is none', '{}', manifest({})],
    ['the new one is none', manifest({}), 'x'],
  ] as const)
    it(`break callers where ${name}`, () => {
      assert.deepEqual(said(compareManifestTexts(before, after, defaults)), ['!unreadable ']);
    });
});
