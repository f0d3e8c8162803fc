import assert from 'node:assert/strict';
import { Problem } from '../../gateway/base/problem.js';
import { assertPublishable, checkService, type ServiceToCheck } from '../../gateway/catalogue/check.js';
import { DEFAULT_LIMITS } from '../../gateway/catalogue/check-thread.js';
import { compileContract } from '../../gateway/catalogue/contract.js';
import { type Json, json, outcome, places, sample, single } from './documents.js';

const MANIFEST = {
  provider: 'H35.1',
  slug: 'don-vi',
  version: '1.2.3',
  title: 'Đơn vị hành chính',
  sharing: 'default',
  classification: 'open',
  connector: { kind: 'http', settings: {} },
  operations: { xem: { path: '/a' }, them: { path: '/b' } },
};

function service(manifest: unknown = MANIFEST, document: Json | string = sample('3.1.0')): ServiceToCheck {
  return {
    manifest,
    document: typeof document === 'string' ? document : JSON.stringify(document),
    checkConnector: () => [],
  };
}

/** A document with many operations, each with schemas of its own. */
function large(operations: number): Json {
  const paths: Json = {};
  const schemas: Json = {};
  for (let i = 0; i < operations; i += 1) {
    schemas[`S${i}`] = {
      type: 'object',
      required: ['ma'],
      properties: {
        ma: { type: 'string', pattern: '^[0-9]{5}$' },
        ke: { $ref: `#/components/schemas/S${i % 10 === 9 ? i - 9 : i + 1}` },
      },
    };
    const content = { 'application/json': { schema: { $ref: `#/components/schemas/S${i}` } } };
    paths[`/d${i}`] = {
      post: {
        operationId: `o${i}`,
        requestBody: { content },
        responses: { 200: { description: '', content } },
      },
    };
  }
  return { openapi: '3.1.0', info: { title: 'x', version: '1.0.0' }, paths, components: { schemas } };
}

describe('checking a service', () => {
  it('passes a good one, with its operations and all bindings', async () => {
    const document = sample(
      '3.0.3',
      (d) => (d['paths']['/don-vi'].post['x-lgsp-binding'] = { path: '/tu-tai-lieu' }),
    );
    const manifest = { ...MANIFEST, operations: { xem: { path: '/a' } } };
    const result = await checkService(service(manifest, document));
    assert.deepEqual(result.faults, []);
    assert.equal(result.ok, true);
    assert.deepEqual(
      result.operations?.map(({ id, method, template }) => [id, method, template]),
      [
        ['xem', 'GET', '/don-vi/{ma}'],
        ['them', 'POST', '/don-vi'],
      ],
    );
    assert.deepEqual(result.manifest?.operations, { xem: { path: '/a' }, them: { path: '/tu-tai-lieu' } });
    assert.equal(result.manifest?.responseCheck, 'enforce');
  });

  it('lists the faults of manifest, document, bindings and connector together', async () => {
    const document = sample('3.1.0', (d) => {
      d['components'].schemas.DonVi.properties.ma.format = 'khong-co';
      d['info'].version = '2.0.0';
    });
    const manifest = { ...MANIFEST, operations: { xem: {}, khac: {} } };
    const result = await checkService({
      ...service(manifest, document),
      checkConnector: (checked, operations) => [
        {
          pointer: `/operations/${operations[0]?.operationId ?? ''}/path`,
          keyword: 'required',
          vi: checked.slug,
          en: 'x',
        },
      ],
    });
    assert.equal(result.ok, false);
    assert.deepEqual(places(result.faults), [
      '/document/components/schemas/DonVi/properties/ma/format format',
      '/document/info/version version',
      '/document/paths/~1don-vi/post binding',
      '/manifest/operations/khac operation',
      '/manifest/operations/xem/path required',
    ]);
  });

  it('names every fault of the manifest beside those of the document', async () => {
    const manifest = {
      ...MANIFEST,
      provider: 'h35',
      sharing: 'x',
      classification: 'khac',
      extra: 1,
      operations: {},
    };
    const result = await checkService(service(manifest, single({})));
    assert.equal(result.manifest, undefined);
    assert.deepEqual(places(result.faults), [
      '/document/paths/~1x/get binding',
      '/manifest/classification invalid_value',
      '/manifest/extra unknown',
      '/manifest/provider invalid_format',
      '/manifest/sharing invalid_value',
    ]);
    assert.deepEqual(places((await checkService(service(null))).faults).at(-1), '/manifest invalid_type');
  });

  it('refuses an operation that is bound twice', async () => {
    const document = sample('3.1.0', (d) => (d['paths']['/don-vi'].post['x-lgsp-binding'] = {}));
    const { faults } = await checkService(service(MANIFEST, document));
    assert.deepEqual(places(faults), ['/document/paths/~1don-vi/post/x-lgsp-binding duplicate']);
  });

  it('is no service when its document cannot be read', async () => {
    const { ok, faults, operations } = await checkService(service(MANIFEST, 'a: ['));
    assert.deepEqual([ok, operations, places(faults)], [false, undefined, ['/document syntax']]);
  });

  for (const classification of [
    'mat',
    'Mật',
    'MẬT',
    'tối mật',
    'Toi_Mat',
    'TUYỆT  MẬT',
    'tuyet-mat',
    'Top Secret',
    'secret',
    'Confidential',
    ' mật ',
  ]) {
    it(`refuses state secrets: ${classification}`, async () => {
      await assert.rejects(
        checkService(service({ ...MANIFEST, classification }, 'not even read')),
        (error: unknown) => {
          assert.ok(error instanceof Problem);
          assert.equal(error.code, 'state_secret');
          assert.deepEqual(places(error.parts.errors), ['/manifest/classification stateSecret']);
          assert.ok(error.parts.remedy !== undefined && error.parts.rule?.kind === 'service');
          return true;
        },
      );
    });
  }

  it('throws every fault when asked to', async () => {
    await assert.rejects(assertPublishable(service({ ...MANIFEST, operations: {} })), (error: unknown) => {
      assert.ok(error instanceof Problem);
      assert.equal(error.code, 'contract_invalid');
      assert.equal(error.parts.errors?.length, 2);
      return true;
    });
    assert.equal((await assertPublishable(service())).operations.length, 2);
  });

  it('ends a check that takes too long, and one that needs too much memory', async () => {
    const document = JSON.stringify(large(1500));
    const slow = await checkService({
      ...service(MANIFEST, document),
      limits: { ...DEFAULT_LIMITS, timeMs: 1 },
    });
    assert.deepEqual(places(slow.faults), ['/document time']);
    const hungry = await checkService({
      ...service(MANIFEST, document),
      limits: { ...DEFAULT_LIMITS, memoryMb: 24 },
    });
    assert.deepEqual(places(hungry.faults), ['/document complexity']);
  });
});

