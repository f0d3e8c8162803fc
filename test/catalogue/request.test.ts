import assert from 'node:assert/strict';
import type { RequestInput } from '../../gateway/catalogue/contract.js';
import {
  bodyOperation,
  json,
  type Json,
  operationOf,
  outcome,
  problemOf,
  request,
  single,
} from './documents.js';

const PARAMETERS: Json[] = [
  { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } },
  { name: 'ten', in: 'query', schema: { type: 'string', maxLength: 10 } },
  { name: 'ngay', in: 'query', schema: { type: 'string', format: 'date' } },
  { name: 'dung', in: 'query', schema: { type: 'boolean' } },
  { name: 'tien', in: 'query', schema: { type: 'number' } },
  { name: 'either', in: 'query', schema: { oneOf: [{ type: 'integer' }, { enum: ['all'] }] } },
  { name: 'many', in: 'query', schema: { type: 'array', items: { type: 'integer' }, maxItems: 3 } },
  { name: 'comma', in: 'query', explode: false, schema: { type: 'array', items: { type: 'string' } } },
  {
    name: 'pipe',
    in: 'query',
    style: 'pipeDelimited',
    schema: { type: 'array', items: { type: 'integer' } },
  },
  {
    name: 'space',
    in: 'query',
    style: 'spaceDelimited',
    schema: { type: 'array', items: { type: 'string' } },
  },
  {
    name: 'loc',
    in: 'query',
    style: 'deepObject',
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: { tu: { type: 'integer' }, den: { type: 'integer' } },
    },
  },
  {
    name: 'trang',
    in: 'query',
    schema: {
      type: 'object',
      required: ['so'],
      properties: { so: { type: 'integer' }, co: { type: 'integer' } },
    },
  },
  {
    name: 'pairs',
    in: 'query',
    explode: false,
    schema: { type: 'object', additionalProperties: false, properties: { a: { type: 'integer' } } },
  },
  {
    name: 'dieuKien',
    in: 'query',
    content: { 'application/json': { schema: { type: 'object', required: ['a'] } } },
  },
  { name: 'ref', in: 'query', schema: { $ref: '#/components/schemas/So', maximum: 10 } },
  { name: 'constructor', in: 'query', schema: { type: 'string' } },
  { name: 'X-Ma', in: 'header', schema: { type: 'integer' } },
  { name: 'X-Nhieu', in: 'header', schema: { type: 'array', items: { type: 'integer' } } },
  { name: 'Accept', in: 'header', schema: { type: 'integer' } },
  { name: 'phien', in: 'cookie', schema: { type: 'string', minLength: 3 } },
];

const operation = operationOf(
  single({ parameters: PARAMETERS }, '3.1.0', {
    schemas: { So: { type: 'integer', properties: { a: { $ref: '#/components/schemas/So' } } } },
  }),
);
const query = (rawQuery: string): Partial<RequestInput> => ({ rawQuery });

const READ: readonly [query: string, value: Json][] = [
  ['', {}],
  ['&&', {}],
  ['limit=5', { limit: 5 }],
  ['limit=1e1', { limit: 10 }],
  ['ten=a+b', { ten: 'a b' }],
  ['ten=a%2Bb%26c', { ten: 'a+b&c' }],
  ['ten=12345', { ten: '12345' }],
  ['ten=true', { ten: 'true' }],
  ['ten=', { ten: '' }],
  ['ten=%C4%91%E1%BB%93ng', { ten: 'đồng' }],
  ['dung=true', { dung: true }],
  ['dung=false', { dung: false }],
  ['tien=-1.5', { tien: -1.5 }],
  ['either=7', { either: 7 }],
  ['either=all', { either: 'all' }],
  ['many=1', { many: [1] }],
  ['many=1&many=2', { many: [1, 2] }],
  ['comma=a,b%2Cc', { comma: ['a', 'b,c'] }],
  ['pipe=1|2', { pipe: [1, 2] }],
  ['pipe=1%7C2', { pipe: [1, 2] }],
  ['space=a%20b', { space: ['a', 'b'] }],
  ['loc[tu]=1&loc%5Bden%5D=2', { loc: { tu: 1, den: 2 } }],
  ['so=2&co=10', { trang: { so: 2, co: 10 } }],
  ['pairs=a,1', { pairs: { a: 1 } }],
  ['dieuKien=%7B%22a%22%3A1%7D', { dieuKien: { a: 1 } }],
  ['ref=10', { ref: 10 }],
  ['constructor=x', { constructor: 'x' }],
];

