import assert from 'node:assert/strict';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { freePort } from '../kit/ports.js';
import { addAgency, addPaper, addSystem, PAPER } from '../kit/province.js';
import { oneTimeCode, TestBrowser, TestSignIn } from '../kit/sign-in.js';

const CHOSEN = 'con trâu đi trước cái cày';

interface Place {
  readonly test: TestDatabase;
  readonly gateway: TestGateway;
}

/** Two installations: people of one prove themselves at the other, which is a real OpenID provider. */
for (const engine of engines)
  describe(`signing in with another provider on ${engine.name}`, function () {
    this.timeout(60_000);
    let there: Place;
    let here: Place;

    async function open(settings: Record<string, unknown>): Promise<Place> {
      const test = await engine.create();
      const gateway = await startTestGateway(test, settings);
      await addAgency(test.database, 'H35.90');
      await addPaper(test.database, 'H35.90');
      await addSystem(test.database, 'van-hanh', 'H35.90', { roles: ['operator', 'manager'] });
      await test.database.knex('changes').insert([
        { noun: 'agency', key: 'H35.90', at: 0 },
        { noun: 'system', key: 'van-hanh', at: 0 },
      ]);
      return { test, gateway };
    }

    async function register({ gateway }: Place, id: string, roles: readonly string[]): Promise<string> {
      const body = JSON.stringify({ id, agency: 'H35.90', name: 'Người Mẫu', roles, document: PAPER });
      const headers = { 'content-type': 'application/json' };
      const answer = await eventually(async () => {
        const found = await gateway
          .call('van-hanh', '/api/people', { method: 'POST', headers, body })
          .catch(() => null);
        return found?.status === 201 ? found : undefined;
      }, 'the operator may register people');
      return ((await answer.json()) as { temporaryPassword: string }).temporaryPassword;
    }

    before(async () => {
      const ports = [await freePort(), await freePort()] as const;
      const [issuer, own] = ports.map((port) => `http://localhost:${port}`) as [string, string];
      there = await open({
        port: ports[0],
        people: { clients: [{ id: 'tinh-nha', name: 'Tỉnh nhà', redirectUris: [`${own}/oidc/external`] }] },
      });
      here = await open({
        port: ports[1],
        egress: { addresses: ['localhost', '127.0.0.0/8', '::1/128'], folders: [] },
        people: {
          identityProvider: {
            issuer: `${issuer}/oidc`,
            clientId: 'tinh-nha',
            label: 'Tài khoản quốc gia (giả định)',
            accounts: { 'le.thi.xa': 'le.thi.mau', 'ai.do.xa': 'khong.co' },
          },
        },
      });
      for (const id of ['le.thi.xa', 'ai.do.xa']) await settle(id, await register(there, id, ['consumer']));
      await register(here, 'le.thi.mau', ['auditor']);
    });
    after(async () => {
      for (const { gateway, test } of [here, there]) {
        await gateway.close();
        await test.drop();
      }
    });

    /** The first sign-in at the other provider, so that only a password is asked for later. */
    async function settle(name: string, temporary: string): Promise<void> {
      const signIn = await new TestSignIn(there.gateway.url).begin();
      await signIn.send({ name, password: temporary });
      await signIn.send({ password: CHOSEN, again: CHOSEN });
      await signIn.send({ accept: 'yes' });
      assert.ok(signIn.answer.has('code'));
    }

    /** From the link on our page, through the other provider's, to where it sends the browser back. */
    async function elsewhere(browser: TestBrowser, name: string) {
      const signIn = await new TestSignIn(here.gateway.url, browser).begin();
      const link = /href="(\/oidc\/sign-in\/[^"]+\/external[^"]*)"/.exec(signIn.page.text)?.[1] ?? '';
      assert.match(signIn.page.text, /Đăng nhập qua Tài khoản quốc gia/);
      const departure = await browser.request(link);
      assert.equal(departure.status, 303);
      const foreign = new TestSignIn(there.gateway.url);
      await foreign.open(departure.location ?? '');
      await foreign.send({ name, password: CHOSEN });
      return { signIn, back: foreign.page.location ?? '' };
    }

    const path = (address: string): string => new URL(address).pathname + new URL(address).search;

    it('brings people to their own account here, whose role still asks for a code of ours', async () => {
      const browser = new TestBrowser(here.gateway.url);
      const { signIn, back } = await elsewhere(browser, 'le.thi.xa');
      await signIn.open(path(back));
      assert.equal(signIn.step, 'enrol', 'no password of ours is asked for, and none must be changed');
      await signIn.send({ code: oneTimeCode(signIn.secret, Date.now()) });
      await signIn.send({ accept: 'yes' });
      const { status, body } = await signIn.exchange();
      assert.equal(status, 200);
      const me = await fetch(`${here.gateway.url}/api/me`, {
        headers: { authorization: `Bearer ${body.access_token}` },
      });
      assert.equal(((await me.json()) as { user: { id: string } }).user.id, 'le.thi.mau');
      const signedIn = (await allRecords(here.test.database))
        .filter(({ target }) => target?.noun === 'sign_in')
        .at(-1);
      assert.deepEqual((signedIn?.target?.after as { methods: string[] }).methods, ['ext', 'otp']);
    });

    it('lets nobody in who has no account here', async () => {
      const browser = new TestBrowser(here.gateway.url);
      const { signIn, back } = await elsewhere(browser, 'ai.do.xa');
      await signIn.open(path(back));
      assert.equal(signIn.step, 'password');
      assert.match(signIn.page.text, /chưa có tài khoản dùng được ở đây/);
    });

    it('takes an answer once, in the browser that asked, and as it was asked for', async () => {
      const browser = new TestBrowser(here.gateway.url);
      const { signIn, back } = await elsewhere(browser, 'le.thi.xa');
      const stranger = new TestBrowser(here.gateway.url);
      const stolen = await stranger.request(path(back));
      assert.equal((await stranger.request(stolen.location ?? '')).status, 410, 'not in another browser');
      const forged = path(back).replace(
        /state=([^&.]+)\.[^&]+/,
        (_all, uid: string) => `state=${uid}.${'x'.repeat(43)}`,
      );
      await signIn.open(forged);
      assert.match(signIn.page.text, /không xác nhận được/, 'not with another state');
      await signIn.open(path(back));
      assert.match(signIn.page.text, /không xác nhận được/, 'and the departure is used up');
      assert.equal((await browser.request('/oidc/external?state=x')).status, 400);
    });

    it('says so when the other provider does not answer, and takes a password still', async () => {
      const browser = new TestBrowser(here.gateway.url);
      const { signIn, back } = await elsewhere(browser, 'le.thi.xa');
      await there.gateway.close();
      await signIn.open(path(back));
      assert.equal(signIn.page.status, 422);
      assert.match(signIn.page.text, /không trả lời hoặc không xác nhận được/);
      assert.equal(signIn.step, 'password');
    });
  });
