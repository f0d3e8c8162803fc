import assert from 'node:assert/strict';
import { decodeJwt } from 'jose';
import { engines, type TestDatabase } from '../kit/databases.js';
import { allRecords, eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addPaper, addSystem, PAPER } from '../kit/province.js';
import { oneTimeCode, TestBrowser, TestSignIn } from '../kit/sign-in.js';

const CHOSEN = 'con trâu đi trước cái cày';
const OTHER = 'mưa rừng chiều thứ bảy';

for (const engine of engines) {
  describe(`people on ${engine.name}`, () => {
    let test: TestDatabase;
    let gateway: TestGateway;
    const clock = { at: 0, now: () => clock.at };

    beforeEach(async () => {
      clock.at = Date.parse('2026-03-02T02:00:00Z');
      test = await engine.create();
      gateway = await startTestGateway(test, {}, { clock });
      await addAgency(test.database, 'H35.11');
      await addAgency(test.database, 'H35.90');
      await addPaper(test.database, 'H35.90');
      await addSystem(test.database, 'van-hanh', 'H35.90', { roles: ['operator', 'manager'] });
      await addSystem(test.database, 'chi-van-hanh', 'H35.90', { roles: ['operator'] });
      await test.database.knex('changes').insert([
        { noun: 'agency', key: 'H35.11', at: 0 },
        { noun: 'agency', key: 'H35.90', at: 0 },
        { noun: 'system', key: 'van-hanh', at: 0 },
        { noun: 'system', key: 'chi-van-hanh', at: 0 },
      ]);
      await eventually(
        async () => ((await api('GET', '/me').catch(() => null))?.status === 200 ? true : undefined),
        'the operator is known',
      );
    });
    afterEach(async () => {
      await gateway.close();
      await test.drop();
    });

    async function api(method: string, path: string, body?: object, as = 'van-hanh') {
      // A new token each time: the clock moves.
      return await asPerson(await gateway.token(as, 'api'), method, path, body);
    }

    /** A call with the token of somebody who signed in. */
    async function asPerson(token: string, method = 'GET', path = '/me', body?: object) {
      const response = await fetch(`${gateway.url}/api${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    }

    async function register(more: object = {}) {
      const { status, body } = await api('POST', '/people', {
        id: 'le.thi.mau',
        agency: 'H35.11',
        name: 'Lê Thị Mẫu',
        roles: ['consumer'],
        document: PAPER,
        ...more,
      });
      assert.equal(status, 201, JSON.stringify(body));
      return body.temporaryPassword as string;
    }

    const begin = (browser?: TestBrowser) => new TestSignIn(gateway.url, browser).begin();

    /** From the temporary password to the first token. */
    async function firstSignIn(temporary: string, password = CHOSEN) {
      const signIn = await begin();
      await signIn.send({ name: 'le.thi.mau', password: temporary });
      await signIn.send({ password, again: password });
      let secret: string | null = null;
      if (signIn.step === 'enrol') {
        ({ secret } = signIn);
        await signIn.send({ code: oneTimeCode(secret, clock.at) });
      }
      assert.equal(signIn.step, 'rules');
      await signIn.send({ accept: 'yes' });
      const { status, body } = await signIn.exchange();
      assert.equal(status, 200, JSON.stringify(body));
      return { signIn, tokens: body, secret };
    }

    async function signInAgain(password: string, secret: string | null = null) {
      const signIn = await begin();
      await signIn.send({ name: 'le.thi.mau', password });
      if (secret !== null) await signIn.send({ code: oneTimeCode(secret, clock.at) });
      return signIn;
    }

    it('sign in with a temporary password, choose their own, accept the rules, and work', async () => {
      const temporary = await register();
      const { tokens, signIn } = await firstSignIn(temporary);
      assert.equal(signIn.answer.get('state'), 's1');
      assert.equal(signIn.answer.get('iss'), `${gateway.url}/oidc`);
      const me = await asPerson(tokens.access_token);
      assert.equal(me.status, 200, JSON.stringify(me.body));
      assert.equal(me.body.system, null);
      assert.deepEqual(me.body.user, {
        id: 'le.thi.mau',
        name: 'Lê Thị Mẫu',
        email: null,
        validFrom: '2026-03-02',
        validTo: null,
        secondFactor: false,
      });
      assert.equal(decodeJwt(tokens.id_token).sub, 'le.thi.mau');
      const again = await signInAgain(CHOSEN);
      assert.ok(again.answer.has('code'), 'no step is left');
      const records = await allRecords(test.database);
      const acts = records
        .filter(({ target }) => target?.noun === 'sign_in')
        .map(({ target }) => (target?.after as { act: string }).act);
      assert.deepEqual(acts, ['password_changed', 'rules_accepted', 'sign_in', 'sign_in']);
      assert.equal(records.filter(({ user }) => user === 'le.thi.mau').length >= 5, true);
      assert.ok(!JSON.stringify(records).includes(temporary), 'no password in the record');
      assert.ok(!JSON.stringify(records).includes(CHOSEN));
    });

    it('with a powerful role set up one-time codes, and no code works twice', async () => {
      const temporary = await register({ roles: ['auditor'] });
      const { secret, tokens } = await firstSignIn(temporary);
      assert.ok(secret !== null);
      assert.equal((await asPerson(tokens.access_token)).body.user.secondFactor, true);
      const replayed = await signInAgain(CHOSEN, secret);
      assert.equal(replayed.step, 'code', 'the code of the enrolment is used up');
      assert.equal(replayed.page.status, 422);
      clock.at += 30_000;
      await replayed.send({ code: oneTimeCode(secret, clock.at) });
      assert.ok(replayed.answer.has('code'));
      const rows = await test.database.knex('person_proofs');
      assert.ok(!JSON.stringify(rows).includes(secret), 'sealed at rest');
    });

    it('do not pass a step by asking for a later one', async () => {
      const temporary = await register({ roles: ['auditor'] });
      const { secret } = await firstSignIn(temporary);
      assert.ok(secret !== null);
      const signIn = await begin();
      await signIn.send({ name: 'le.thi.mau', password: CHOSEN });
      for (const step of ['rules', 'new-password', 'enrol', 'done', 'password']) {
        await signIn.send({ step, accept: 'yes', password: OTHER, again: OTHER, code: '000000' });
        assert.equal(signIn.step, 'code', step);
      }
      const resumed = await signIn.browser.request(signIn.at.replace('/sign-in/', '/auth/'));
      assert.ok(
        resumed.location === null || !resumed.location.includes('code='),
        'nor by going on without it',
      );
    });

    it('are locked out after five wrong passwords, whether they exist or not, and let in again later', async () => {
      const temporary = await register();
      for (const name of ['le.thi.mau', 'khong.co.ai']) {
        const signIn = await begin();
        for (let i = 0; i < 5; i += 1) await signIn.send({ name, password: 'sai mật khẩu rồi' });
        assert.match(signIn.page.text, /không đúng/);
        await signIn.send({ name, password: name === 'le.thi.mau' ? temporary : 'x' });
        assert.match(signIn.page.text, /Thử lại sau 15 phút/, name);
      }
      clock.at += 15 * 60_000 + 1;
      const signIn = await begin();
      await signIn.send({ name: 'le.thi.mau', password: temporary });
      assert.equal(signIn.step, 'new-password');
      const records = await allRecords(test.database);
      const refusals = records.filter(({ code }) => code === 'sign_in_refused');
      assert.equal(refusals.length, 12);
      assert.equal(refusals.filter(({ user }) => user === 'le.thi.mau').length, 6);
      assert.ok(!JSON.stringify(records).includes('khong.co.ai'), 'what nobody is called may be a password');
    });

    it('make no more guesses at once than one after the other', async () => {
      await register();
      const tries = await Promise.all(
        Array.from({ length: 12 }, async () => {
          const signIn = await begin();
          await signIn.send({ name: 'le.thi.mau', password: 'đoán mò thử xem' });
          return signIn.page.text;
        }),
      );
      assert.equal(tries.filter((text) => text.includes('không đúng')).length, 5);
      assert.equal(tries.filter((text) => text.includes('Thử lại sau')).length, 7);
    });

    it('choose no weak password, nor an old one', async () => {
      const temporary = await register();
      const signIn = await begin();
      await signIn.send({ name: 'LE.THI.MAU ', password: temporary });
      for (const [password, fault] of [
        ['ngắn quá', /ít nhất 12 ký tự/],
        ['aaaaaaaaaaaaaaaa', /quá ít ký tự khác nhau/],
        ['matkhau123456', /phổ biến/],
        ['123456789012345', /phổ biến/],
        ['le.thi.mau-2026', /tên của người dùng/],
        ['x'.repeat(60) + 'abcdefgh'.repeat(10), /Dài quá 128/],
        [temporary, /đã được dùng/],
      ] as const) {
        await signIn.send({ password, again: password });
        assert.equal(signIn.step, 'new-password');
        assert.match(signIn.page.text, fault, password);
      }
      await signIn.send({ password: CHOSEN, again: OTHER });
      assert.match(signIn.page.text, /không giống nhau/);
      await signIn.send({ password: CHOSEN, again: CHOSEN });
      assert.equal(signIn.step, 'rules');
    });

    it('lose a temporary password after its time', async () => {
      const temporary = await register();
      clock.at += 72 * 3_600_000 + 1;
      const signIn = await begin();
      await signIn.send({ name: 'le.thi.mau', password: temporary });
      assert.match(signIn.page.text, /Mật khẩu tạm đã hết hạn/);
      const reset = await api('POST', '/people/le.thi.mau/password-reset', {
        reason: 'Hết hạn',
        document: PAPER,
      });
      assert.equal(reset.status, 200);
      await signIn.send({ name: 'le.thi.mau', password: reset.body.temporaryPassword });
      assert.equal(signIn.step, 'new-password');
    });

    it('are out within a second when they are locked, and a document is owed for an emergency', async () => {
      const { tokens } = await firstSignIn(await register());
      const none = await api('POST', '/people/le.thi.mau/lock', { reason: 'Nghi lộ' });
      assert.equal(none.body.code, 'document_required');
      const locked = await api('POST', '/people/le.thi.mau/lock', { reason: 'Nghi lộ', emergency: true });
      assert.equal(locked.body.state, 'locked');
      const refused = await asPerson(tokens.access_token);
      assert.equal(refused.status, 401);
      assert.equal(refused.body.rule.state, 'ended');
      const debts = await api('GET', '/document-debts?state=open');
      assert.deepEqual(
        debts.body.items.map(({ noun, key }: { noun: string; key: string }) => [noun, key]),
        [['person', 'le.thi.mau']],
      );
      const tried = await signInAgain(CHOSEN);
      assert.match(tried.page.text, /đang bị khóa/);
      const back = await api('POST', '/people/le.thi.mau/unlock', { reason: 'Đã rõ', document: PAPER });
      assert.equal(back.body.state, 'active');
      assert.ok((await signInAgain(CHOSEN)).answer.has('code'));
    });

    it('end by themselves with the last day of a secondment', async () => {
      const { tokens, signIn } = await firstSignIn(await register({ validTo: '2026-03-02' }));
      clock.at = Date.parse('2026-03-02T16:59:59Z');
      const young = await signIn.token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
      // The idle time has passed meanwhile; a new sign-in is still possible to the last second.
      assert.equal(young.body.error, 'invalid_grant');
      const again = await signInAgain(CHOSEN);
      const { body } = await again.exchange();
      assert.equal((await asPerson(body.access_token)).status, 200);
      clock.at = Date.parse('2026-03-02T17:00:00Z');
      const refused = await asPerson(body.access_token);
      assert.deepEqual(
        [refused.status, refused.body.code, refused.body.rule.state],
        [403, 'client_locked', 'ended'],
      );
      assert.match((await signInAgain(CHOSEN)).page.text, /hết thời hạn/);
      const refreshed = await again.token({ grant_type: 'refresh_token', refresh_token: body.refresh_token });
      assert.equal(refreshed.body.error, 'invalid_grant');
    });

    it('stay signed in for other windows, and nowhere once a session is ended', async () => {
      const { signIn, tokens } = await firstSignIn(await register());
      const second = await begin(signIn.browser);
      assert.ok(second.answer.has('code'), 'no page is shown again');
      const sessions = await asPerson(tokens.access_token, 'GET', '/me/sessions');
      assert.equal(sessions.body.items.length, 1);
      assert.equal(sessions.body.items[0].current, true);
      const ended = await api('DELETE', `/people/le.thi.mau/sessions/${sessions.body.items[0].id}`);
      assert.equal(ended.status, 204);
      assert.equal((await asPerson(tokens.access_token)).status, 401);
      const refreshed = await signIn.token({
        grant_type: 'refresh_token',
        refresh_token: tokens.refresh_token,
      });
      assert.equal(refreshed.body.error, 'invalid_grant');
      assert.equal(
        (await second.exchange()).body.error,
        'invalid_grant',
        'nor a code that was already given',
      );
      assert.equal((await begin(signIn.browser)).step, 'password');
    });

    it('refresh once with each refresh token; a second use ends them all', async () => {
      const { signIn, tokens } = await firstSignIn(await register());
      const use = (refresh_token: string) => signIn.token({ grant_type: 'refresh_token', refresh_token });
      const next = await use(tokens.refresh_token);
      assert.equal(next.status, 200);
      assert.equal((await asPerson(next.body.access_token)).status, 200);
      assert.equal((await use(tokens.refresh_token)).body.error, 'invalid_grant');
      assert.equal((await use(next.body.refresh_token)).body.error, 'invalid_grant');
      const kept = JSON.stringify(await test.database.knex('oidc_payloads'));
      assert.ok(
        !kept.includes(tokens.refresh_token) && !kept.includes(next.body.refresh_token),
        'digests only',
      );
    });

    it('sign out, and their token with them', async () => {
      const { signIn, tokens } = await firstSignIn(await register());
      const out = await signIn.browser.request('/oidc/session/end');
      assert.match(out.text, /Đăng xuất khỏi nền tảng\?/);
      const xsrf = /name="xsrf" value="([^"]+)"/.exec(out.text)?.[1] ?? '';
      const done = await signIn.browser.request('/oidc/session/end/confirm', { xsrf, logout: 'yes' });
      assert.equal(done.status, 303);
      assert.match((await signIn.browser.request(done.location ?? '')).text, /Bạn đã đăng xuất/);
      assert.equal((await asPerson(tokens.access_token)).status, 401);
      assert.equal((await begin(signIn.browser)).step, 'password');
      const last = (await allRecords(test.database))
        .filter(({ target }) => target?.noun === 'sign_in')
        .at(-1);
      assert.equal((last?.target?.after as { act: string }).act, 'sign_out');
    });

    it('change their own password, which ends their other sessions', async () => {
      const { tokens } = await firstSignIn(await register());
      const other = await (await signInAgain(CHOSEN)).exchange();
      const change = (current: string, password: string) =>
        asPerson(tokens.access_token, 'POST', '/me/password', { current, password });
      assert.equal((await change('sai rồi', OTHER)).body.errors[0].pointer, '/body/current');
      assert.equal((await change(CHOSEN, CHOSEN)).body.errors[0].pointer, '/body/password');
      assert.equal((await change(CHOSEN, OTHER)).status, 204);
      assert.equal((await asPerson(tokens.access_token)).status, 200, 'this session goes on');
      assert.equal((await asPerson(other.body.access_token)).status, 401);
      assert.match((await signInAgain(CHOSEN)).page.text, /không đúng/);
      assert.ok((await signInAgain(OTHER)).answer.has('code'));
      assert.equal((await api('POST', '/me/password', { current: 'a', password: OTHER })).status, 404);
    });

    it('get tokens for the management API only, with PKCE only, for known addresses only', async () => {
      const { tokens } = await firstSignIn(await register());
      const data = await fetch(`${gateway.url}/data/H35.11/thu/v1/x`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      });
      assert.ok([401, 404].includes(data.status));
      const cases: readonly [Record<string, string | undefined>, RegExp][] = [
        [{ code_challenge: undefined, code_challenge_method: undefined }, /invalid_request/],
        [{ code_challenge_method: 'plain' }, /invalid_request/],
        [{ resource: `${gateway.url}/data` }, /invalid_target/],
        [{ redirect_uri: 'https://ke-xau.example/' }, /invalid_redirect_uri/],
        [
          { client_id: 'van-hanh' },
          /invalid_client|invalid_redirect_uri|unauthorized_client|invalid_request/,
        ],
      ];
      for (const [more, error] of cases) {
        const signIn = await new TestSignIn(gateway.url).begin(more);
        assert.match(`${signIn.page.location ?? ''} ${signIn.page.text}`, error, JSON.stringify(more));
        assert.equal(signIn.step, undefined);
      }
      const own = await new TestSignIn(gateway.url).token({ grant_type: 'client_credentials' });
      assert.notEqual(own.status, 200, 'an application has no rights of its own');
    });

    it('are not helped by a form of another site, nor by the link of somebody else', async () => {
      const temporary = await register();
      const signIn = await begin();
      const { at } = signIn;
      await signIn.send({ name: 'le.thi.mau', password: temporary }, { origin: 'https://ke-xau.example' });
      assert.equal(signIn.page.status, 400);
      const stranger = await new TestBrowser(gateway.url).request(at);
      assert.equal(stranger.status, 410);
      assert.match(stranger.text, /không còn dùng được/);
      const csp = signIn.page.headers.get('content-security-policy') ?? '';
      for (const part of ["default-src 'none'", "frame-ancestors 'none'"]) assert.ok(csp.includes(part));
    });

    it('are registered by rules: no power from an operator alone, none for oneself, no reserved name', async () => {
      const body = { agency: 'H35.11', name: 'Ai Đó', document: PAPER };
      const powerful = await api(
        'POST',
        '/people',
        { ...body, id: 'a.b', roles: ['manager'] },
        'chi-van-hanh',
      );
      assert.equal(powerful.body.code, 'role_required');
      const reserved = await api('POST', '/people', { ...body, id: 'console', roles: ['consumer'] });
      assert.equal(reserved.body.code, 'conflict');
      const system = await api('POST', '/systems', {
        ...{ id: 'console', agency: 'H35.11', name: 'x', roles: ['consumer'], document: PAPER },
        credential: { kind: 'secret' },
      });
      assert.equal(system.body.code, 'conflict');
      const nowhere = await api('POST', '/people', {
        ...body,
        id: 'a.b',
        agency: 'H35.99',
        roles: ['consumer'],
      });
      assert.equal(nowhere.body.errors[0].pointer, '/body/agency');
      const { tokens } = await firstSignIn(await register({ roles: ['operator', 'manager'] }));
      const own = await asPerson(tokens.access_token, 'PATCH', '/people/le.thi.mau', {
        roles: ['owner'],
        document: PAPER,
      });
      assert.equal(own.body.code, 'own_decision');
      const reset = await asPerson(tokens.access_token, 'POST', '/people/le.thi.mau/second-factor-reset', {
        reason: 'x',
        document: PAPER,
      });
      assert.equal(reset.body.code, 'own_decision');
    });

    it('begin anew when their roles ask for more proof', async () => {
      const { tokens } = await firstSignIn(await register());
      const patched = await api('PATCH', '/people/le.thi.mau', { roles: ['auditor'], document: PAPER });
      assert.equal(patched.status, 200, JSON.stringify(patched.body));
      assert.equal((await asPerson(tokens.access_token)).status, 401);
      assert.equal((await signInAgain(CHOSEN)).step, 'enrol');
    });
  });
}
