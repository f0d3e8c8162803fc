import assert from 'node:assert/strict';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService } from '../kit/province.js';

describe('portal in the gateway', () => {
  let test: TestDatabase;
  let gateway: TestGateway;

  before(async () => {
    test = await embedded.create();
    await addAgency(test.database, 'H35.11', { name: 'Sở Nội vụ' });
    await addService(test.database, 'http://127.0.0.1:9');
    gateway = await startTestGateway(test);
  });
  after(async () => {
    await gateway.close();
    await test.drop();
  });

  const pages: readonly [string, number, string][] = [
    ['/docs/', 200, 'text/html; charset=utf-8'],
    ['/docs', 200, 'text/html; charset=utf-8'],
    ['/docs/H35.11/thu/v1', 200, 'text/html; charset=utf-8'],
    ['/docs/H35.11/thu/v1/openapi.json', 200, 'application/json; charset=utf-8'],
    ['/docs/assets/swagger-ui-bundle.js', 200, 'text/javascript; charset=utf-8'],
    ['/docs/assets/portal.css', 200, 'text/css; charset=utf-8'],
    ['/docs/H35.11/nothing/v1', 404, 'application/problem+json; charset=utf-8'],
    ['/docs/assets/index.html', 404, 'application/problem+json; charset=utf-8'],
    ['/problems/nothing', 404, 'application/problem+json; charset=utf-8'],
    ['/.well-known/oauth-authorization-server/oidc', 200, 'application/json; charset=utf-8'],
  ];
  for (const [path, status, type] of pages) {
    it(`answers ${status} at ${path}`, async () => {
      const response = await gateway.call(null, path);
      assert.deepEqual([response.status, response.headers.get('content-type')], [status, type]);
      await response.arrayBuffer();
    });
  }

  it('keeps the headers that guard a page', async () => {
    const { headers } = await gateway.call(null, '/docs/');
    assert.match(headers.get('content-security-policy') ?? '', /^default-src 'self';/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });

  it('gives the same metadata as the authorization server itself', async () => {
    const read = async (path: string): Promise<unknown> => (await gateway.call(null, path)).json();
    const there = (await read('/oidc/.well-known/openid-configuration')) as { issuer: string };
    assert.deepEqual(await read('/.well-known/oauth-authorization-server/oidc'), there);
    assert.equal(there.issuer, `${gateway.url}/oidc`);
  });
});
