import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { engines } from '../kit/databases.js';
import { PAPER } from '../kit/province.js';
import { type Caller, Desk, refused } from './desk.js';

const KIOSK = {
  id: 'mot-cua',
  agency: 'H35',
  name: 'Một cửa điện tử',
  roles: ['consumer'],
  credential: { kind: 'secret' },
  document: PAPER,
};

const jwkOf = (key: { export(options: { format: 'jwk' }): object }) =>
  key.export({ format: 'jwk' }) as Record<string, any>;
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const ecPublic = jwkOf(ec.publicKey);

for (const engine of engines) {
  describe(`systems on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
    });
    afterEach(() => desk.close());

    const register = (body: object) => desk.call(admin, 'POST', '/systems', body);
    const post = (path: string, body: object = {}) => desk.call(admin, 'POST', path, body);
    const get = async (id: string) => (await desk.call(admin, 'GET', `/systems/${id}`)).body;
    const credentialRows = (id: string) =>
      desk.test.database.knex('system_credentials').where({ system_id: id }).orderBy('id');

    it('show their secret once, and keep its digest only', async () => {
      const { status, body, headers } = await register(KIOSK);
      assert.equal(status, 201);
      assert.equal(headers['cache-control'], 'no-store');
      const { secret } = body.credential;
      assert.match(secret, /^[A-Za-z0-9_-]{43}$/);
      const [row] = await credentialRows('mot-cua');
      assert.equal(row.secret_sha256, createHash('sha256').update(secret).digest('hex'));
      const elsewhere = JSON.stringify([
        desk.acts,
        await get('mot-cua'),
        await desk.test.database.knex('systems'),
        row,
      ]);
      assert.ok(!elsewhere.includes(secret), 'nowhere else');
      assert.ok(
        !JSON.stringify([desk.acts, await get('mot-cua')]).includes(row.secret_sha256),
        'nor its digest',
      );
      assert.equal(desk.acts.length, 1);
    });

    const accepted: readonly [string, Record<string, any>][] = [
      ['EC P-256', ecPublic],
      ['RSA 2048', jwkOf(rsa.publicKey)],
      ['Ed25519', jwkOf(ed.publicKey)],
      [
        'a key with a kid, an alg and members that do not matter',
        { ...ecPublic, kid: 'k1', alg: 'ES256', use: 'sig', x5t: 'abc' },
      ],
    ];
    for (const [name, jwk] of accepted) {
      it(`are registered with ${name}`, async () => {
        const { body } = await register({ ...KIOSK, credential: { kind: 'key', jwk } });
        assert.equal(body.credential.secret, undefined);
        const [row] = await credentialRows('mot-cua');
        const stored = JSON.parse(row.public_jwk);
        assert.equal(await calculateJwkThumbprint(stored), await calculateJwkThumbprint(jwk as any));
        assert.equal(stored.kid, jwk['kid'] ?? (await calculateJwkThumbprint(jwk as any)));
        assert.equal(stored.x5t, undefined);
      });
    }

    const refusedKeys: readonly [string, Record<string, any>][] = [
      ['a private EC key', jwkOf(ec.privateKey)],
      ['a private RSA key', jwkOf(rsa.privateKey)],
      ['a private Ed25519 key', jwkOf(ed.privateKey)],
      ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0' }],
      ['a symmetric part beside a public key', { ...ecPublic, k: 'c2VjcmV0' }],
      ['EC P-384', jwkOf(p384.publicKey)],
      ['RSA 1024', jwkOf(weak.publicKey)],
      ['a point that is not on the curve', { ...ecPublic, x: ecPublic['y'] }],
      ['a key without its coordinates', { kty: 'EC', crv: 'P-256' }],
      ['coordinates that are no text', { ...ecPublic, x: 1 }],
      ['another algorithm than the key has', { ...ecPublic, alg: 'RS256' }],
      ['alg none', { ...ecPublic, alg: 'none' }],
      ['a key for encryption', { ...ecPublic, use: 'enc' }],
    ];
    for (const [name, jwk] of refusedKeys) {
      it(`are not registered with ${name}, and no part of it is kept or repeated`, async () => {
        const problem = await refused(
          register({ ...KIOSK, credential: { kind: 'key', jwk } }),
          'request_invalid',
        );
        const said = JSON.stringify([
          problem.parts,
          problem.message,
          desk.acts,
          await desk.test.database.knex('system_credentials'),
        ]);
        for (const member of ['d', 'k', 'p', 'q'])
          if (jwk[member] !== undefined) assert.ok(!said.includes(jwk[member]), member);
        await refused(desk.call(admin, 'GET', '/systems/mot-cua'), 'object_not_found');
      });
    }

    const wrong: readonly [string, object, string][] = [
      ['an agency that is not there', { agency: 'H99' }, 'request_invalid'],
      ['no role', { roles: [] }, 'request_invalid'],
      ['a role twice', { roles: ['consumer', 'consumer'] }, 'request_invalid'],
      ['a role of its own', { roles: ['root'] }, 'request_invalid'],
      ['an id with capitals', { id: 'Mot-Cua' }, 'request_invalid'],
      ['an id of 65 characters', { id: 'a'.repeat(65) }, 'request_invalid'],
      ['a negative limit', { limit: { calls: -1, seconds: 1 } }, 'request_invalid'],
      ['a secret of its own choice', { credential: { kind: 'secret', secret: 'abc' } }, 'request_invalid'],
      ['the id of who registers it', { id: 'admin' }, 'own_decision'],
    ];
    for (const [name, part, code] of wrong)
      it(`are not registered with ${name}`, async () => {
        await refused(register({ ...KIOSK, ...part }), code);
        assert.equal((await desk.test.database.knex('systems')).length, 1);
      });

    it('get an id made from their name when they bring none', async () => {
      const { id: _id, ...rest } = KIOSK;
      const ids = [(await register(rest)).body.system.id, (await register(rest)).body.system.id];
      for (const id of ids) assert.match(id, /^mot-cua-dien-tu-[0-9a-f]{6}$/);
      assert.notEqual(ids[0], ids[1]);
      assert.match((await register({ ...rest, name: '»«' })).body.system.id, /^he-thong-[0-9a-f]{6}$/);
      assert.ok((await register({ ...rest, name: 'x'.repeat(255) })).body.system.id.length <= 64);
    });

    it('are registered once when two register one id at the same moment', async () => {
      const results = await Promise.allSettled([register(KIOSK), register(KIOSK), register(KIOSK)]);
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results)
        if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'conflict');
      assert.equal((await credentialRows('mot-cua')).length, 1);
    });

    it('are listed by words, agency, state and role', async () => {
      await register(KIOSK);
      await register({
        ...KIOSK,
        id: 'thanh-tra',
        name: 'Ứng dụng kiểm tra',
        roles: ['auditor', 'consumer'],
      });
      await post('/systems/mot-cua/lock', { reason: 'thử', document: PAPER });
      const ids = async (query: string) =>
        (await desk.call(admin, 'GET', `/systems?${query}`)).body.items.map(
          (item: { id: string }) => item.id,
        );
      assert.deepEqual(await ids('q=dien%20tu'), ['mot-cua']);
      assert.deepEqual(await ids('q=THANH-'), ['thanh-tra']);
      assert.deepEqual(await ids('state=locked'), ['mot-cua']);
      assert.deepEqual(await ids('role=consumer'), ['mot-cua', 'thanh-tra']);
      assert.deepEqual(await ids('role=auditor'), ['thanh-tra']);
      assert.deepEqual(await ids('agency=H36'), []);
      assert.deepEqual(await ids('limit=1'), ['admin']);
    });

    it('tell their agency of every way into them that another one made', async () => {
      await desk.agency('H35.11', 'Sở Nội vụ');
      const ours = await desk.system('noi-vu-van-hanh', 'H35.11', ['operator']);
      await register({ ...KIOSK, agency: 'H35.11' });
      await post('/systems/mot-cua/secrets');
      await post('/systems/mot-cua/keys', { jwk: ecPublic });
      await desk.call(ours, 'POST', '/systems/mot-cua/secrets', {});
      await register({ ...KIOSK, id: 'cua-tinh' });
      const told = await desk.test.database.knex('notices').orderBy('kind');
      assert.deepEqual(
        told.map(({ agency, kind, key }) => [agency, kind, key]),
        [
          ['H35.11', 'account_made', 'mot-cua'],
          ['H35.11', 'credential_made', 'mot-cua'],
          ['H35.11', 'credential_made', 'mot-cua'],
        ],
      );
    });

    it('get no credential of which their agency could not be told', async () => {
      await desk.agency('H35.11', 'Sở Nội vụ');
      await register({ ...KIOSK, agency: 'H35.11' });
      const { knex } = desk.test.database;
      const credentials = () => knex('system_credentials').where({ system_id: 'mot-cua' });
      const before = await credentials();
      await knex.schema.renameTable('notices', 'no_notices');
      await assert.rejects(post('/systems/mot-cua/secrets'), /notices/);
      await assert.rejects(post('/systems/mot-cua/keys', { jwk: ecPublic }), /notices/);
      assert.deepEqual(await credentials(), before);
    });

    it('change name and limit, and nothing else', async () => {
      const { body } = await register(KIOSK);
      desk.now += 1000;
      const limit = { calls: 0, seconds: 60 };
      const changed = await desk.call(admin, 'PATCH', '/systems/mot-cua', { name: ' Một cửa ', limit });
      const { credentials, ...rest } = changed.body;
      assert.deepEqual(rest, {
        ...body.system,
        name: 'Một cửa',
        limit,
        updatedAt: new Date(desk.now).toISOString(),
      });
      assert.equal(credentials.length, 1);
      assert.equal((await desk.call(admin, 'PATCH', '/systems/mot-cua', { limit: null })).body.limit, null);
      for (const body of [{}, { roles: ['operator'] }, { agency: 'H35' }, { state: 'active' }])
        await refused(desk.call(admin, 'PATCH', '/systems/mot-cua', body), 'request_invalid');
    });

    describe('their state', () => {
      type State = 'active' | 'locked' | 'revoked';
      const reached: Record<State, string[]> = { active: [], locked: ['lock'], revoked: ['revoke'] };
      const table: readonly [State, string, State | null][] = [
        ['active', 'lock', 'locked'],
        ['active', 'unlock', null],
        ['active', 'revoke', 'revoked'],
        ['locked', 'lock', null],
        ['locked', 'unlock', 'active'],
        ['locked', 'revoke', 'revoked'],
        ['revoked', 'lock', null],
        ['revoked', 'unlock', null],
        ['revoked', 'revoke', null],
      ];
      for (const [from, act, to] of table) {
        it(`${from}: ${act} → ${to ?? 'refused'}`, async () => {
          await register(KIOSK);
          for (const step of reached[from])
            await post(`/systems/mot-cua/${step}`, { reason: 'để thử', document: PAPER });
          const since = new Date(desk.now).toISOString();
          desk.now += 5000;
          const before = await get('mot-cua');
          if (to === null) {
            const problem = await refused(
              post(`/systems/mot-cua/${act}`, { reason: 'x', document: PAPER }),
              'transition_not_allowed',
            );
            const { kind, id, state, since: said } = problem.parts.rule ?? {};
            assert.deepEqual(
              { kind, id, state, said },
              { kind: 'system', id: 'mot-cua', state: from, said: since },
            );
            assert.deepEqual(await get('mot-cua'), before);
            return;
          }
          const { body } = await post(`/systems/mot-cua/${act}`, {
            reason: ' theo Văn bản số 01 ',
            document: PAPER,
          });
          assert.deepEqual(
            [body.state, body.stateReason, body.stateSince],
            [to, 'theo Văn bản số 01', new Date(desk.now).toISOString()],
          );
          const noted = desk.acts.at(-1)!;
          assert.deepEqual([(noted.before as any).state, (noted.after as any).state], [from, to]);
        });
      }

      it('needs a reason for every change', async () => {
        await register(KIOSK);
        for (const body of [undefined, {}, { reason: '' }, { reason: '   ' }, { reason: 'x'.repeat(1001) }])
          await refused(desk.call(admin, 'POST', '/systems/mot-cua/lock', body), 'request_invalid');
      });

      it('takes all credentials along when it is revoked', async () => {
        await register(KIOSK);
        await post('/systems/mot-cua/revoke', { reason: 'thu hồi', document: PAPER });
        assert.deepEqual(
          (await get('mot-cua')).credentials.map((one: any) => one.state),
          ['revoked'],
        );
        await refused(post('/systems/mot-cua/secrets'), 'transition_not_allowed');
        await refused(post('/systems/mot-cua/keys', { jwk: ecPublic }), 'transition_not_allowed');
      });
    });

    it('lock and revoke others, never themselves', async () => {
      await desk.system('van-hanh-2', 'H35', ['operator']);
      for (const act of ['lock', 'revoke'])
        await refused(post(`/systems/admin/${act}`, { reason: 'x', document: PAPER }), 'own_decision');
      const other = await desk.caller('van-hanh-2');
      assert.equal(
        (await desk.call(other, 'POST', '/systems/admin/lock', { reason: 'x', document: PAPER })).body.state,
        'locked',
      );
    });

    it('always leave one operator who can act', async () => {
      const other = await desk.system('van-hanh-2', 'H35', ['operator']);
      const locked = { reason: 'x', document: PAPER };
      const results = await Promise.allSettled([
        desk.call(other, 'POST', '/systems/admin/lock', locked),
        desk.call(admin, 'POST', '/systems/van-hanh-2/lock', locked),
      ]);
      const codes = results.map((result) => (result.status === 'fulfilled' ? 'done' : result.reason.code));
      assert.deepEqual(codes.sort(), ['conflict', 'done']);
      const active = await desk.test.database.knex('systems').where({ state: 'active' });
      assert.equal(active.length, 1);
    });

    const cannotAct: readonly [string, (id: string) => Promise<unknown>][] = [
      ['is locked', (id) => desk.test.database.knex('systems').where({ id }).update({ state: 'locked' })],
      [
        'has no credential left',
        (id) =>
          desk.test.database.knex('system_credentials').where({ system_id: id }).update({ revoked_at: 1 }),
      ],
      [
        'has an expired secret only',
        (id) =>
          desk.test.database.knex('system_credentials').where({ system_id: id }).update({ expires_at: 1 }),
      ],
      [
        'belongs to an agency that ended',
        (id) =>
          desk.test.database
            .knex('agencies')
            .where({ code: id.slice(3) })
            .update({ valid_to: '2025-07-31' }),
      ],
    ];
    for (const [name, disable] of cannotAct) {
      it(`do not count an operator that ${name}`, async () => {
        await desk.agency('H36', 'Cơ quan khác');
        await desk.system('vh-H36', 'H36', ['operator']);
        const acting = { system: 'vh-H36', agency: 'H36', roles: ['operator'] };
        await disable('vh-H36');
        await refused(
          desk.call(acting, 'POST', '/systems/admin/lock', { reason: 'x', document: PAPER }),
          'conflict',
        );
        const [credential] = await credentialRows('admin');
        await refused(desk.call(acting, 'DELETE', `/systems/admin/credentials/${credential.id}`), 'conflict');
      });
    }

    describe('their credentials', () => {
      beforeEach(() => register(KIOSK));
      const states = async () => (await get('mot-cua')).credentials.map((one: any) => one.state);

      it('overlap while a secret is replaced', async () => {
        const added = await post('/systems/mot-cua/secrets', { replaceAfterSeconds: 60 });
        assert.match(added.body.secret, /^[A-Za-z0-9_-]{43}$/);
        assert.equal(added.headers['cache-control'], 'no-store');
        assert.ok(!JSON.stringify(desk.acts).includes(added.body.secret));
        desk.now += 59_999;
        assert.deepEqual(await states(), ['active', 'active']);
        desk.now += 1;
        assert.deepEqual((await states()).sort(), ['active', 'expired']);
      });

      it('never live longer by being replaced again', async () => {
        const [first] = await credentialRows('mot-cua');
        const end = async () =>
          (await credentialRows('mot-cua')).find(({ id }) => id === first.id)?.expires_at;
        await post('/systems/mot-cua/secrets', { replaceAfterSeconds: 60 });
        assert.equal(await end(), desk.now + 60_000);
        await post('/systems/mot-cua/secrets', { replaceAfterSeconds: 3600 });
        assert.equal(await end(), desk.now + 60_000);
        await post('/systems/mot-cua/secrets', { replaceAfterSeconds: 1 });
        assert.equal(await end(), desk.now + 1000);
      });

      it('stay when nothing says that they are replaced; keys always do', async () => {
        await post('/systems/mot-cua/keys', { jwk: ecPublic });
        await post('/systems/mot-cua/secrets');
        assert.deepEqual(await states(), ['active', 'active', 'active']);
        await post('/systems/mot-cua/secrets', { replaceAfterSeconds: 0 });
        assert.deepEqual((await states()).sort(), ['active', 'active', 'expired', 'expired']);
      });

      it('are ten at most', async () => {
        for (let n = 1; n < 10; n += 1) await post('/systems/mot-cua/secrets');
        await refused(post('/systems/mot-cua/secrets'), 'conflict');
        await post('/systems/admin/secrets');
      });

      it('hold no key and no key name twice', async () => {
        await post('/systems/mot-cua/keys', { jwk: ecPublic });
        await refused(post('/systems/mot-cua/keys', { jwk: { ...ecPublic, kid: 'other' } }), 'conflict');
        await post('/systems/mot-cua/keys', { jwk: { ...jwkOf(ed.publicKey), kid: 'mine' } });
        await refused(
          post('/systems/mot-cua/keys', { jwk: { ...jwkOf(rsa.publicKey), kid: 'mine' } }),
          'conflict',
        );
      });

      it('are revoked once, by id, within their system', async () => {
        const [row] = await credentialRows('mot-cua');
        const [foreign] = await credentialRows('admin');
        const remove = (id: string) => desk.call(admin, 'DELETE', `/systems/mot-cua/credentials/${id}`);
        await refused(remove(foreign.id), 'object_not_found');
        assert.equal((await remove(row.id)).status, 204);
        assert.equal((desk.acts.at(-1)!.after as any).state, 'revoked');
        await refused(remove(row.id), 'transition_not_allowed');
        await refused(desk.call(admin, 'DELETE', '/systems/no-one/credentials/x'), 'object_not_found');
      });
    });

    it('are the business of operators alone', async () => {
      await register(KIOSK);
      for (const role of ['owner', 'manager', 'provider', 'consumer', 'auditor'] as const) {
        const caller: Caller = { system: 'x', agency: 'H35', roles: [role] };
        for (const act of ['lock', 'unlock', 'revoke'])
          await refused(
            desk.call(caller, 'POST', `/systems/mot-cua/${act}`, { reason: 'x', document: PAPER }),
            'role_required',
          );
        await refused(desk.call(caller, 'POST', '/systems', KIOSK), 'role_required');
        const reads = desk.call(caller, 'GET', '/systems/mot-cua');
        if (role === 'provider' || role === 'consumer') await refused(reads, 'role_required');
        else assert.equal((await reads).status, 200);
      }
    });

    it('know who they are', async () => {
      assert.deepEqual((await desk.call(admin, 'GET', '/me')).body, {
        system: { id: 'admin', name: 'admin', state: 'active' },
        user: null,
        agency: { code: 'H35', name: 'Ủy ban nhân dân tỉnh Lai Châu', level: 'province' },
        roles: ['operator', 'manager'],
      });
    });
  });
}
