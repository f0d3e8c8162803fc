import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SourceError } from '../../connectors/connector.js';
import { checkConnector, connectorKinds, createConnector } from '../../connectors/registry.js';
import { call, context, facts, forever, openEgress } from './context.js';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lgsp-registry-')));
const file = join(folder, 'a.json');
writeFileSync(file, '[]');

const operation = facts({
  method: 'POST',
  pathTemplate: '/a/{ma}',
  hasBody: true,
  parameters: [
    { name: 'ma', in: 'path' },
    { name: 'ten', in: 'query' },
    { name: 'X-A', in: 'header' },
  ],
});

const http = { baseUrl: 'http://127.0.0.1:8080' };
const sqlite = { engine: 'sqlite', connection: { file } };
const server = { host: '127.0.0.1', database: 'd', user: 'u', password: '{credential.k}' };
const json = { path: file, format: 'json' };

describe('connector registry: checks', () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  const check = (kind: string, settings: unknown, binding: unknown, of = operation) =>
    checkConnector(
      { kind, settings, operations: binding === undefined ? {} : { [of.operationId]: binding }, facts: [of] },
      { egress: openEgress({ folders: [folder] }), credentialNames: ['k'] },
    );

  const good: readonly [kind: string, settings: unknown, binding: unknown][] = [
    ['http', http, {}],
    [
      'http',
      {
        ...http,
        auth: { type: 'basic', username: 'u', password: '{credential.k}' },
        headers: { 'X-K': '{caller.agency}' },
      },
      {
        path: '/b/{path.ma}',
        query: { t: '{query.ten}', u: { from: 'header.x-a' } },
        body: { fields: { a: 'body.x', b: 'caller.user', c: 'credential.k' } },
      },
    ],
    ['sql', sqlite, { sql: 'SELECT 1 WHERE 1 = :a', params: { a: 'path.ma' } }],
    [
      'sql',
      { ...sqlite, readOnly: false },
      { sql: 'DELETE FROM t WHERE a = :a', params: { a: '{body.a}%' }, write: true },
    ],
    ['sql', { engine: 'postgres', connection: server }, { sql: 'SELECT 1' }],
    ['file', json, { list: true, filters: { ten: { match: 'equals', field: 'a' } } }],
    ['file', json, { one: { by: 'a', param: 'ma' } }],
  ];
  for (const [kind, settings, binding] of good)
    it(`holds: ${kind} ${JSON.stringify(binding)}`, () =>
      assert.deepEqual(check(kind, settings, binding), []));

  const C = '/connector/settings';
  const bad: readonly [
    kind: string,
    settings: unknown,
    binding: unknown,
    pointer: string,
    keyword: string,
  ][] = [
    ['ftp', {}, {}, '/connector/kind', 'kind'],
    ['http', http, undefined, '/operations/op', 'required'],
    ['http', {}, {}, `${C}/baseUrl`, 'invalid_type'],
    ['http', { ...http, retry: 1 }, {}, C, 'unrecognized_keys'],
    ['http', { ...http, retries: 4 }, {}, `${C}/retries`, 'too_big'],
    ['http', { baseUrl: 'x' }, {}, `${C}/baseUrl`, 'address'],
    ['http', { baseUrl: 'ftp://127.0.0.1' }, {}, `${C}/baseUrl`, 'address'],
    ['http', { baseUrl: 'http://u:p@127.0.0.1' }, {}, `${C}/baseUrl`, 'address'],
    ['http', { baseUrl: 'http://127.0.0.1/?a=b' }, {}, `${C}/baseUrl`, 'address'],
    ['http', { baseUrl: 'http://169.254.169.254/' }, {}, `${C}/baseUrl`, 'egress'],
    ['http', { baseUrl: 'http://0xa9fea9fe/' }, {}, `${C}/baseUrl`, 'egress'],
    ['http', { baseUrl: 'http://10.0.0.1/' }, {}, `${C}/baseUrl`, 'egress'],
    ['http', { ...http, headers: { 'X~/A': '{' } }, {}, `${C}/headers/X~0~1A`, 'invalid_key'],
    ['http', { ...http, headers: { 'X~A': '{' } }, {}, `${C}/headers/X~0A`, 'custom'],
    ['http', { ...http, headers: { Host: 'a' } }, {}, `${C}/headers/Host`, 'header'],
    ['http', { ...http, headers: { A: '{query.ten}' } }, {}, `${C}/headers/A`, 'source'],
    ['http', { ...http, headers: { A: '{credential.x}' } }, {}, `${C}/headers/A`, 'source'],
    ['http', { ...http, auth: { type: 'bearer', token: 'lộ' } }, {}, `${C}/auth/token`, 'credential'],
    [
      'http',
      { ...http, auth: { type: 'basic', username: 'u', password: 'lộ' } },
      {},
      `${C}/auth/password`,
      'credential',
    ],
    ['http', http, { path: 'a' }, '/operations/op/path', 'template'],
    ['http', http, { path: '/a?b' }, '/operations/op/path', 'template'],
    ['http', http, { path: '/a/%2e%2E/b' }, '/operations/op/path', 'template'],
    ['http', http, { path: '/a/{path.khac}' }, '/operations/op/path', 'source'],
    ['http', http, { path: '/a/{nothing.x}' }, '/operations/op/path', 'custom'],
    ['http', http, { query: { a: { from: 'query.khac' } } }, '/operations/op/query/a/from', 'source'],
    [
      'http',
      http,
      { headers: { 'Transfer-Encoding': 'chunked' } },
      '/operations/op/headers/Transfer-Encoding',
      'header',
    ],
    ['http', http, { body: { fields: { a: 'ten' } } }, '/operations/op/body', 'source'],
    ['http', http, { body: { fields: { a: 'query.khac' } } }, '/operations/op/body', 'source'],
    ['http', http, { method: 'GET', body: { const: 1 } }, '/operations/op/body', 'method'],
    ['http', http, { response: { body: { as: 'x' } } }, '/operations/op/response/body/as', 'invalid_value'],
    [
      'http',
      http,
      { response: { body: { fields: { a: { form: 'x' } } } } },
      '/operations/op/response/body/fields/a',
      'unrecognized_keys',
    ],
    [
      'http',
      http,
      { success: { pointer: 'a', equals: [1] } },
      '/operations/op/success/pointer',
      'invalid_format',
    ],
    ['sql', { engine: 'oracle', connection: {} }, { sql: 'SELECT 1' }, `${C}/engine`, 'invalid_union'],
    [
      'sql',
      { engine: 'sqlite', connection: { file: '/etc/passwd' } },
      { sql: 'SELECT 1' },
      `${C}/connection/file`,
      'egress',
    ],
    [
      'sql',
      { engine: 'postgres', connection: { ...server, host: '10.0.0.1' } },
      { sql: 'SELECT 1' },
      `${C}/connection/host`,
      'egress',
    ],
    [
      'sql',
      { engine: 'mysql', connection: { ...server, password: 'lộ' } },
      { sql: 'SELECT 1' },
      `${C}/connection/password`,
      'credential',
    ],
    [
      'sql',
      { engine: 'mysql', connection: { ...server, password: '{credential.x}' } },
      { sql: 'SELECT 1' },
      `${C}/connection/password`,
      'source',
    ],
    ['sql', sqlite, { sql: 'SELECT 1; SELECT 2' }, '/operations/op/sql', 'statements'],
    ['sql', sqlite, { sql: 'DROP TABLE t' }, '/operations/op/sql', 'write'],
    ['sql', sqlite, { sql: 'DELETE FROM t' }, '/operations/op/sql', 'write'],
    ['sql', sqlite, { sql: 'DELETE FROM t', write: true }, '/operations/op/write', 'readOnly'],
    ['sql', sqlite, { sql: 'SELECT :a' }, '/operations/op/sql', 'parameter'],
    ['sql', sqlite, { sql: 'SELECT 1', params: { a: 'path.ma' } }, '/operations/op/params/a', 'parameter'],
    ['sql', sqlite, { sql: 'SELECT :a', params: { a: 'path.khac' } }, '/operations/op/params/a', 'source'],
    ['sql', sqlite, { sql: 'SELECT :a', params: { a: '{path.khac}%' } }, '/operations/op/params/a', 'source'],
    [
      'sql',
      sqlite,
      { sql: 'SELECT :a', params: { a: { from: 'ma' } } },
      '/operations/op/params/a/from',
      'template',
    ],
    ['sql', sqlite, { sql: 'SELECT 1', one: true, wrap: { items: 'a' } }, '/operations/op/wrap', 'one'],
    ['sql', sqlite, { sql: 'SELECT 1', rowLimit: 10_001 }, '/operations/op/rowLimit', 'too_big'],
    ['file', { ...json, path: '/etc/passwd' }, { list: true }, `${C}/path`, 'egress'],
    [
      'file',
      json,
      { list: true, filters: { khac: { match: 'equals', field: 'a' } } },
      '/operations/op/filters/khac',
      'source',
    ],
    ['file', json, { list: true, page: { limit: 'khac' } }, '/operations/op/page/limit', 'source'],
    ['file', json, { one: { by: 'a', param: 'khac' } }, '/operations/op/one/param', 'source'],
    ['file', json, { list: true, sort: { by: '' } }, '/operations/op/sort/by', 'too_small'],
  ];
  for (const [kind, settings, binding, pointer, keyword] of bad)
    it(`refuses ${kind} ${JSON.stringify(settings).slice(0, 60)} ${JSON.stringify(binding)}: ${pointer} ${keyword}`, () => {
      const found = check(kind, settings, binding);
      assert.deepEqual(
        found.map((fault) => [fault.pointer, fault.keyword]),
        [[pointer, keyword]],
      );
      for (const fault of found)
        assert.ok(fault.vi.length > 0 && fault.en.length > 0 && fault.vi !== fault.en);
    });

  it('escapes operation ids in pointers, and names a binding without an operation', () => {
    const found = checkConnector(
      { kind: 'http', settings: http, operations: { 'a/b~c': {} }, facts: [] },
      { egress: openEgress(), credentialNames: [] },
    );
    assert.deepEqual(
      found.map((fault) => fault.pointer),
      ['/operations/a~1b~0c'],
    );
  });

  it('lists every fault at once', () => {
    const found = check(
      'http',
      { baseUrl: 'http://10.0.0.1', headers: { Host: 'x' } },
      { path: 'a', query: { a: '{query.khac}' } },
    );
    assert.equal(found.length, 4);
  });

  it('has its three kinds', () => assert.deepEqual([...connectorKinds.keys()], ['http', 'sql', 'file']));
});

describe('connector registry: making', () => {
  const cases: readonly [title: string, kind: string, settings: unknown][] = [
    ['an unknown kind', 'ftp', {}],
    ['settings that do not hold', 'http', {}],
    ['an address that is not allowed any more', 'http', { baseUrl: 'http://10.0.0.1' }],
    ['a credential that is gone', 'http', { ...http, headers: { A: '{credential.k}' } }],
    ['a file that is gone', 'sql', { engine: 'sqlite', connection: { file: '/none' } }],
  ];
  for (const [title, kind, settings] of cases)
    it(`makes a connector that is unreachable for ${title}`, async () => {
      const connector = createConnector(
        { kind, settings, operations: { op: kind === 'sql' ? { sql: 'SELECT 1' } : {} }, facts: [operation] },
        context(),
      );
      await assert.rejects(
        connector.call(call(), forever()),
        (error) => error instanceof SourceError && error.fault === 'unreachable',
      );
      assert.equal((await connector.probe(forever())).ok, false);
      await connector.close();
    });
});