describe('a document of 1,000 operations', () => {
  const document = JSON.stringify(large(1000));

  it('is checked while the event loop turns', async function () {
    this.timeout(60_000);
    let turns = 0;
    let checking = true;
    const turn = (): void => {
      turns += 1;
      if (checking) setTimeout(turn, 1);
    };
    turn();
    const operations = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`o${i}`, {}]));
    const result = await checkService(service({ ...MANIFEST, operations }, document));
    checking = false;
    assert.deepEqual(result.faults, []);
    // Were the check to block, the loop would turn only before and after it.
    assert.ok(turns > 50, `${turns} turns`);
  });

  it('is compiled one operation at a time, when a call needs it', () => {
    const contract = compileContract(document);
    const found = contract.match('POST', '/d999');
    assert.ok(found !== null && 'operation' in found);
    assert.equal(
      outcome(found.operation, json({ ma: '12345', ke: { ma: '1' } })),
      'request_invalid, /body/ke/ma pattern',
    );
  });
});

describe('a contract that was never checked', () => {
  it('lets nothing pass that does not compile', () => {
    const broken: Json[] = [
      { type: 'string', maxLenght: 1 },
      { $ref: '#/components/schemas/Khong' },
      { $ref: 'file:///etc/passwd' },
      { type: 'string', pattern: '(?=a)' },
      { type: 'string', format: 'khong-co' },
      { type: 'string', maxLength: 'x' },
    ];
    for (const schema of broken) {
      const document = single({ requestBody: { content: { 'application/json': { schema } } } });
      const [operation] = compileContract(document).operations.values();
      assert.ok(operation);
      assert.throws(() => outcome(operation, json('a')), Error, JSON.stringify(schema));
      assert.throws(() => outcome(operation, json('a')), Error, 'the second time too');
    }
  });

  it('is not made of a document that cannot be read, or that its manifest does not bind', () => {
    assert.throws(() => compileContract('{'), /unreadable/);
    const manifest = { ...MANIFEST, operations: { xem: {} } } as unknown as Parameters<
      typeof compileContract
    >[1];
    assert.throws(() => compileContract(sample('3.1.0'), manifest), /them has no binding/);
  });

  it('says so when it is warmed up', async () => {
    await assert.rejects(
      compileContract(
        single({ requestBody: { content: { 'application/json': { schema: { a: 1 } } } } }),
      ).warm(),
    );
    await compileContract(sample('3.0.3')).warm();
  });
});

describe('the document that integrators see', () => {
  it('has our address and our OAuth, and nothing of the provider’s inside', () => {
    const document = sample('3.1.0', (d) => {
      d['servers'] = [{ url: 'http://10.0.0.1/' }];
      d['security'] = [{ noiBo: [] }];
      d['components'].securitySchemes = { noiBo: { type: 'http', scheme: 'basic' } };
      const item = d['paths']['/don-vi'];
      item.servers = [{ url: 'http://10.0.0.2/' }];
      Object.assign(item.post, {
        'x-lgsp-binding': { path: '/bi-mat' },
        security: [],
        servers: [{ url: 'http://10.0.0.3/' }],
      });
      item.post.requestBody.content['application/json'].example = { 'x-lgsp-a': 1 };
      item.post['x-other'] = 1;
    });
    const shown = compileContract(document).publicDocument(
      'https://lgsp.vn/data/H35/x/v1',
      'https://lgsp.vn/oidc/token',
    ) as Json;
    const text = JSON.stringify(shown);
    assert.ok(!/10\.0\.0|bi-mat|noiBo|x-lgsp-binding/.test(text), text);
    assert.deepEqual(shown['servers'], [{ url: 'https://lgsp.vn/data/H35/x/v1' }]);
    assert.deepEqual(shown['security'], [{ lgsp: [] }]);
    const flow = shown['components'].securitySchemes.lgsp.flows.clientCredentials;
    assert.equal(flow.tokenUrl, 'https://lgsp.vn/oidc/token');
    assert.equal(shown['paths']['/don-vi'].post['x-other'], 1);
    assert.deepEqual(shown['paths']['/don-vi'].post.requestBody.content['application/json'].example, {
      'x-lgsp-a': 1,
    });
    assert.equal(document['servers'][0].url, 'http://10.0.0.1/');
  });
});