const REFUSED: readonly [name: string, input: Partial<RequestInput>, outcome: string][] = [
  ['a bound', query('limit=0'), 'request_invalid, /query/limit minimum'],
  ['a number with a leading zero', query('limit=05'), 'request_invalid, /query/limit type'],
  ['an empty number', query('limit='), 'request_invalid, /query/limit type'],
  ['a number in hexadecimal', query('limit=0x10'), 'request_invalid, /query/limit type'],
  ['a whole number past 2^53', query('limit=9007199254740993'), 'request_invalid, /query/limit type'],
  ['a boolean in words', query('dung=1'), 'request_invalid, /query/dung type'],
  ['a date that is none', query('ngay=2025-02-30'), 'request_invalid, /query/ngay format'],
  ['a keyword beside a reference', query('ref=11'), 'request_invalid, /query/ref maximum'],
  ['an item of a list', query('many=1&many=x'), 'request_invalid, /query/many/1 type'],
  ['too many items', query('many=1&many=2&many=3&many=4'), 'request_invalid, /query/many maxItems'],
  ['an unknown parameter', query('foo=1'), 'request_invalid, /query/foo unknown'],
  ['a name that every object has', query('toString=1'), 'request_invalid, /query/toString unknown'],
  ['__proto__', query('__proto__=1'), 'request_invalid, /query/__proto__ unknown'],
  ['a deep property that is not declared', query('loc[x]=1'), 'request_invalid, /query/loc[x] unknown'],
  ['deeper nesting', query('loc[tu][a]=1'), 'request_invalid, /query/loc[tu][a] unknown'],
  ['a missing property', query('co=1'), 'request_invalid, /query/trang/so required'],
  ['a pair that is not declared', query('pairs=b,1'), 'request_invalid, /query/pairs/b additionalProperties'],
  ['JSON that does not fit', query('dieuKien=%7B%7D'), 'request_invalid, /query/dieuKien/a required'],
  ['several faults', query('limit=0&foo=1'), 'request_invalid, /query/foo unknown, /query/limit minimum'],
  ['a scalar twice', query('limit=1&limit=2'), 'request_malformed, /query/limit duplicate'],
  [
    'a scalar twice, in other letters',
    query('limit=1&%6Cimit=2'),
    'request_malformed, /query/limit duplicate',
  ],
  ['a property twice', query('loc[tu]=1&loc[tu]=2'), 'request_malformed, /query/loc[tu] duplicate'],
  ['a pair twice', query('pairs=a,1,a,2'), 'request_malformed, /query/pairs duplicate'],
  ['a bad escape', query('ten=%E1%BB'), 'request_malformed, /query/ten percentEncoding'],
  ['a bad escape in a name', query('%zz=1'), 'request_malformed, /query percentEncoding'],
  ['JSON that is none', query('dieuKien=%7B'), 'request_malformed, /query/dieuKien json'],
  ['a header of another type', { headers: { 'x-ma': 'a' } }, 'request_invalid, /header/x-ma type'],
  ['an item in a header', { headers: { 'x-nhieu': '1, x' } }, 'request_invalid, /header/x-nhieu/1 type'],
  [
    'a cookie too short',
    { headers: { cookie: 'a=1; phien=ab' } },
    'request_invalid, /cookie/phien minLength',
  ],
  [
    'a cookie twice',
    { headers: { cookie: 'phien=abc; phien=abd' } },
    'request_malformed, /cookie/phien duplicate',
  ],
  ['a body that nobody asked for', json({}), 'request_invalid, /body forbidden'],
];

