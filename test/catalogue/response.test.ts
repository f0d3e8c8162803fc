import assert from 'node:assert/strict';
import { operationOf, places, single } from './documents.js';

const item = {
  type: 'object',
  required: ['ma'],
  additionalProperties: false,
  properties: { ma: { type: 'string', maxLength: 5 } },
};
const operation = operationOf(
  single({
    responses: {
      '200': {
        description: '',
        headers: {
          'X-Tong': { required: true, schema: { type: 'integer' } },
          'X-Loai': { schema: { enum: ['a', 'b'] } },
          'Content-Type': { schema: { type: 'integer' } },
        },
        content: {
          'application/json': { schema: { type: 'array', items: item } },
          'application/vnd.a+json': { schema: { type: 'object', additionalProperties: { type: 'integer' } } },
          'text/csv': { schema: { type: 'string' } },
        },
      },
      '204': { description: '' },
      '4XX': {
        description: '',
        content: { 'application/problem+json': { schema: { type: 'object', required: ['title'] } } },
      },
      '404': { description: '', content: { '*/*': { schema: { type: 'object' } } } },
    },
  }),
);

interface Given {
  readonly status?: number;
  readonly type?: string | null;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
}

const CASES: readonly [name: string, given: Given, faults: readonly string[]][] = [
  ['what is published', { body: '[{"ma":"a"}]' }, []],
  ['a charset', { type: 'application/json;charset=UTF-8', body: '[]' }, []],
  ['a +json type of its own', { type: 'application/vnd.a+json', body: '{"x":1}' }, []],
  ['text, unread', { type: 'text/csv', body: 'a,b' }, []],
  ['an empty text', { type: 'text/csv', body: '' }, []],
  ['a class of statuses', { status: 422, type: 'application/problem+json', body: '{"title":"x"}' }, []],
  ['a range', { status: 404, type: 'application/problem+json', body: '{}' }, []],
  ['nothing', { status: 204, type: null, body: '' }, []],
  ['an unpublished status', { status: 500, body: '[]' }, ['/status status']],
  [
    'a class that does not fit',
    { status: 422, type: 'application/problem+json', body: '{}' },
    ['/body/title required'],
  ],
  [
    'a structure as text under a range',
    { status: 404, type: 'text/html', body: '<p>' },
    ['/header/content-type mediaType'],
  ],
  ['no media type', { type: null, body: '[]' }, ['/header/content-type required']],
  ['another media type', { type: 'text/html', body: '<p>' }, ['/header/content-type mediaType']],
  [
    'another charset',
    { type: 'application/json; charset=latin1', body: '[]' },
    ['/header/content-type mediaType'],
  ],
  ['the schema of another type', { type: 'application/vnd.a+json', body: '[]' }, ['/body type']],
  ['a body that is too much', { status: 204, type: 'application/json', body: '{}' }, ['/body forbidden']],
  ['an empty body', { body: '' }, ['/body json']],
  ['broken JSON', { body: '[{' }, ['/body json']],
  ['a member twice', { body: '[{"ma":"a","ma":"b"}]' }, ['/body duplicate']],
  ['__proto__', { body: '[{"ma":"a","__proto__":1}]' }, ['/body prototype']],
  ['deep nesting', { body: '['.repeat(70) }, ['/body depth']],
  ['bytes that are no text', { body: Buffer.from([0x22, 0xc3, 0x22]) }, ['/body encoding']],
  ['a wrong item', { body: '[{"ma":"a"},{"ma":1}]' }, ['/body/1/ma type']],
  ['a missing member', { body: '[{}]' }, ['/body/0/ma required']],
  ['an extra member', { body: '[{"ma":"a","ten":"b"}]' }, ['/body/0/ten additionalProperties']],
  ['a missing header', { headers: {}, body: '[]' }, ['/header/x-tong required']],
  ['a header of another type', { headers: { 'x-tong': 'x' }, body: '[]' }, ['/header/x-tong type']],
  [
    'a header outside its values',
    { headers: { 'x-tong': '1', 'x-loai': 'c' }, body: '[]' },
    ['/header/x-loai enum'],
  ],
  ['header and body', { headers: { 'x-tong': 'x' }, body: '{}' }, ['/header/x-tong type', '/body type']],
  [
    'a compressed body',
    { headers: { 'x-tong': '1', 'content-encoding': 'gzip' }, body: 'x' },
    ['/header/content-encoding coding'],
  ],
];

function check(given: Given): ReturnType<typeof operation.validateResponse> {
  const { status = 200, type = 'application/json', headers = { 'x-tong': '5' }, body = '' } = given;
  return operation.validateResponse({ status, contentType: type, headers, body: Buffer.from(body) });
}

describe('the answer of a source', () => {
  for (const [name, given, faults] of CASES) {
    it(`${faults.length === 0 ? 'passes' : 'is refused'}: ${name}`, () => {
      const found = check(given);
      assert.equal(found === null, faults.length === 0);
      assert.deepEqual(places(found), faults);
    });
  }

  it('is refused without repeating its data, keys that look like identifiers included', () => {
    const secret = '012345678901';
    const bodies = [
      `[{"ma":"${secret}"}]`,
      `[{"${secret}":1}]`,
      `[{"ma":"a","nguyen@van.a":1}]`,
      `["${secret}"]`,
      `[${secret}]x`,
    ];
    for (const body of bodies) {
      const said = JSON.stringify(check({ body }));
      assert.ok(said.length > 10 && !said.includes(secret) && !said.includes('nguyen'), said);
    }
    const map = check({ type: 'application/vnd.a+json', body: `{"${secret}":"x"}` });
    assert.deepEqual(places(map), ['/body/* type']);
  });

  it('has no body for HEAD, whatever is declared', () => {
    const document = single({ responses: { 200: { description: '', content: { 'application/json': {} } } } });
    document['paths']['/x'] = { head: document['paths']['/x'].get };
    const head = operationOf(document);
    const answer = { status: 200, headers: {}, contentType: 'application/json' };
    assert.equal(head.validateResponse({ ...answer, body: Buffer.alloc(0) }), null);
    assert.deepEqual(places(head.validateResponse({ ...answer, body: Buffer.from('{}') })), [
      '/body forbidden',
    ]);
  });

  it('may be anything that is declared without a schema', () => {
    const free = operationOf(
      single({ responses: { default: { description: '', content: { 'application/json': {} } } } }),
    );
    const answer = { status: 299, headers: {}, contentType: 'application/json' };
    assert.equal(free.validateResponse({ ...answer, body: Buffer.from('5') }), null);
    assert.deepEqual(places(free.validateResponse({ ...answer, body: Buffer.from('x') })), ['/body json']);
  });

  it('keeps its big numbers: nothing is written anew', () => {
    const body = Buffer.from('[12345678901234567890]');
    const numbers = operationOf(
      single({
        responses: {
          200: {
            description: '',
            content: { 'application/json': { schema: { items: { type: 'integer' } } } },
          },
        },
      }),
    );
    assert.equal(
      numbers.validateResponse({ status: 200, headers: {}, contentType: 'application/json', body }),
      null,
    );
  });

  it('is described to the other doors', () => {
    assert.deepEqual(operation.answerMediaTypes, ['application/json', 'application/vnd.a+json', 'text/csv']);
    assert.deepEqual([...operation.answerHeaders], ['x-tong', 'x-loai', 'content-type']);
    assert.deepEqual(operation.responseMediaTypes(418), ['application/problem+json']);
    assert.deepEqual(operation.responseMediaTypes(500), []);
  });
});
