import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { parse, stringify } from 'yaml';
import { applyTree, loadTree } from '../../gateway/cli/apply.js';
import { exportTree } from '../../gateway/cli/export.js';
import { TreeError } from '../../gateway/cli/substitute.js';
import { Desk } from '../control/desk.js';
import { makeIdentity } from '../kit/certificates.js';
import { engines } from '../kit/databases.js';
import { PAPER } from '../kit/province.js';
import { folderWith } from './folder.js';

const jwk = (kid: string) => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
  ...{ use: 'sig', kid },
});
const [one, other] = [makeIdentity('mot'), makeIdentity('hai')];
const [first, second] = [jwk('mot'), jwk('hai')];
const system = (id: string, more: object) => ({
  ...{ id, agency: 'H35', name: id, roles: ['consumer'], document: PAPER },
  ...more,
});
const certificate = (identity: typeof one, file: string) => ({
  ...{ kind: 'certificate', thumbprint: identity.thumbprint, file },
});
const key = (publicJwk: object) => ({ kind: 'key', jwk: publicJwk });

/** As export writes them, so that they can be compared. */
const SYSTEMS = [
  system('bi-mat', { auth: 'secret', validTo: '2026-12-31' }),
  system('chung-thu', {
    auth: 'certificate',
    credentials: [certificate(one, 'chung-thu.pem'), certificate(other, 'chung-thu-2.pem')],
  }),
  system('du-ca', {
    auth: 'key',
    credentials: [key(first), { kind: 'secret' }, certificate(one, 'du-ca.pem')],
  }),
  system('hai-khoa', { auth: 'key', credentials: [key(first), key(second)] }),
  system('khoa', { auth: 'key', publicJwk: first }),
];
const PEMS = {
  'certificates/chung-thu.pem': one.cert,
  'certificates/chung-thu-2.pem': other.cert,
  'certificates/du-ca.pem': one.cert,
};

function treeOf(systems: readonly object[], files: Record<string, string> = PEMS) {
  const folder = folderWith({ 'systems.yaml': stringify(systems), ...files });
  try {
    return loadTree(folder.path, {});
  } finally {
    folder.drop();
  }
}

describe('the systems of a folder', () => {
  const wrong: readonly [string, object, Record<string, string>, RegExp][] = [
    ['no way to prove itself', {}, {}, /\/0\/credentials/],
    ['a certificate that is not named', { auth: 'certificate' }, {}, /\/0\/credentials/],
    [
      'a way that is none of its credentials',
      { auth: 'key', credentials: [{ kind: 'secret' }] },
      {},
      /\/0\/auth/,
    ],
    ['a secret value', { credentials: [{ kind: 'secret', secret: 'x' }] }, {}, /secret/],
    ['a certificate without file or thumbprint', { credentials: [{ kind: 'certificate' }] }, {}, /file/],
    [
      'a file that is missing',
      { credentials: [{ kind: 'certificate', file: 'a.pem' }] },
      {},
      /a\.pem is missing/,
    ],
    [
      'another certificate than its thumbprint says',
      { credentials: [certificate(one, 'a.pem')] },
      { 'certificates/a.pem': other.cert },
      /another certificate/,
    ],
    [
      'a file that is no certificate',
      { credentials: [{ kind: 'certificate', file: 'a.pem' }] },
      { 'certificates/a.pem': 'x' },
      /no certificate/,
    ],
  ];
  for (const [name, more, files, said] of wrong)
    it(`are refused for ${name}`, () =>
      assert.throws(
        () => treeOf([system('a', more)], files),
        (error) => error instanceof TreeError && said.test(error.message),
      ));
});