describe('the parameters of a request', () => {
  for (const [text, value] of READ) {
    it(`reads ?${text}`, () => {
      const valid = operation.validateRequest(request({ rawQuery: text }));
      assert.deepEqual({ ...valid.query }, value);
    });
  }

  for (const [name, input, expected] of REFUSED) {
    it(`refuses ${name}`, () => assert.equal(outcome(operation, input), expected));
  }

  it('reads declared headers only, and none that describe other parts', () => {
    const headers = {
      'x-ma': '12',
      'x-nhieu': '1, 2',
      accept: 'text/html',
      'x-other': '1',
      cookie: 'phien=abc',
    };
    assert.deepEqual(operation.validateRequest(request({ headers })).headers, {
      'x-ma': 12,
      'x-nhieu': [1, 2],
    });
  });

  it('names the parameters that there are when one is unknown', () => {
    const problem = problemOf(() => operation.validateRequest(request({ rawQuery: 'foo=1' })));
    assert.match(problem.parts.remedy?.vi ?? '', /limit, ten, ngay.*loc\[tu\], loc\[den\], so, co/);
  });

  it('repeats no value that was sent, and no name at length', () => {
    const secret = 'S3cretValue';
    const problem = problemOf(() =>
      operation.validateRequest(
        request({
          rawQuery: `limit=${secret}&ngay=${secret}&ten=${secret}&either=${secret}&${'k'.repeat(5000)}=1`,
        }),
      ),
    );
    const said = JSON.stringify({ parts: problem.parts, message: problem.message });
    assert.ok(!said.includes(secret));
    assert.ok(said.length < 4000);
  });

  it('takes path parameters by their types and refuses what does not fit', () => {
    const document = single({});
    document['paths'] = {
      '/x/{so}/{ds}': {
        parameters: [{ name: 'so', in: 'path', required: true, schema: { type: 'string' } }],
        get: {
          operationId: 'x',
          parameters: [
            { name: 'so', in: 'path', required: true, schema: { type: 'integer' } },
            { name: 'ds', in: 'path', required: true, schema: { type: 'array', items: { type: 'integer' } } },
          ],
          responses: { default: { description: '' } },
        },
      },
    };
    const found = operationOf(document);
    assert.deepEqual(found.validateRequest(request({ params: { so: '12', ds: '1,2' } })).path, {
      so: 12,
      ds: [1, 2],
    });
    assert.equal(
      outcome(found, { params: { so: 'x', ds: '1,y' } }),
      'request_invalid, /path/ds/1 type, /path/so type',
    );
    assert.equal(outcome(found, {}), 'request_invalid, /path/ds required, /path/so required');
  });

  it('does not open the query for an object that admits further properties', () => {
    const schema = { type: 'object', additionalProperties: true, properties: { a: { type: 'string' } } };
    const found = operationOf(single({ parameters: [{ name: 'o', in: 'query', schema }] }));
    assert.equal(outcome(found, query('a=1')), 'ok');
    assert.equal(outcome(found, query('b=1')), 'request_invalid, /query/b unknown');
  });

  it('does not take what one header says of its own members for all headers', () => {
    const schema = { type: 'string', additionalProperties: false };
    const found = operationOf(single({ parameters: [{ name: 'X-A', in: 'header', schema }] }));
    assert.equal(outcome(found, { headers: { 'x-a': 'x', 'x-b': 'y' } }), 'ok');
  });
});

const content = {
  'application/json': { schema: { type: 'object', required: ['a'], properties: { a: { type: 'integer' } } } },
  'application/vnd.lgsp+json': { schema: { type: 'array' } },
  'application/x-www-form-urlencoded': {
    schema: {
      type: 'object',
      additionalProperties: false,
      properties: {
        so: { type: 'integer' },
        ds: { type: 'array', items: { type: 'integer' } },
        ten: { type: 'string' },
      },
    },
  },
  'application/xml': { schema: { type: 'object' } },
  'text/*': {},
};
const poster = operationOf(single({ requestBody: { required: true, content } }));
const sent = (contentType: string | null, text: string | Buffer, headers = {}): Partial<RequestInput> => ({
  contentType,
  headers,
  body: Buffer.from(text),
});

