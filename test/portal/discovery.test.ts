import assert from 'node:assert/strict';
import { addAgency, addService } from '../kit/province.js';
import { METADATA, type OpenPortal, openPortal } from './open-portal.js';

interface Linked {
  readonly anchor: string;
  readonly item?: readonly { href: string; 'title*': readonly { value: string; language: string }[] }[];
  readonly 'service-desc'?: readonly { href: string; type: string }[];
  readonly 'service-doc'?: readonly { href: string; type: string }[];
}

describe('portal/discovery', () => {
  let portal: OpenPortal;

  before(async () => {
    portal = await openPortal(async (database) => {
      await addAgency(database, 'H35.11', { name: 'Sở Nội vụ' });
      const add = (slug: string, state: 'published' | 'suspended' | 'retired' | 'draft'): Promise<string> =>
        addService(database, 'http://127.0.0.1:9', { slug, state, manifest: { title: `Dịch vụ ${slug}` } });
      await add('a', 'published');
      await add('b', 'suspended');
      await add('c', 'retired');
      await add('d', 'draft');
    });
  });
  after(() => portal.close());

  for (const path of ['', '/oidc']) {
    it(`hands out the authorization server's metadata at ${path || 'the plain address'}`, async () => {
      assert.deepEqual(await portal.json(`/.well-known/oauth-authorization-server${path}`), METADATA);
    });
  }

  for (const [path, resource] of [
    ['', 'data'],
    ['/data', 'data'],
    ['/api', 'api'],
  ] as const) {
    it(`describes the resource ${resource} at ${path || 'the plain address'} (RFC 9728)`, async () => {
      const response = await portal.get(`/.well-known/oauth-protected-resource${path}`);
      assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
      const found = (await response.json()) as Record<string, unknown>;
      assert.equal(found['resource'], `https://lgsp.example/${resource}`);
      assert.deepEqual(found['authorization_servers'], ['https://lgsp.example/oidc']);
      assert.deepEqual(found['bearer_methods_supported'], ['header']);
      assert.deepEqual(found['dpop_signing_alg_values_supported'], ['ES256']);
    });
  }

  it('lists what can be called (RFC 9727), each with description and documentation that exist', async () => {
    const response = await portal.get('/.well-known/api-catalog');
    assert.equal(
      response.headers.get('content-type'),
      'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"',
    );
    assert.match(response.headers.get('link') ?? '', /rel="api-catalog"/);
    const { linkset } = (await response.json()) as { linkset: Linked[] };
    const [catalogue, ...services] = linkset;
    const expected = ['/data/H35.11/a/v1', '/data/H35.11/b/v1', '/api'].map(
      (path) => `https://lgsp.example${path}`,
    );
    assert.equal(catalogue?.anchor, 'https://lgsp.example/.well-known/api-catalog');
    assert.deepEqual(
      catalogue.item?.map(({ href }) => href),
      expected,
    );
    assert.deepEqual(catalogue.item[0]?.['title*'], [{ value: 'Dịch vụ a', language: 'vi' }]);
    assert.deepEqual(
      services.map(({ anchor }) => anchor),
      expected,
    );
    for (const service of services) {
      for (const target of [...(service['service-desc'] ?? []), ...(service['service-doc'] ?? [])]) {
        const answer = await portal.get(target.href.replace('https://lgsp.example', ''));
        assert.equal(answer.status, 200, target.href);
        assert.ok(answer.headers.get('content-type')?.startsWith(target.type), target.href);
        await answer.arrayBuffer();
      }
      assert.equal(service['service-desc']?.length, 1);
      assert.equal(service['service-doc']?.length, 1);
    }
  });
});
