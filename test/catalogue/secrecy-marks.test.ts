import assert from 'node:assert/strict';
import { checkService } from '../../gateway/catalogue/check.js';
import { SecrecyMarks } from '../../gateway/catalogue/secrecy-marks.js';
import { places, sample } from './documents.js';

const marks = (request: string[], values: string[] = []): SecrecyMarks =>
  new SecrecyMarks({ request, response: [], values });

describe('marks of secrecy in a message', () => {
  for (const [pointer, parts, found] of [
    ['/body/doMat', { body: { doMat: 'Mật' } }, '/body/doMat'],
    ['/body/doMat', { body: { doMat: 'TUYET  MAT' } }, '/body/doMat'],
    ['/body/doMat', { body: { doMat: ['thường', 'tối mật'] } }, '/body/doMat'],
    ['/body/doMat', { body: { doMat: 'Thường' } }, null],
    ['/body/doMat', { body: { khac: 'Mật' } }, null],
    ['/body/doMat', { body: undefined }, null],
    ['/body/doMat', { body: 'Mật' }, null],
    ['/body', { body: 'Mật' }, '/body'],
    ['/body/hoSo/*/doMat', { body: { hoSo: [{ doMat: '' }, { doMat: 'secret' }] } }, '/body/hoSo/1/doMat'],
    ['/body/*/doMat', { body: { a: {}, b: { doMat: 'mat' } } }, '/body/b/doMat'],
    ['/body/hoSo/1', { body: { hoSo: ['x', 'mat'] } }, '/body/hoSo/1'],
    ['/body/hoSo/2', { body: { hoSo: ['x', 'mat'] } }, null],
    ['/body/a~1b', { body: { 'a/b': 'mat' } }, '/body/a~1b'],
    ['/body/constructor', { body: {} }, null],
    ['/query/doMat', { query: { doMat: 'mat' } }, '/query/doMat'],
    ['/header/X-Do-Mat', { header: { 'x-do-mat': 'mat' } }, '/header/x-do-mat'],
  ] as const) {
    it(`${pointer} in ${JSON.stringify(parts)}: ${found ?? 'none'}`, () => {
      assert.equal(marks([pointer]).inRequest(parts), found);
    });
  }

  it('may be codes of the source, in any case and without accents', () => {
    const coded = marks(['/body/do'], ['TM', '3', 'Hạn chế']);
    assert.equal(coded.inRequest({ body: { do: 'tm' } }), '/body/do');
    assert.equal(coded.inRequest({ body: { do: 3 } }), '/body/do');
    assert.equal(coded.inRequest({ body: { do: 'HAN CHE' } }), '/body/do');
    assert.equal(coded.inRequest({ body: { do: 30 } }), null);
  });
});

describe('marks of secrecy in a manifest', () => {
  const manifest = {
    provider: 'H35.1',
    slug: 'don-vi',
    version: '1.2.3',
    title: 'Đơn vị hành chính',
    sharing: 'default',
    classification: 'open',
    connector: { kind: 'http', settings: {} },
    operations: { xem: { path: '/a' }, them: { path: '/b' } },
  };
  const faultsOf = async (secrecyMarks: unknown): Promise<string[]> => {
    const { faults } = await checkService({
      manifest: { ...manifest, secrecyMarks },
      document: JSON.stringify(sample('3.1.0')),
      checkConnector: () => [],
    });
    return places(faults);
  };

  it('name fields that messages of the service have, at any depth', async () => {
    const known = { request: ['/body/ma', '/body/con/*/con/0/ma', '/path/ma'], response: ['/body/con/*/ma'] };
    assert.deepEqual(await faultsOf(known), []);
  });

  it('are refused when they lead nowhere, for they would guard nothing', async () => {
    const astray = { request: ['/body/ma', '/body/doMat', '/query/ma'], response: ['/header/x-do-mat'] };
    assert.deepEqual(await faultsOf(astray), [
      '/manifest/secrecyMarks/request/1 field',
      '/manifest/secrecyMarks/request/2 field',
      '/manifest/secrecyMarks/response/0 field',
    ]);
  });

  for (const pointer of ['body/ma', '/ma', '/query', '/query/a/b', '/body//ma']) {
    it(`${pointer} is no pointer into a message`, async () => {
      assert.equal(
        (await faultsOf({ request: [pointer] }))[0]?.startsWith('/manifest/secrecyMarks/request/0 '),
        true,
      );
    });
  }
});