for (const engine of engines) {
  describe(`lgsp apply of systems on ${engine.name}`, () => {
    let desk: Desk;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      // After the certificates of this run begin.
      desk.now = Date.now();
    });
    afterEach(() => desk.close());

    const api = async () => desk.api(await desk.caller('admin'));
    const apply = async (systems: readonly object[], files = PEMS as Record<string, string>) =>
      (await applyTree({ api: await api(), tree: treeOf(systems, files) })).rows.map(({ key: id, steps }) => [
        id,
        ...steps,
      ]);
    const exported = async () => {
      const files = await exportTree(await api());
      const found = parse(String(files['systems.yaml'])).filter(({ id }: any) => id !== 'admin');
      return { found, text: JSON.stringify(files) };
    };
    const day = (days: number) => new Date(desk.now + days * 86_400_000).toISOString().slice(0, 10);

    it('gives each every credential, and export says them all, but no secret', async () => {
      const systems = SYSTEMS.map((part) => ('validTo' in part ? { ...part, validTo: day(30) } : part));
      assert.deepEqual(await apply(systems), [
        ['bi-mat', 'register'],
        ['chung-thu', 'register', 'add certificate'],
        ['du-ca', 'register', 'add secret', 'add certificate'],
        ['hai-khoa', 'register', 'add key'],
        ['khoa', 'register'],
      ]);
      const { found, text } = await exported();
      assert.deepEqual(found, systems);
      assert.doesNotMatch(text, /PRIVATE|secret_sha256|"d":/);
      assert.deepEqual(
        (await apply(found, {})).filter(([, ...steps]) => steps.length > 0),
        [],
      );
    });

    it('makes no secret for a system that has a certificate alone', async () => {
      const kept: string[] = [];
      const options = { onCredential: ({ id }: { id: string }) => kept.push(id) };
      await applyTree({ api: await api(), tree: treeOf([SYSTEMS[1] ?? {}]) }, options);
      assert.deepEqual(kept, []);
      const { body } = await desk.call(await desk.caller('admin'), 'GET', '/systems/chung-thu');
      assert.deepEqual(
        body.credentials.map(({ kind }: { kind: string }) => kind),
        ['certificate', 'certificate'],
      );
    });

    it('says which certificate must be laid beside, before it registers anything', async () => {
      await assert.rejects(
        apply([SYSTEMS[1] ?? {}], {}),
        /put the certificate .* into certificates\/chung-thu\.pem/,
      );
      assert.deepEqual(await desk.test.database.knex('systems').where({ id: 'chung-thu' }), []);
    });

    it('adds a key that the files name beside the one that is there', async () => {
      await apply([system('hai-khoa', { auth: 'key', publicJwk: first })]);
      assert.deepEqual(await apply([system('hai-khoa', { credentials: [key(first), key(second)] })]), [
        ['hai-khoa', 'add key'],
      ]);
    });

    it('brings back no credential that was revoked', async () => {
      await apply([system('khoa', { auth: 'key', publicJwk: first })]);
      const { body } = await desk.call(await desk.caller('admin'), 'GET', '/systems/khoa');
      await desk.call(
        await desk.caller('admin'),
        'DELETE',
        `/systems/khoa/credentials/${body.credentials[0].id}`,
      );
      const { found } = await exported();
      assert.deepEqual(found, [system('khoa', { auth: 'key' })]);
    });

    it('extends a term on its document, and never shortens one', async () => {
      const until = (validTo?: string) => [
        system('bi-mat', { auth: 'secret', ...(validTo ? { validTo } : {}) }),
      ];
      await apply(until(day(30)));
      assert.deepEqual(await apply(until(day(60))), [['bi-mat', 'extend']]);
      assert.equal(desk.acts.at(-1)?.operationId, 'extendSystem');
      assert.deepEqual((await exported()).found[0].validTo, day(60));
      assert.deepEqual(await apply(until(day(60))), [['bi-mat']]);
      await assert.rejects(apply(until(day(30))), /not shortened/);
      assert.deepEqual(await apply(until()), [['bi-mat', 'extend']]);
      await assert.rejects(apply(until(day(30))), /not shortened/);
    });
  });
}
