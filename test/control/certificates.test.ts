import assert from 'node:assert/strict';
import { makeIdentity } from '../kit/certificates.js';
import { PAPER } from '../kit/province.js';
import { engines } from '../kit/databases.js';
import { type Caller, Desk, refused } from './desk.js';

const SYSTEM = {
  id: 'mot-cua',
  agency: 'H35',
  name: 'Một cửa điện tử',
  roles: ['consumer'],
  credential: { kind: 'secret' },
  document: PAPER,
};
const days = { days: 36_500 };
const mine = makeIdentity('mot-cua', days);
const other = makeIdentity('khac', days);
const weak = makeIdentity('yeu', { ...days, key: ['rsa:1024'] });

for (const engine of engines) {
  describe(`certificates of systems on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
      await desk.call(admin, 'POST', '/systems', SYSTEM);
    });
    afterEach(() => desk.close());

    const add = (certificate: string) =>
      desk.call(admin, 'POST', '/systems/mot-cua/certificates', { certificate });

    it('are registered by their thumbprint, and end when the certificate does', async () => {
      const { status, body } = await add(mine.cert);
      assert.equal(status, 201);
      assert.equal(body.kind, 'certificate');
      assert.deepEqual(body.certificate, {
        'x5t#S256': mine.thumbprint,
        subject: 'C=VN, O=So Noi vu, CN=mot-cua',
      });
      assert.equal(body.expiresAt, new Date(mine.x509.validTo).toISOString());
      assert.equal(desk.acts.at(-1)?.key, 'mot-cua');
      const { credentials } = (await desk.call(admin, 'GET', '/systems/mot-cua')).body;
      assert.equal(credentials.length, 2);
    });

    it('are refused twice, and taken beside another', async () => {
      await add(mine.cert);
      await refused(add(mine.cert), 'conflict');
      assert.equal((await add(other.cert)).status, 201);
    });

    it('are revoked like any other credential, and may then come back', async () => {
      const { body } = await add(mine.cert);
      const gone = await desk.call(admin, 'DELETE', `/systems/mot-cua/credentials/${body.id}`);
      assert.equal(gone.status, 204);
      assert.equal((await add(mine.cert)).status, 201);
    });

    const wrong: readonly [string, string][] = [
      ['with a weak key', weak.cert],
      ['beside another', mine.cert + other.cert],
      ['beside its private key', mine.cert + mine.key],
      ['that is only a key', mine.key],
      ['cut short', mine.cert.replace(/.{40}\n-----END/s, '\n-----END')],
    ];
    for (const [name, pem] of wrong)
      it(`are refused where one comes ${name}`, async () => {
        const problem = await refused(add(pem), 'request_invalid');
        assert.equal(problem.parts.errors?.[0]?.pointer, '/body/certificate');
        assert.ok(!JSON.stringify(problem).includes('BEGIN'), 'nothing of what was sent');
      });

    it('are refused where one is over, to the second', async () => {
      const until = Date.parse(mine.x509.validTo);
      desk.now = until + 1;
      await refused(add(mine.cert), 'request_invalid');
      desk.now = until;
      assert.equal((await add(mine.cert)).status, 201);
    });

    it('are enough to register a system', async () => {
      const credential = { kind: 'certificate', certificate: mine.cert };
      const { body } = await desk.call(admin, 'POST', '/systems', { ...SYSTEM, id: 'khac', credential });
      assert.equal(body.credential.certificate['x5t#S256'], mine.thumbprint);
      assert.equal(body.credential.secret, undefined);
    });

    it('are not added to a system that is revoked or unknown', async () => {
      await refused(
        desk.call(admin, 'POST', '/systems/none/certificates', { certificate: mine.cert }),
        'object_not_found',
      );
      await desk.call(admin, 'POST', '/systems/mot-cua/revoke', { reason: 'thôi', document: PAPER });
      await refused(add(mine.cert), 'transition_not_allowed');
    });
  });

  describe(`bound tokens as a demand of systems on ${engine.name}`, () => {
    it('are not demanded unless somebody says so, and each change is told', async () => {
      const desk = await Desk.open(engine);
      try {
        const admin = await desk.caller('admin');
        const read = async (id: string) =>
          (await desk.call(admin, 'GET', `/systems/${id}`)).body.requireBoundTokens;
        await desk.call(admin, 'POST', '/systems', SYSTEM);
        assert.equal(await read('mot-cua'), false);
        await desk.call(admin, 'POST', '/systems', { ...SYSTEM, id: 'chat', requireBoundTokens: true });
        assert.equal(await read('chat'), true);
        await desk.call(admin, 'PATCH', '/systems/mot-cua', { requireBoundTokens: true });
        assert.equal(await read('mot-cua'), true);
        const { before, after } = desk.acts.at(-1) as { before: any; after: any };
        assert.deepEqual([before.requireBoundTokens, after.requireBoundTokens], [false, true]);
        await desk.call(admin, 'PATCH', '/systems/mot-cua', { name: 'Tên khác' });
        assert.equal(await read('mot-cua'), true, 'stays when something else changes');
        await desk.call(admin, 'PATCH', '/systems/mot-cua', { requireBoundTokens: false });
        assert.equal(await read('mot-cua'), false);
      } finally {
        await desk.close();
      }
    });
  });
}
