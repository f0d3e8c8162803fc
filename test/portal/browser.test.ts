import assert from 'node:assert/strict';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem, secretOf } from '../kit/province.js';
import { startSource, type Source } from '../kit/source.js';

const CHROMIUM = process.env['LGSP_TEST_CHROMIUM'] ?? '';
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const HOSTILE = '<script>document.title = "taken"</script><img src="http://elsewhere.example/x.png">';
const WIDTHS = [
  ['a desk', { width: 1366, height: 768 }],
  ['a phone', { width: 360, height: 740 }],
] as const;
const PAGES = [
  '/docs/',
  '/docs/?q=zzz&lang=en',
  '/docs/H35.11/thu/v1',
  '/docs/H35.11/doc/v1',
  '/docs/api',
  '/problems/',
  '/problems/grant_required',
];

describe('portal in a browser', function () {
  this.timeout(60_000);
  let test: TestDatabase;
  let source: Source;
  let gateway: TestGateway;
  let browser: Browser;
  /** Requests to anywhere but the gateway, and whatever the browser complained of. */
  let strayed: string[];
  let complaints: string[];

  async function visit(
    path: string,
    viewport: { width: number; height: number } = WIDTHS[0][1],
  ): Promise<Page> {
    const page = await browser.newPage({ viewport });
    page.on('request', (request) => {
      const address = request.url();
      if (!address.startsWith(gateway.url) && !address.startsWith('data:')) strayed.push(address);
    });
    page.on('requestfailed', (request) => {
      // Stopped by the page's own policy before it left.
      if (request.failure()?.errorText === 'csp') strayed.splice(strayed.indexOf(request.url()), 1);
    });
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(gateway.url + path, { waitUntil: 'networkidle' });
    return page;
  }

  before(async function () {
    if (CHROMIUM === '') return this.skip();
    test = await embedded.create();
    await addAgency(test.database, 'H35.11', { name: 'Sở Nội vụ' });
    await addSystem(test.database, 'reader', 'H35.11');
    source = await startSource();
    await addService(test.database, source.url, { slug: 'thu', manifest: { title: 'Đơn vị hành chính' } });
    await addService(test.database, source.url, {
      slug: 'doc',
      manifest: { title: HOSTILE, description: HOSTILE },
      document: { openapi: '3.0.3', info: { title: HOSTILE, version: '1', description: HOSTILE }, paths: {} },
    });
    gateway = await startTestGateway(test);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  });
  after(async () => {
    await browser?.close();
    await gateway?.close();
    await source?.close();
    await test?.drop();
  });
  beforeEach(() => {
    strayed = [];
    complaints = [];
  });

  for (const [where, viewport] of WIDTHS) {
    for (const path of PAGES) {
      it(`asks nobody else and fits on ${where}: ${path}`, async () => {
        const page = await visit(path, viewport);
        const spill = await page.evaluate(
          'document.documentElement.scrollWidth - document.documentElement.clientWidth',
        );
        assert.equal(spill, 0, 'the page is wider than the screen');
        assert.notEqual(await page.title(), 'taken');
        if (path.startsWith('/docs/') && path !== '/docs/' && !path.includes('?'))
          assert.ok((await page.locator('.swagger-ui .btn.authorize').count()) > 0, 'Swagger UI is shown');
        await page.close();
        assert.deepEqual(strayed, []);
        assert.deepEqual(
          complaints.filter((text) => !text.includes('elsewhere.example')),
          [],
        );
      });
    }
  }

  it('reaches the fields, the results and their links by keyboard', async () => {
    const page = await visit('/docs/');
    const reached: string[] = [];
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press('Tab');
      reached.push(
        await page.evaluate<string>(
          '`${document.activeElement.tagName} ${document.activeElement.id || document.activeElement.getAttribute("href") || document.activeElement.className}`',
        ),
      );
    }
    assert.equal(reached[0], 'A #main', 'the first stop leads past the header');
    const stops = ['INPUT q', 'SELECT sharing', 'SELECT provider', 'A /docs/H35.11/thu/v1'];
    const places = stops.map((stop) => reached.indexOf(stop));
    assert.ok(
      places.every((place, i) => place > (places[i - 1] ?? -1)),
      `${stops.join()} in ${reached.join()}`,
    );
    const outline = await page.evaluate<string>(
      'document.querySelector("#q").focus(), getComputedStyle(document.querySelector("#q")).outlineStyle',
    );
    assert.equal(outline, 'solid');
    await page.close();
  });

  it('finds while somebody types, without leaving the field', async () => {
    const page = await visit('/docs/');
    await page.locator('#q').pressSequentially('don vi');
    await page.waitForURL(/q=don\+vi$/);
    assert.equal(await page.locator('#results h3').count(), 1);
    assert.equal(await page.locator('#results h3').innerText(), 'Đơn vị hành chính');
    assert.equal(await page.evaluate('document.activeElement.id'), 'q');
    assert.ok(page.url().endsWith('/docs/?q=don+vi'));
    assert.equal(await page.locator('[data-language]').getAttribute('href'), '/docs/?q=don+vi&lang=en');
    await page.close();
  });

  it('gets a token in Swagger UI and calls a real operation with it', async () => {
    const page = await visit('/docs/H35.11/thu/v1');
    await page.locator('.btn.authorize').first().click();
    await page.locator('.modal-ux input[type=text]').fill('reader');
    await page.locator('.modal-ux input[type=password]').fill(secretOf('reader'));
    await page.locator('.modal-ux .modal-btn.authorize').click();
    await page.locator('.modal-ux').getByText('Logout').waitFor();
    await page.locator('.modal-ux .btn-done').click();
    await page.locator('.opblock-get .opblock-summary-control').click();
    await page.locator('.try-out__btn').click();
    await page.locator('tr[data-param-name=act] input').fill('ok');
    await page.locator('.btn.execute').click();
    await page.locator('.live-responses-table .response-col_status').nth(1).waitFor();
    const status = await page.locator('.live-responses-table .response-col_status').nth(1).innerText();
    assert.match(status, /^200/);
    assert.deepEqual(strayed, []);
    await page.close();
  });

  it('copies an address', async () => {
    const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    await page.goto(`${gateway.url}/docs/?q=don+vi`);
    await page.locator('.address .copy').click();
    await page.getByText('Đã chép').waitFor();
    assert.equal(await page.evaluate('navigator.clipboard.readText()'), `${gateway.url}/data/H35.11/thu/v1`);
    await context.close();
  });

  it('serves a list and its filters to a browser without scripts', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(`${gateway.url}/docs/`);
    assert.equal(await page.locator('.copy:visible').count(), 0);
    await page.locator('#q').fill('don vi');
    await page.locator('.field-go button').click();
    await page.waitForURL(/q=don\+vi/);
    assert.equal(await page.locator('#results h3').count(), 1);
    await context.close();
  });
});
