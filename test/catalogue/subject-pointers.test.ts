import assert from 'node:assert/strict';
import { checkService } from '../../gateway/catalogue/check.js';
import { SubjectPointers } from '../../gateway/catalogue/subject-pointers.js';
import { places, sample } from './documents.js';

const found = (pointer: string, body: unknown): string[] => {
  const pointers = new SubjectPointers({ request: [], response: [{ pointer, kind: 'citizen' }] });
  return [...pointers.inResponse('xem', body)].map(({ identifier }) => identifier);
};

describe('identifiers of persons in a message', () => {
  for (const [pointer, body, expected] of [
    ['/body/so', { so: '1' }, ['1']],
    ['/body/so', { so: 12 }, ['12']],
    ['/body/so', { so: ['1', '2'] }, ['1', '2']],
    ['/body/so', { so: { a: '1' } }, []],
    ['/body/so', { so: null }, []],
    ['/body/so', { so: true }, []],
    ['/body/so', {}, []],
    ['/body/so', undefined, []],
    ['/body', '1', ['1']],
    ['/body/*', ['1', '2'], ['1', '2']],
    ['/body/ds/*/so', { ds: [{ so: '1' }, {}, { so: '2' }] }, ['1', '2']],
    // One-or-many, either way round.
    ['/body/ds/*/so', { ds: { so: '1' } }, ['1']],
    ['/body/ds/so', { ds: [{ so: '1' }, { so: '2' }] }, ['1', '2']],
    ['/body/ds/*/so', { ds: { a: { so: '1' }, b: { so: '2' } } }, ['1', '2']],
    ['/body/ds/1/so', { ds: [{ so: '1' }, { so: '2' }] }, ['2']],
    ['/body/ho/*/nguoi/*/so', { ho: [{ nguoi: [{ so: '1' }] }, { nguoi: { so: '2' } }] }, ['1', '2']],
    ['/body/*/*', [['1'], ['2', '3']], ['1', '2', '3']],
    ['/body/a~1b/so', { 'a/b': { so: '1' } }, ['1']],
    ['/body/constructor', {}, []],
  ] as const) {
    it(`${pointer} in ${JSON.stringify(body)}: ${expected.join(', ')}`, () => {
      assert.deepEqual(found(pointer, body), expected);
    });
  }

  it('may be those of some operations only, in path, query and body', () => {
    const pointers = new SubjectPointers({
      request: [
        { pointer: '/path/so', kind: 'citizen', operations: ['xem'] },
        { pointer: '/query/ma', kind: 'enterprise' },
        { pointer: '/body/so', kind: 'insurance' },
      ],
      response: [{ pointer: '/body/so', kind: 'citizen', operations: ['xem'] }],
    });
    const parts = { path: { so: '1' }, query: { ma: ['2', '3'] }, body: { so: '4' } };
    const of = (operation: string): string[] =>
      [...pointers.inRequest(operation, parts)].map(({ kind, identifier }) => `${kind} ${identifier}`);
    assert.deepEqual(of('xem'), ['citizen 1', 'enterprise 2', 'enterprise 3', 'insurance 4']);
    assert.deepEqual(of('them'), ['enterprise 2', 'enterprise 3', 'insurance 4']);
    assert.deepEqual([pointers.looksInto('xem'), pointers.looksInto('them')], [true, false]);
  });
});

describe('subjects in a manifest', () => {
  const faultsOf = async (subjects: unknown): Promise<string[]> => {
    const { faults } = await checkService({
      manifest: {
        ...{ provider: 'H35.1', slug: 'don-vi', version: '1.2.3', title: 'Đơn vị hành chính' },
        ...{ sharing: 'default', classification: 'open', connector: { kind: 'http', settings: {} } },
        operations: { xem: { path: '/a' }, them: { path: '/b' } },
        subjects,
      },
      document: JSON.stringify(sample('3.1.0')),
      checkConnector: () => [],
    });
    return places(faults);
  };
  const one = (pointer: string, more: object = {}) => ({ pointer, kind: 'citizen', ...more });

  it('name fields that messages of the service have, at any depth', async () => {
    const known = {
      request: [one('/body/ma'), one('/body/con/*/con/0/ma'), one('/path/ma', { operations: ['xem'] })],
      response: [one('/body/con/*/ma')],
    };
    assert.deepEqual(await faultsOf(known), []);
  });

  it('are refused when they lead nowhere, in any or in one of the operations they name', async () => {
    const astray = {
      request: [
        one('/body/soDinhDanh'),
        one('/query/ma'),
        one('/path/ma', { operations: ['them'] }),
        one('/path/ma', { operations: ['xem', 'khong-co'] }),
      ],
      response: [one('/body/ma'), one('/body/con/*/khac')],
    };
    assert.deepEqual(await faultsOf(astray), [
      '/manifest/subjects/request/0 field',
      '/manifest/subjects/request/1 field',
      '/manifest/subjects/request/2 field',
      '/manifest/subjects/request/3 field',
      '/manifest/subjects/response/1 field',
    ]);
  });

  for (const [side, pointer, more] of [
    ['request', '/header/x-so', {}],
    ['request', 'body/ma', {}],
    ['response', '/path/ma', {}],
    ['response', '/header/so', {}],
    ['request', '/body/ma', { kind: 'nguoi' }],
    ['request', '/body/ma', { operations: [] }],
  ] as const) {
    it(`${side} ${pointer} ${JSON.stringify(more)} is no subject`, async () => {
      const [first = ''] = await faultsOf({ [side]: [one(pointer, more)] });
      assert.ok(first.startsWith(`/manifest/subjects/${side}/0`), first);
    });
  }
});