const BODIES: readonly [name: string, input: Partial<RequestInput>, outcome: string][] = [
  ['JSON', sent('application/json', '{"a":1}'), 'ok'],
  ['JSON in UTF-8', sent('Application/JSON; charset="UTF-8"', '{"a":1}'), 'ok'],
  ['JSON of another schema', sent('application/vnd.lgsp+json', '[]'), 'ok'],
  ['JSON of the wrong schema', sent('application/vnd.lgsp+json', '{"a":1}'), 'request_invalid, /body type'],
  ['JSON that does not fit', sent('application/json', '{"a":"1"}'), 'request_invalid, /body/a type'],
  ['JSON that is a text', sent('application/json', '"x"'), 'request_invalid, /body type'],
  ['JSON null', sent('application/json', 'null'), 'request_invalid, /body type'],
  ['a form', sent('application/x-www-form-urlencoded', 'so=1&ds=1&ds=2&ten=a+b'), 'ok'],
  [
    'a form that does not fit',
    sent('application/x-www-form-urlencoded', 'so=x'),
    'request_invalid, /body/so type',
  ],
  [
    'a form with an unknown field',
    sent('application/x-www-form-urlencoded', 'x=1'),
    'request_invalid, /body/x additionalProperties',
  ],
  [
    'a form with a field twice',
    sent('application/x-www-form-urlencoded', 'so=1&so=2'),
    'request_malformed, /body/so duplicate',
  ],
  [
    'a form with a bad escape',
    sent('application/x-www-form-urlencoded', 'ten=%ff'),
    'request_malformed, /body/ten percentEncoding',
  ],
  ['XML, of which only the type is checked', sent('application/xml', '<a/>'), 'ok'],
  ['text under a range', sent('text/csv; charset=windows-1258', 'a,b'), 'ok'],
  ['no body', { contentType: 'application/json' }, 'request_invalid, /body required'],
  ['an empty body', sent('application/json', ''), 'request_invalid, /body required'],
  ['no media type', sent(null, '{"a":1}'), 'media_type_unsupported'],
  ['a media type that is none', sent('json', '{"a":1}'), 'media_type_unsupported'],
  ['two media types', sent('application/json, text/plain', '{"a":1}'), 'media_type_unsupported'],
  ['another media type', sent('application/pdf', 'x'), 'media_type_unsupported'],
  ['another charset', sent('application/json; charset=utf-16', '{"a":1}'), 'media_type_unsupported'],
  [
    'a compressed body',
    sent('application/json', 'x', { 'content-encoding': 'gzip' }),
    'media_type_unsupported',
  ],
  ['an identity coding', sent('application/json', '{"a":1}', { 'content-encoding': 'identity' }), 'ok'],
  ['broken JSON', sent('application/json', '{"a":1,}'), 'request_malformed, /body json'],
  ['two JSON texts', sent('application/json', '{"a":1}{}'), 'request_malformed, /body json'],
  [
    'bytes that are no text',
    sent('application/json', Buffer.from([0x7b, 0xff, 0x7d])),
    'request_malformed, /body encoding',
  ],
  ['a byte order mark', sent('application/json', '\ufeff{"a":1}'), 'request_malformed, /body encoding'],
  ['__proto__', sent('application/json', '{"a":1,"__proto__":{}}'), 'request_malformed, /body prototype'],
  [
    '__proto__ in escapes',
    sent('application/json', '{"a":1,"\\u005f_proto__":{}}'),
    'request_malformed, /body prototype',
  ],
  [
    'constructor.prototype',
    sent('application/json', '{"a":1,"constructor":{"prototype":{}}}'),
    'request_malformed, /body prototype',
  ],
  ['a member twice', sent('application/json', '{"a":"x","a":1}'), 'request_malformed, /body duplicate'],
  [
    'a member twice, deep',
    sent('application/json', '{"a":1,"b":[{"c":1,"\\u0063":2}]}'),
    'request_malformed, /body duplicate',
  ],
  ['colons and brackets in texts', sent('application/json', '{"a":1,"b":"{[:\\"::]"}'), 'ok'],
  ['64 levels', sent('application/json', `{"a":1,"b":${'['.repeat(63)}${']'.repeat(63)}}`), 'ok'],
  [
    '65 levels',
    sent('application/json', `{"a":1,"b":${'['.repeat(64)}${']'.repeat(64)}}`),
    'request_malformed, /body depth',
  ],
  ['endless levels', sent('application/json', '['.repeat(1_000_000)), 'request_malformed, /body depth'],
];

