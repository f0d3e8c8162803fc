import assert from 'node:assert/strict';
import { addAgency, addService, DOCUMENT } from '../kit/province.js';
import { type OpenPortal, openPortal } from './open-portal.js';

interface Shown {
  readonly openapi: string;
  readonly servers: readonly { url: string }[];
  readonly paths: Record<string, Record<string, Record<string, unknown>>>;
  readonly components: {
    securitySchemes: Record<string, { flows: { clientCredentials: { tokenUrl: string } } }>;
  };
}

const [ACT, LIMIT, ...OTHERS] = DOCUMENT.paths['/{act}'].get.parameters;
/** An example that would end the quotes of a command. */
const WITH_EXAMPLES = {
  ...DOCUMENT,
  paths: {
    ...DOCUMENT.paths,
    '/{act}': {
      get: {
        ...DOCUMENT.paths['/{act}'].get,
        parameters: [{ ...ACT, example: "ma'so" }, { ...LIMIT, example: 5 }, ...OTHERS],
      },
    },
  },
};

describe('portal/reference-page', () => {
  let portal: OpenPortal;

  before(async () => {
    portal = await openPortal(async (database) => {
      await addAgency(database, 'H35.11', { name: 'Sở Nội vụ', alias: '000.00.11.H35' });
      await addService(database, 'http://10.1.2.3:9', {
        slug: 'dvhc',
        sharing: 'special',
        manifest: { title: 'Đơn vị hành chính', contact: 'Phòng Tổng hợp' },
        document: { ...WITH_EXAMPLES, servers: [{ url: 'http://10.1.2.3:9/inside' }] },
      });
      await addService(database, 'http://127.0.0.1:9', { slug: 'nhap', state: 'draft' });
      await addService(database, 'http://127.0.0.1:9', { slug: 'ngung', state: 'retired' });
    });
  });
  after(() => portal.close());

  it('shows a service with its terms and its document', async () => {
    const response = await portal.get('/docs/H35.11/dvhc/v1');
    const page = await response.text();
    assert.equal(response.status, 200);
    for (const said of [
      '<h1>Đơn vị hành chính</h1>',
      'Chia sẻ theo yêu cầu đặc thù',
      'Cần cơ quan cung cấp dữ liệu phê duyệt trước khi gọi.',
      'Phòng Tổng hợp',
      'data-document="/docs/H35.11/dvhc/v1/openapi.json"',
      'data-resource="https://lgsp.example/data"',
      'href="/docs/?provider=H35.11"',
      'href="/docs/H35.11/dvhc/v1/openapi.json" download="openapi.json"',
    ])
      assert.ok(page.includes(said), said);
  });

  it('shows where to try it meanwhile, with a call to paste', async () => {
    const page = await portal.page('/docs/H35.11/dvhc/v1');
    assert.ok(page.includes('<code>/sandbox/H35.11/dvhc/v1</code>'));
    assert.ok(page.includes('data-copy="https://lgsp.example/sandbox/H35.11/dvhc/v1"'));
    const command = /<section class="sandbox">[^]*?<pre[^>]*><code>([^<]*)</.exec(page)?.[1] ?? '';
    assert.match(command, /Authorization: Bearer \$TOKEN/);
    assert.ok(command.includes('https://lgsp.example/sandbox/H35.11/dvhc/v1/ma%27so?limit=5'), command);
    assert.ok((await portal.page('/docs/H35.11/dvhc/v1?lang=en')).includes('Sandbox address'));
  });

  it('shows no sandbox where there is none', async () => {
    const page = await portal.page('/docs/H35.11/ngung/v1');
    assert.ok(!page.includes('/sandbox/'));
  });

  it('allows style attributes to Swagger UI, and scripts from files only', async () => {
    const policy = (await portal.get('/docs/H35.11/dvhc/v1')).headers.get('content-security-policy') ?? '';
    assert.match(policy, /style-src 'self' 'unsafe-inline'/);
    assert.doesNotMatch(policy, /script-src|unsafe-eval|connect-src/);
    assert.match(policy, /default-src 'self'/);
  });

  it('hands the document out at the gateway’s address, never at the source’s', async () => {
    const response = await portal.get('/docs/H35.11/dvhc/v1/openapi.json');
    const text = await response.text();
    const document = JSON.parse(text) as Shown;
    assert.equal(response.headers.get('content-type'), 'application/json; charset=utf-8');
    assert.deepEqual(document.servers, [{ url: 'https://lgsp.example/data/H35.11/dvhc/v1' }]);
    const tokens = Object.values(document.components.securitySchemes).map(
      (s) => s.flows.clientCredentials.tokenUrl,
    );
    assert.deepEqual(tokens, ['https://lgsp.example/oidc/token']);
    assert.ok(!text.includes('10.1.2.3'));
  });

  it('answers to the older form of the agency’s code, with the addresses of the new one', async () => {
    const page = await portal.page('/docs/000.00.11.H35/dvhc/v1');
    assert.match(page, /data-document="\/docs\/H35\.11\/dvhc\/v1\/openapi\.json"/);
  });

  for (const path of [
    '/docs/H35.11/dvhc/v2',
    '/docs/H35.11/nhap/v1',
    '/docs/H35.11/nhap/v1/openapi.json',
    '/docs/H35.11/__proto__/v1',
    '/docs/api/v1',
  ])
    it(`has nothing at ${path}`, async () => assert.equal((await portal.get(path)).status, 404));

  it('shows the management API the same way, with full addresses and its roles', async () => {
    const page = await portal.page('/docs/api?lang=en');
    assert.match(page, /data-document="\/docs\/api\/openapi\.json"/);
    assert.match(page, /data-resource="https:\/\/lgsp\.example\/api"/);
    const document = (await portal.json('/docs/api/openapi.json')) as Shown;
    assert.deepEqual(document.servers, [{ url: 'https://lgsp.example/api' }]);
    assert.ok(Array.isArray(document.paths['/agencies']?.['get']?.['x-roles']));
  });
});

describe('portal/assets', () => {
  let portal: OpenPortal;
  before(async () => (portal = await openPortal(() => Promise.resolve())));
  after(() => portal.close());

  for (const file of [
    'swagger-ui-bundle.js',
    'swagger-ui.css',
    'be-vietnam-pro-vietnamese-600-normal.woff2',
    'mark.svg',
  ])
    it(`serves ${file}`, async () => assert.equal((await portal.get(`/docs/assets/${file}`)).status, 200));

  for (const path of [
    '',
    'index.html',
    'swagger-initializer.js',
    'package.json',
    'swagger-ui-bundle.js.map',
    'portal.css/',
    'portal.css/..%2Fassets.ts',
  ])
    it(`has nothing at assets/${path}`, async () =>
      assert.equal((await portal.get(`/docs/assets/${path}`)).status, 404));

  it('serves every font that the style sheet names', async () => {
    const sheet = await portal.page('/docs/assets/portal.css');
    const fonts = [...sheet.matchAll(/url\('([^']+)'\)/g)].map(([, file]) => file!);
    assert.equal(fonts.length, 6);
    for (const font of fonts) assert.equal((await portal.get(`/docs/assets/${font}`)).status, 200, font);
  });
});
