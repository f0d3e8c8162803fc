import assert from 'node:assert/strict';
import { type Browser, chromium, type Page } from 'playwright-core';
import { type TestDatabase, embedded } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addPaper, addSystem, PAPER } from '../kit/province.js';
import { oneTimeCode } from '../kit/sign-in.js';

const executablePath = process.env['LGSP_TEST_CHROMIUM'];
const CHOSEN = 'con trâu đi trước cái cày';

// test/kit/left-out.ts says when it was left out.
if (executablePath !== undefined && executablePath !== '')
  describe('signing in with Chromium', function () {
    this.timeout(60_000);
    let test: TestDatabase;
    let gateway: TestGateway;
    let browser: Browser;
    let page: Page;
    const errors: string[] = [];

    before(async () => {
      test = await embedded.create();
      gateway = await startTestGateway(test);
      await addAgency(test.database, 'H35.90');
      await addPaper(test.database, 'H35.90');
      await addSystem(test.database, 'van-hanh', 'H35.90', { roles: ['operator', 'manager'] });
      await test.database.knex('changes').insert([
        { noun: 'agency', key: 'H35.90', at: 0 },
        { noun: 'system', key: 'van-hanh', at: 0 },
      ]);
      browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
      page = await browser.newPage({ viewport: { width: 390, height: 800 } });
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) errors.push(message.text());
      });
    });
    after(async () => {
      await browser?.close();
      await gateway?.close();
      await test?.drop();
    });

    async function register(): Promise<string> {
      const response = await eventually(async () => {
        const answer = await gateway
          .call('van-hanh', '/api/people', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({
              id: 'nguyen.thi.mau',
              agency: 'H35.90',
              name: 'Nguyễn Thị Mẫu',
              roles: ['auditor'],
              document: PAPER,
            }),
          })
          .catch(() => undefined);
        return answer?.status === 201 ? answer : undefined;
      }, 'the operator may register people');
      return ((await response.json()) as { temporaryPassword: string }).temporaryPassword;
    }

    const open = () =>
      page.goto(
        `${gateway.url}/oidc/auth?${new URLSearchParams({
          client_id: 'console',
          redirect_uri: `${gateway.url}/console/callback`,
          response_type: 'code',
          scope: 'openid',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
          code_challenge_method: 'S256',
        }).toString()}`,
      );

    /** Nothing stands beside the screen, and nothing lies over something else. */
    async function assertFits(): Promise<void> {
      const wide = await page.evaluate('document.documentElement.scrollWidth > window.innerWidth');
      assert.equal(wide, false, 'no sideways scrolling on a telephone');
    }

    it('takes an official by keyboard from the first page to the application, and out again', async () => {
      const temporary = await register();
      await open();
      await assertFits();
      assert.equal(await page.evaluate('document.activeElement.id'), 'name');
      await page.keyboard.type('nguyen.thi.mau');
      await page.keyboard.press('Tab');
      await page.keyboard.type('sai rồi');
      await page.keyboard.press('Enter');
      await page.waitForSelector('[role=alert]');
      assert.equal(
        await page.evaluate('document.activeElement.id'),
        'password',
        'the name need not be typed again',
      );
      await page.keyboard.type(temporary);
      await page.keyboard.press('Enter');
      await page.waitForSelector('#again');
      await assertFits();
      await page.fill('#password', 'ngắn quá');
      await page.fill('#again', CHOSEN);
      await page.keyboard.press('Enter');
      for (const [field, fault] of [
        ['password', /Cần ít nhất 12 ký tự/],
        ['again', /không giống nhau/],
      ] as const) {
        await page.waitForSelector(`#${field} + [role=alert]`);
        assert.match((await page.textContent(`#${field}-faults`)) ?? '', fault, 'right below its field');
        assert.match((await page.getAttribute(`#${field}`, 'aria-describedby')) ?? '', /-faults/);
      }
      await assertFits();
      await page.fill('#password', CHOSEN);
      await page.fill('#again', CHOSEN);
      await page.keyboard.press('Enter');
      await page.waitForSelector('.sign-in-qr');
      await assertFits();
      const seen = await page.evaluate('document.querySelector(".sign-in-qr").naturalWidth > 0');
      assert.equal(seen, true, 'the picture is shown');
      assert.ok(await page.isVisible('a[href^="otpauth://totp/"]'), 'no telephone scans its own screen');
      const secret = ((await page.textContent('.sign-in-secret code')) ?? '').replaceAll(' ', '');
      await page.fill('#code', oneTimeCode(secret, Date.now()));
      await page.keyboard.press('Enter');
      await page.waitForSelector('[name=accept]');
      await page.click('.sign-in-go');
      assert.ok(await page.isVisible('[name=accept]'), 'the browser asks for the tick');
      await page.check('[name=accept]');
      await page.click('.sign-in-go');
      await page.waitForURL(/\/console\/callback\?code=/);
      await page.goto(`${gateway.url}/oidc/session/end`);
      await page.click('.sign-in-go');
      await page.waitForSelector('text=Bạn đã đăng xuất');
      assert.deepEqual(errors, []);
    });

    it('speaks English when asked, keeps the step, and lets go when it is cancelled', async () => {
      await open();
      await page.click('a[hreflang=en]');
      await page.waitForSelector('text=User name');
      await page.click('.sign-in-cancel');
      await page.waitForURL(/\/console\/callback\?error=access_denied/);
    });
  });