describe('the body of a request', () => {
  for (const [name, input, expected] of BODIES) {
    it(`${expected === 'ok' ? 'takes' : 'refuses'} ${name}`, () =>
      assert.equal(outcome(poster, input), expected));
  }

  it('hands on the parsed body, and null where it was not read', () => {
    assert.deepEqual(poster.validateRequest(request(json({ a: 1 }))).json, { a: 1 });
    assert.equal(poster.validateRequest(request(sent('text/plain', 'x'))).json, null);
    const form = sent('application/x-www-form-urlencoded', 'so=1&ds=2');
    assert.deepEqual(poster.validateRequest(request(form)).json, { so: 1, ds: [2] });
  });

  it('says which media types it takes', () => {
    const problem = problemOf(() => poster.validateRequest(request(sent('application/pdf', 'x'))));
    assert.equal(problem.parts.headers?.['Accept'], Object.keys(content).join(', '));
    const packed = problemOf(() =>
      poster.validateRequest(request(sent('application/json', 'x', { 'content-encoding': 'br' }))),
    );
    assert.deepEqual(packed.parts.headers, { 'Accept-Encoding': 'identity' });
  });

  it('says where JSON breaks off without repeating it', () => {
    const text = '{"soCanCuoc": "012345678901", x}';
    const problem = problemOf(() => poster.validateRequest(request(sent('application/json', text))));
    assert.equal(problem.parts.detail?.en, 'the JSON breaks off at position 30');
    assert.ok(!JSON.stringify(problem.parts).includes('0123'));
  });

  it('takes no body where none is needed', () => {
    const optional = operationOf(single({ requestBody: { content: { 'application/json': {} } } }));
    assert.equal(outcome(optional, {}), 'ok');
    assert.equal(outcome(optional, sent('application/json', '5')), 'ok');
  });

  it('lets no structure pass unchecked as text under a wildcard', () => {
    const wild = operationOf(single({ requestBody: { content: { '*/*': { schema: { type: 'object' } } } } }));
    assert.equal(outcome(wild, sent('application/json', '{}')), 'ok');
    assert.equal(outcome(wild, sent('application/json', '[]')), 'request_invalid, /body type');
    assert.equal(outcome(wild, sent('text/plain', '[]')), 'media_type_unsupported');
    const texts = operationOf(
      single({ requestBody: { content: { 'text/*': { schema: { type: 'string' } } } } }),
    );
    assert.equal(outcome(texts, sent('text/plain', 'x')), 'ok');
  });

  it('takes multipart without a schema by its type alone', () => {
    const parts = operationOf(single({ requestBody: { content: { 'multipart/form-data': {} } } }));
    assert.equal(outcome(parts, sent('multipart/form-data; boundary=x', '--x--')), 'ok');
  });

  it('lists at most 20 faults', async () => {
    const items = await bodyOperation({ type: 'array', items: { type: 'integer' } });
    const problem = problemOf(() => items.validateRequest(request(json(Array(50).fill('x')))));
    assert.equal(problem.parts.errors?.length, 20);
  });

  it('names one fault of a body that is too large to list them all', async () => {
    const items = await bodyOperation({ type: 'array', items: { type: 'integer' } });
    const problem = problemOf(() => items.validateRequest(request(json(Array(50_000).fill('x')))));
    assert.deepEqual(
      problem.parts.errors?.map(({ pointer }) => pointer),
      ['/body/0'],
    );
  });
});
