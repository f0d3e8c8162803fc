import assert from 'node:assert/strict';
import net from 'node:net';
import { engines } from '../kit/databases.js';
import { CHOSEN, Office, PERSON } from '../kit/people.js';
import { PAPER } from '../kit/province.js';
import { oneTimeCode, TestBrowser, type TestSignIn } from '../kit/sign-in.js';

const OTHER = 'mưa rừng chiều thứ bảy';

for (const engine of engines) {
  describe(`attempts that were begun, on ${engine.name}`, function () {
    this.timeout(60_000);
    let office: Office;
    beforeEach(async () => {
      office = await Office.open(engine, { record: { timeoutMs: 500 } });
    });
    afterEach(() => office.close());

    /** It leads nowhere, whatever is sent in it. */
    async function assertOver(attempt: TestSignIn): Promise<void> {
      await attempt.open(attempt.at);
      assert.equal(attempt.page.status, 410);
      await attempt.send({ step: 'new-password', password: OTHER, again: OTHER });
      assert.deepEqual([attempt.page.status, attempt.page.location], [410, null]);
    }

    /** Finished, but the browser did not follow. @returns follows where it was sent to */
    async function hold(form: Record<string, string>) {
      const browser = new TestBrowser(office.gateway.url);
      const attempt = await office.begin(browser);
      const held = await browser.request(attempt.at, { step: 'password', ...form });
      assert.match(held.location ?? '', /\/oidc\/auth\//);
      return { attempt, follow: () => attempt.open(held.location ?? '') };
    }

    it('with a temporary password end when its owner has chosen another', async () => {
      const temporary = await office.register();
      const held = await office.begin();
      await held.send({ name: PERSON, password: temporary });
      assert.equal(held.step, 'new-password');
      await office.firstSignIn(temporary);
      await assertOver(held);
    });

    const endings: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['a reset of the password', () => office.reset('password')],
      ['a reset of the second factor', () => office.reset('second-factor')],
      [
        'another role',
        () => office.api('PATCH', `/people/${PERSON}`, { roles: ['operator'], document: PAPER }),
      ],
      ['a lock', () => office.api('POST', `/people/${PERSON}/lock`, { reason: 'nghi lộ', document: PAPER })],
      ['the end of all sessions', () => office.api('DELETE', `/people/${PERSON}/sessions`)],
    ];
    it('end in the middle, and at the end, with all that ends sessions', async () => {
      await office.firstSignIn(await office.register(['manager']));
      await office.test.database.knex('person_proofs').update({ totp_sealed: null });
      for (const [name, end] of endings.slice(0, 2)) {
        await office.test.database.knex('person_proofs').update({ temporary_until: null });
        const held = await office.begin();
        const { password_hash: before } = await office.test.database.knex('person_proofs').first();
        await held.send({ name: PERSON, password: CHOSEN });
        assert.equal(held.step, 'enrol', name);
        await end();
        await assertOver(held);
        await office.test.database.knex('person_proofs').update({ password_hash: before });
      }
    });

    for (const [name, end] of endings)
      it(`that were finished and not gone on with end with ${name}`, async () => {
        await office.firstSignIn(await office.register());
        const { attempt, follow } = await hold({ name: PERSON, password: CHOSEN });
        await end();
        await follow();
        assert.equal(attempt.page.status, 400);
        assert.equal(attempt.page.location, null, 'no code');
      });

    it('end with a password that their owner changes', async () => {
      const { tokens } = await office.firstSignIn(await office.register());
      const { attempt, follow } = await hold({ name: PERSON, password: CHOSEN });
      const body = { current: CHOSEN, password: OTHER };
      const changed = await office.asPerson(tokens.access_token, 'POST', '/me/password', body);
      assert.equal(changed.status, 204, JSON.stringify(changed.body));
      await follow();
      assert.equal(attempt.page.location, null);
      assert.equal((await office.asPerson(tokens.access_token)).status, 200, 'their own session goes on');
    });

    it('begin anew when what they had proved is another by now', async () => {
      const temporary = await office.register();
      const held = await office.begin();
      await held.send({ name: PERSON, password: temporary });
      // As a node would see it whose request was under way while another one changed the password.
      await office.test.database.knex('person_proofs').update({ password_hash: 'another' });
      await held.send({ password: OTHER, again: OTHER });
      assert.equal(held.step, 'password');
      assert.match(held.page.text, /vừa được thay đổi/);
      assert.equal((await office.test.database.knex('person_proofs').first()).password_hash, 'another');
      assert.deepEqual(await office.doorActs(), ['sign_in_refused']);
    });

    it('lead to nobody’s second factor but their own', async () => {
      await office.firstSignIn(await office.register(['manager']));
      const { knex } = office.test.database;
      const { totp_sealed: sealed } = await knex('person_proofs').first();
      await knex('person_proofs').update({ totp_sealed: null, totp_step: null });
      const held = await office.begin();
      await held.send({ name: PERSON, password: CHOSEN });
      assert.equal(held.step, 'enrol');
      await knex('person_proofs').update({ totp_sealed: sealed });
      await held.send({ code: oneTimeCode(held.secret, office.clock.at) });
      assert.equal(held.step, 'password');
      assert.equal((await knex('person_proofs').first()).totp_sealed, sealed);
    });

    it('lead in by no way without a record', async () => {
      await office.firstSignIn(await office.register());
      const before = await office.doorActs();
      const attempt = await office.begin();
      const again = await office.withoutRecord();
      await attempt.send({ name: PERSON, password: CHOSEN });
      assert.equal(attempt.page.status, 503);
      for (let i = 0; i < 2; i += 1) {
        await attempt.open(attempt.at);
        assert.deepEqual([attempt.page.status, attempt.page.location], [503, null], 'loaded again');
      }
      await again();
      await attempt.open(attempt.at);
      assert.ok(attempt.answer.has('code'), 'they go on where they stood');
      assert.deepEqual(await office.doorActs(), [...before, 'sign_in']);
    });

    it('and sessions that were ended do not come back by a request that was under way', async () => {
      const { signIn } = await office.firstSignIn(await office.register());
      const ask = await signIn.browser.request('/oidc/session/end?client_id=console');
      const form = `xsrf=${/name="xsrf" value="([^"]+)"/.exec(ask.text)?.[1] ?? ''}`;
      const { host, hostname, port } = new URL(office.gateway.url);
      const socket = net.connect(Number(port), hostname);
      let answer = '';
      socket.on('data', (part: Buffer) => (answer += part.toString('latin1')));
      const head = [
        'POST /oidc/session/end/confirm HTTP/1.1',
        `Host: ${host}`,
        `Cookie: ${signIn.browser.cookies('/oidc/session/end/confirm')}`,
        'Content-Type: application/x-www-form-urlencoded',
        `Content-Length: ${form.length}`,
        'Connection: close',
      ];
      socket.write(`${head.join('\r\n')}\r\n\r\n${form.slice(0, 5)}`);
      await signIn.browser.request('/oidc/auth/none');
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal((await office.api('DELETE', `/people/${PERSON}/sessions`)).status, 204);
      socket.write(form.slice(5));
      await new Promise((resolve) => socket.once('close', resolve));
      assert.match(answer, /^HTTP\/1\.1 303/);
      const kept = office.test.database.knex('oidc_payloads').where({ model: 'Session', account_id: PERSON });
      assert.deepEqual(await kept, [], 'nothing is kept of it');
      const cookie = [...answer.matchAll(/^set-cookie: ([^;]+)/gim)].map(([, pair]) => pair).join('; ');
      const next = await office.begin();
      const silent = await fetch(new URL(next.request, office.gateway.url), {
        redirect: 'manual',
        headers: { cookie },
      });
      assert.match(silent.headers.get('location') ?? '', /\/oidc\/sign-in\//, 'they are asked who they are');
    });

    it('give one token for one code, and one for one refresh token, however many ask at once', async () => {
      const { tokens, signIn } = await office.firstSignIn(await office.register());
      const many = Array.from({ length: 8 });
      const refreshed = await Promise.all(
        many.map(() => signIn.token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })),
      );
      assert.ok(refreshed.filter(({ status }) => status === 200).length <= 1);
      const again = await office.begin();
      await again.send({ name: PERSON, password: CHOSEN });
      const exchanged = await Promise.all(many.map(() => again.exchange()));
      assert.ok(exchanged.filter(({ status }) => status === 200).length <= 1);
      for (const { status, body } of [...refreshed, ...exchanged])
        assert.ok(status === 200 || body.error === 'invalid_grant', JSON.stringify(body));
    });
  });
}
