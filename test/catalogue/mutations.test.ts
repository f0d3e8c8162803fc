import assert from 'node:assert/strict';
import fc from 'fast-check';
import { checkDocument } from '../../gateway/catalogue/check-document.js';
import { compileContract } from '../../gateway/catalogue/contract.js';
import { type Json, request, sample } from './documents.js';

/** Every place of a document, as paths. */
function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))];
}

function replaced(document: Json, path: readonly string[], name: string | null, value: unknown): Json {
  if (path.length === 0 && name === null) return document;
  const copy = structuredClone(document);
  let holder: Json = copy;
  for (const part of name === null ? path.slice(0, -1) : path) {
    if (typeof holder[part] !== 'object' || holder[part] === null) return copy;
    holder = holder[part];
  }
  const key = name ?? path.at(-1) ?? '';
  if (value === undefined) Reflect.deleteProperty(holder, key);
  else holder[key] = value;
  return copy;
}

const rich = (version: '3.0.3' | '3.1.0'): Json =>
  sample(version, (d) => {
    const item = d['paths']['/don-vi/{ma}'];
    item.parameters = [{ $ref: '#/components/parameters/Trang' }];
    item.get.responses['200'].headers = { 'X-A': { schema: { type: 'integer' } } };
    item.get.responses['4XX'] = { $ref: '#/components/responses/Loi' };
    d['paths']['/don-vi'].post.requestBody.content['application/x-www-form-urlencoded'] = {
      schema: { type: 'object', properties: { a: { type: 'string' } } },
    };
    d['components'].parameters = {
      Trang: {
        name: 'trang',
        in: 'query',
        style: 'deepObject',
        schema: { type: 'object', properties: { so: { type: 'integer' } } },
      },
    };
    d['components'].responses = {
      Loi: { description: '', content: { 'application/problem+json': { schema: { type: 'object' } } } },
    };
    Object.assign(d['components'].schemas.DonVi, {
      allOf: [{ minProperties: 1 }],
      additionalProperties: false,
    });
  });

const DOCUMENTS = [rich('3.0.3'), rich('3.1.0')];
const PLACES = DOCUMENTS.map((document) => pathsOf(document));
const NAMES = [
  '$ref',
  'type',
  'items',
  'schema',
  'content',
  'required',
  'properties',
  'in',
  'name',
  'style',
  'nullable',
  'oneOf',
  'enum',
  'pattern',
  'x-lgsp-binding',
  'parameters',
  'constructor',
];
const VALUES = [
  undefined,
  null,
  true,
  0,
  -1,
  '',
  'x',
  [],
  {},
  [null],
  [{}],
  { $ref: '#/' },
  { $ref: '#/components/schemas/DonVi' },
  { $ref: 5 },
  '#/components/schemas/DonVi',
  'object',
  'array',
  ['object', 'null'],
  'deepObject',
  'path',
  '(?=a)',
  [['a']],
  { a: null },
  { allOf: [{ $ref: '#/components/schemas/DonVi' }] },
];

describe('any change to a document', () => {
  it('is a fault with a place, or leaves a contract that compiles and answers', async function () {
    this.timeout(120_000);
    const change = fc.record({
      document: fc.nat({ max: DOCUMENTS.length - 1 }),
      place: fc.nat(),
      name: fc.option(fc.constantFrom(...NAMES)),
      value: fc.constantFrom(...VALUES),
    });
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(change, async ({ document, place, name, value }) => {
        const paths = PLACES[document]!;
        const changed = replaced(DOCUMENTS[document]!, paths[place % paths.length]!, name, value);
        const { faults } = await checkDocument(JSON.stringify(changed));
        if (faults.length > 0) {
          refused += 1;
          for (const fault of faults) assert.notEqual(fault.keyword, 'compile', JSON.stringify(fault));
          return;
        }
        for (const operation of compileContract(JSON.stringify(changed)).operations.values()) {
          operation.compile((pointer, error) => assert.fail(`${pointer}: ${String(error)}`));
          try {
            operation.validateRequest(request({ body: Buffer.from('{}'), contentType: 'application/json' }));
          } catch (error) {
            assert.equal((error as Error).name, 'Problem', String(error));
          }
        }
      }),
      { numRuns: 150 },
    );
    assert.ok(refused > 15);
  });
});
