import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { engines } from '../kit/databases.js';
import { startTestGateway, type TestGateway } from '../kit/gateway.js';
import { CHOSEN, Office, PERSON } from '../kit/people.js';
import { oneTimeCode, TestSignIn } from '../kit/sign-in.js';

const OTHER = 'mưa rừng chiều thứ bảy';
const WEAK = 'ngắn';
const MINUTE = 60_000;

for (const engine of engines) {
  describe(`how long what people proved holds, on ${engine.name}`, function () {
    this.timeout(60_000);
    let office: Office;
    beforeEach(async () => {
      office = await Office.open(engine, { people: { sessionHours: 1, idleMinutes: 30 } });
    });
    afterEach(() => office.close());

    const refresh = (signIn: TestSignIn, refresh_token: string) =>
      signIn.token({ grant_type: 'refresh_token', refresh_token });

    it('a session ends with its longest time, however busy it is kept', async () => {
      const { signIn, tokens } = await office.firstSignIn(await office.register());
      let { refresh_token } = tokens;
      for (let minutes = 20; minutes < 60; minutes += 20) {
        office.clock.at += 20 * MINUTE;
        const next = await refresh(signIn, refresh_token);
        assert.equal(next.status, 200, `after ${minutes} minutes`);
        ({ refresh_token } = next.body);
        assert.ok((await office.begin(signIn.browser)).answer.has('code'), 'no page is shown again');
      }
      office.clock.at += 20 * MINUTE + 1000;
      assert.equal((await refresh(signIn, refresh_token)).body.error, 'invalid_grant');
      assert.equal((await office.begin(signIn.browser)).step, 'password');
    });

    it('nor does a cookie that is kept longer than that open it again', async () => {
      const { signIn } = await office.firstSignIn(await office.register());
      // Kept alive all the while, as each visit of the authorization server does.
      for (let half = 0; half < 2; half += 1) {
        assert.ok((await office.begin(signIn.browser)).answer.has('code'));
        office.clock.at += 30 * MINUTE;
      }
      office.clock.at += 1000;
      const kept = await office.test.database.knex('oidc_payloads').where({ model: 'Session' });
      assert.ok(
        kept.some(({ expires_at }) => expires_at > office.clock.at),
        'the cookie leads to it still',
      );
      const again = await office.begin(signIn.browser);
      assert.equal(again.step, 'password');
      await again.send({ name: PERSON, password: CHOSEN });
      assert.ok(again.answer.has('code'), 'and a new sign-in begins its time anew');
    });

    it('a clock that is set back lets no one-time code in twice, and no old one', async () => {
      const { secret } = await office.firstSignIn(await office.register(['manager']));
      assert.ok(secret !== null);
      office.clock.at += 5 * MINUTE;
      const now = office.clock.at;
      const code = oneTimeCode(secret, now);
      const first = await office.begin();
      await first.send({ name: PERSON, password: CHOSEN });
      await first.send({ code });
      assert.ok(first.answer.has('code'));
      for (const back of [0, 30_000, 2 * MINUTE, 4 * MINUTE]) {
        office.clock.at = now - back;
        const again = await office.begin();
        await again.send({ name: PERSON, password: CHOSEN });
        for (const used of [code, oneTimeCode(secret, office.clock.at)]) {
          await again.send({ code: used });
          assert.equal(again.step, 'code', `set back by ${back} ms`);
        }
        await office.test.database.knex('sign_in_guards').delete();
      }
    });

    it('a clock that is set back lengthens no session: it ends at once', async () => {
      const { signIn, tokens } = await office.firstSignIn(await office.register());
      office.clock.at -= 10 * MINUTE;
      assert.equal((await office.asPerson(tokens.access_token)).status, 401);
      assert.equal((await refresh(signIn, tokens.refresh_token)).body.error, 'invalid_grant');
      const again = await office.begin(signIn.browser);
      assert.equal(again.step, 'password');
      await again.send({ name: PERSON, password: CHOSEN });
      assert.ok(again.answer.has('code'));
    });

    it('clocks of two nodes that differ by less than a minute end none', async () => {
      const { signIn, tokens } = await office.firstSignIn(await office.register());
      office.clock.at -= MINUTE / 2;
      assert.equal((await office.asPerson(tokens.access_token)).status, 200);
      assert.equal((await refresh(signIn, tokens.refresh_token)).status, 200);
      assert.ok((await office.begin(signIn.browser)).answer.has('code'));
    });

    it('one’s own password is not changed over what changed meanwhile', async () => {
      const { tokens } = await office.firstSignIn(await office.register());
      const change = async (current: string, password: string) => {
        const path = '/me/password';
        const answer = await office.asPerson(tokens.access_token, 'POST', path, { current, password });
        return { ...answer, password };
      };
      let current = CHOSEN;
      // On a slow day one may come when the other is done, and is told that its password is not the present one.
      for (let round = 0; round < 5; round += 1) {
        const wanted = ['một', 'hai'].map((word) => `${OTHER} ${word} ${round}`);
        const both = await Promise.all(wanted.map((password) => change(current, password)));
        const done = both.filter(({ status }) => status === 204);
        assert.equal(done.length, 1, 'one of them');
        current = done[0]?.password ?? '';
        const late = both.find(({ status }) => status === 409);
        if (late === undefined) continue;
        assert.deepEqual([late.body.code, late.body.rule.state], ['conflict', 'changed_meanwhile']);
        assert.equal((await change(current, OTHER)).status, 204, 'the one that was answered is in use');
        return;
      }
      assert.fail('they never met');
    });

    it('a right password with a bad new one gives no guesses back', async () => {
      const { tokens } = await office.firstSignIn(await office.register());
      const change = (current: string, password: string) =>
        office.asPerson(tokens.access_token, 'POST', '/me/password', { current, password });
      for (let wrong = 1; wrong <= 4; wrong += 1) {
        assert.equal((await change('sai rồi', OTHER)).body.errors[0].pointer, '/body/current');
        assert.equal((await change(CHOSEN, WEAK.repeat(3))).body.errors[0].pointer, '/body/password');
      }
      assert.equal((await change('sai rồi', OTHER)).status, 400, 'the fifth');
      const locked = await change(CHOSEN, OTHER);
      assert.deepEqual([locked.status, locked.body.rule.state], [429, 'locked_out']);
      const attempt = await office.begin();
      await attempt.send({ name: PERSON, password: CHOSEN });
      assert.match(attempt.page.text, /Thử lại sau/, 'nor at the sign-in page');
    });

    it('their agency is told when another one resets what proves them', async () => {
      await office.register(['manager']);
      await office.reset('password');
      await office.reset('second-factor');
      const told = await office.test.database
        .knex('notices')
        .whereIn('kind', ['password_reset', 'second_factor_reset'])
        .orderBy('kind');
      assert.deepEqual(
        told.map(({ agency, kind, noun, key }) => [agency, kind, noun, key]),
        [
          ['H35.11', 'password_reset', 'person', PERSON],
          ['H35.11', 'second_factor_reset', 'person', PERSON],
        ],
      );
      assert.match(told[0].text_vi, /«van-hanh» \(H35\.90\).*yêu cầu khóa tài khoản ngay/);
    });

    it('other rules of use are accepted anew, once', async () => {
      await office.firstSignIn(await office.register());
      const rulesFile = join(office.test.dataDir, 'quy-dinh.txt');
      const restart = async (text: string, work: (again: TestGateway) => Promise<void>) => {
        writeFileSync(rulesFile, text);
        const again = await startTestGateway(office.test, { people: { rulesFile } }, { clock: office.clock });
        try {
          await work(again);
        } finally {
          await again.close();
        }
      };
      const signIn = async (at: TestGateway) => {
        const attempt = await new TestSignIn(at.url).begin();
        return await attempt.send({ name: PERSON, password: CHOSEN });
      };
      await restart('Điều 1. <b>Không</b> dùng chung.\n', async (at) => {
        const attempt = await signIn(at);
        assert.equal(attempt.step, 'rules');
        assert.ok(attempt.page.text.includes('Điều 1. &lt;b&gt;Không&lt;/b&gt; dùng chung.'), 'as it is');
        await attempt.send({});
        assert.equal(attempt.step, 'rules', 'not without the tick');
        await attempt.send({ accept: 'yes' });
        assert.ok(attempt.answer.has('code'));
        assert.ok((await signIn(at)).answer.has('code'), 'not asked twice');
      });
      await restart('Điều 1. Không dùng chung, không cho mượn.\n', async (at) =>
        assert.equal((await signIn(at)).step, 'rules'),
      );
      const missing = { people: { rulesFile: join(office.test.dataDir, 'khong-co.txt') } };
      await assert.rejects(startTestGateway(office.test, missing, { clock: office.clock }), /khong-co/);
    });
  });
}
