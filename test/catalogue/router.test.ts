import assert from 'node:assert/strict';
import { Problem } from '../../gateway/base/problem.js';
import { compileContract } from '../../gateway/catalogue/contract.js';
import type { Json } from './documents.js';

const names = (template: string): string[] =>
  [...template.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');

function contractOf(routes: Record<string, string>): ReturnType<typeof compileContract> {
  const paths: Json = {};
  for (const [id, route] of Object.entries(routes)) {
    const [method = '', path = ''] = route.split(' ');
    const parameters = names(path).map((name) => ({
      name,
      in: 'path',
      required: true,
      schema: { type: 'string' },
    }));
    (paths[path] ??= {})[method.toLowerCase()] = {
      operationId: id,
      parameters,
      responses: { default: { description: '' } },
    };
  }
  return compileContract({ openapi: '3.1.0', info: { title: 'x', version: '1' }, paths });
}

const contract = contractOf({
  root: 'GET /',
  list: 'GET /don-vi',
  add: 'POST /don-vi',
  one: 'GET /don-vi/{ma}',
  remove: 'DELETE /don-vi/{ma}',
  fixed: 'GET /don-vi/tat-ca',
  file: 'GET /don-vi/{ma}.json',
  prefixed: 'GET /bao-cao-{nam}',
  report: 'GET /tep/report.{format}',
  slash: 'GET /co-gach/',
  deep: 'GET /a/{ma-ho-so}/b/{x:y}',
  accents: 'GET /hồ-sơ/{ma}',
  colon: 'POST /a:huy',
});

const FOUND: readonly [call: string, id: string, params: Record<string, string>][] = [
  ['GET /', 'root', {}],
  ['GET /don-vi', 'list', {}],
  ['POST /don-vi', 'add', {}],
  ['GET /don-vi/03532', 'one', { ma: '03532' }],
  ['GET /don-vi/tat-ca', 'fixed', {}],
  ['GET /don-vi/03532.json', 'file', { ma: '03532' }],
  ['GET /bao-cao-2025', 'prefixed', { nam: '2025' }],
  ['GET /tep/report.pdf', 'report', { format: 'pdf' }],
  ['GET /co-gach/', 'slash', {}],
  ['GET /a/1/b/2', 'deep', { 'ma-ho-so': '1', 'x:y': '2' }],
  ['GET /don-vi/a%2Fb', 'one', { ma: 'a/b' }],
  ['GET /don-vi/a%252Fb', 'one', { ma: 'a%2Fb' }],
  ['GET /don-vi/%C4%90%C3%A0', 'one', { ma: 'Đà' }],
  ['GET /don-vi/a%3Fb%23', 'one', { ma: 'a?b#' }],
  ['GET /don-vi/a;b=c,d', 'one', { ma: 'a;b=c,d' }],
  ['GET /h%E1%BB%93-s%C6%A1/1', 'accents', { ma: '1' }],
  ['POST /a:huy', 'colon', {}],
];

const NOT_FOUND = [
  'GET ',
  'GET /khong',
  'GET /Don-vi',
  'GET /don-vi/',
  'GET //don-vi',
  'GET /don-vi/1/2',
  'GET /co-gach',
  'GET /don-vi/../x/y',
  `GET /don-vi/${'x'.repeat(3000)}`,
];
const MALFORMED = [
  '/don-vi/%',
  '/don-vi/%zz',
  '/don-vi/%E1%BB',
  '/don-vi/..',
  '/don-vi/%2e%2e',
  '/don-vi/.',
  '/don-vi/a%00',
  '/don-vi/a%0ab',
  '/don-vi/a#b',
  '/don-vi/a?b',
];
const OTHER_METHODS: readonly [call: string, allow: readonly string[]][] = [
  ['PUT /don-vi', ['GET', 'POST']],
  ['POST /don-vi/1', ['DELETE', 'GET']],
  ['HEAD /don-vi', ['GET', 'POST']],
  ['get /don-vi', ['GET', 'POST']],
  ['FOO /', ['GET']],
];

function find(call: string): ReturnType<typeof contract.match> {
  const at = call.indexOf(' ');
  return contract.match(call.slice(0, at), call.slice(at + 1));
}

describe('finding an operation', () => {
  for (const [call, id, params] of FOUND) {
    it(call, () => {
      const found = find(call);
      assert.ok(found !== null && 'operation' in found);
      assert.deepEqual([found.operation.id, { ...found.params }], [id, params]);
    });
  }

  for (const call of NOT_FOUND)
    it(`finds nothing: ${call.slice(0, 40)}`, () => assert.equal(find(call), null));

  for (const path of MALFORMED) {
    it(`refuses ${path}`, () => {
      assert.throws(
        () => contract.match('GET', path),
        (error: unknown) => error instanceof Problem && error.code === 'request_malformed',
      );
    });
  }

  for (const [call, allow] of OTHER_METHODS) {
    it(`names the methods there are instead of ${call}`, () => assert.deepEqual(find(call), { allow }));
  }

  it('knows what changes something at the source', () => {
    const mutating = [...contract.operations.values()].filter((one) => one.mutating).map((one) => one.id);
    assert.deepEqual(mutating, ['add', 'remove', 'colon']);
  });
});
