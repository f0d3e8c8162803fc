import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { people } from '../../gateway/base/config-accounts.js';
import { type Arrival, externalProvider } from '../../gateway/identity/external-provider.js';
import { TestIdentityProvider } from '../kit/identity-provider.js';

describe('another OpenID provider', () => {
  let idp: TestIdentityProvider;
  before(async () => {
    idp = await new TestIdentityProvider().start();
  });
  beforeEach(() => {
    idp.claims = {};
    idp.stranger = null;
    idp.down = false;
  });
  after(() => idp.close());

  function provider(more: object) {
    const identityProvider = { issuer: idp.issuer, clientId: 'lgsp', label: 'Nơi khác', ...more };
    const settings = people.parse({ identityProvider }).identityProvider;
    assert.ok(settings !== undefined);
    return externalProvider(settings, {
      publicUrl: 'http://localhost:8080',
      now: () => Date.now(),
      async fetch(url, options) {
        const answer = await fetch(url, { ...options, body: options.body ?? null });
        const contentType = answer.headers.get('content-type') ?? '';
        return { status: answer.status, contentType, text: await answer.text() };
      },
    });
  }

  async function comeBack(more: object = {}): Promise<Arrival & { asked: URLSearchParams }> {
    const other = provider(more);
    const { url, departure } = await other.depart('attempt');
    const { asked, back } = idp.prove(url);
    const query = new URL(back, 'http://localhost').searchParams;
    return { ...(await other.arrive(query, departure)), asked };
  }

  const accounts: readonly [string, object, Record<string, unknown>, string | null][] = [
    ['of the same name', {}, { sub: 'le.thi.mau' }, 'le.thi.mau'],
    ['of no other spelling', {}, { sub: 'Le.Thi.Mau' }, 'Le.Thi.Mau'],
    ['of no name that only looks the same', {}, { sub: '\u212Aien' }, '\u212Aien'],
    ['of the list', { accounts: { x: 'le.thi.mau' } }, { sub: 'x' }, 'le.thi.mau'],
    ['of the list alone', { accounts: { x: 'le.thi.mau' } }, { sub: 'le.thi.mau' }, null],
    ['of a verified address', { claim: 'email' }, { email: 'a@x.vn', email_verified: true }, 'a@x.vn'],
    ['of no address that is not', { claim: 'email' }, { email: 'a@x.vn', email_verified: false }, null],
    ['of no address that may be', { claim: 'email' }, { email: 'a@x.vn' }, null],
    [
      'of no address that only says so',
      { claim: 'email', accounts: { 'a@x.vn': 'a' } },
      { email: 'a@x.vn', email_verified: 'true' },
      null,
    ],
  ];
  for (const [name, settings, claims, account] of accounts)
    it(`leads to the account ${name}`, async () => {
      idp.claims = claims;
      assert.equal((await comeBack(settings)).account, account);
    });

  const factors: readonly [string, object, Record<string, unknown>, boolean][] = [
    ['does not count unless told', {}, { amr: ['mfa'] }, false],
    ['is believed when told', { secondFactor: true }, {}, true],
    ['is seen in amr', { secondFactor: true, secondFactorAmr: ['mfa'] }, { amr: ['pwd', 'mfa'] }, true],
    ['is missed in amr', { secondFactor: true, secondFactorAmr: ['mfa'] }, { amr: ['pwd'] }, false],
    ['is missed without amr', { secondFactor: true, secondFactorAmr: ['mfa'] }, {}, false],
    ['is seen in acr', { secondFactor: true, secondFactorAcr: ['loa3'] }, { acr: 'loa3' }, true],
    ['is missed in acr', { secondFactor: true, secondFactorAcr: ['loa3'] }, { acr: 'loa2' }, false],
    ['is not switched on by its evidence', { secondFactorAmr: ['mfa'] }, { amr: ['mfa'] }, false],
  ];
  for (const [name, settings, claims, counts] of factors)
    it(`has a second factor that ${name}`, async () => {
      idp.claims = claims;
      const { secondFactor, asked } = await comeBack(settings);
      assert.equal(secondFactor, counts);
      assert.equal(asked.get('acr_values'), 'secondFactorAcr' in settings ? 'loa3' : null);
    });

  const ages: readonly [string, object, (now: number) => unknown, boolean][] = [
    ['now', {}, (now) => now, true],
    ['an hour ago', {}, (now) => now - 3600, false],
    ['at no time that it tells', {}, () => undefined, false],
    ['within the time allowed', { maxAgeSeconds: 3600 }, (now) => now - 3500, true],
    ['before the time allowed', { maxAgeSeconds: 3600 }, (now) => now - 3700, false],
    ['whenever it likes', { maxAgeSeconds: null }, (now) => now - 86_400, true],
  ];
  for (const [name, settings, at, taken] of ages)
    it(`is ${taken ? '' : 'not '}believed about who proved themselves ${name}`, async () => {
      idp.claims = { auth_time: at(Math.floor(Date.now() / 1000)) };
      if (taken) await comeBack(settings);
      else await assert.rejects(comeBack(settings), /auth_time/);
    });

  it('asks them to prove themselves anew, unless told', async () => {
    assert.equal((await comeBack()).asked.get('max_age'), '0');
    assert.equal((await comeBack({ maxAgeSeconds: null })).asked.get('max_age'), null);
  });

  it('is not believed with the signature of somebody else', async () => {
    idp.stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    await assert.rejects(comeBack());
  });

  it('cannot be gone to while it is down, and can be again', async () => {
    idp.down = true;
    const other = provider({});
    await assert.rejects(other.depart('attempt'));
    idp.down = false;
    assert.ok((await other.depart('attempt')).url.startsWith(idp.issuer));
  });
});
