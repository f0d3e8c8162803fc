import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { parse, stringify } from 'yaml';
import type { ManagementApi } from '../../gateway/cli/api.js';
import { applyTree, type ApplyOptions, loadTree } from '../../gateway/cli/apply.js';
import { parentsFirst } from '../../gateway/cli/apply/agencies.js';
import { planService, type ServiceNow, type ServiceStep } from '../../gateway/cli/apply/services.js';
import { exportTree, writeFiles } from '../../gateway/cli/export.js';
import type { Tree } from '../../gateway/cli/tree.js';
import { engines } from '../kit/databases.js';
import { Desk, DOCUMENT, manifestOf, refused } from '../control/desk.js';
import { PAPER } from '../kit/province.js';
import { folderWith } from './folder.js';

describe('the way of a service to what its files say', () => {
  const at = (state: ServiceNow['state'], latest: number, published: number | null): ServiceNow => ({
    state,
    latestRevision: latest,
    publishedRevision: published,
  });
  type Wanted = 'draft' | 'published' | 'suspended' | 'retired';
  const table: readonly [string, ServiceNow | null, Wanted, boolean, boolean, ServiceStep[] | null][] = [
    ['not there → published', null, 'published', false, false, ['create', 'publish']],
    ['not there → draft', null, 'draft', false, false, ['create']],
    ['not there → suspended', null, 'suspended', false, false, ['create', 'publish', 'suspend']],
    ['not there → retired', null, 'retired', false, false, ['create', 'publish', 'retire']],
    ['draft → draft, same', at('draft', 1, null), 'draft', true, false, []],
    ['draft → draft, other', at('draft', 1, null), 'draft', false, false, ['save draft']],
    ['draft → published', at('draft', 1, null), 'published', true, false, ['publish']],
    ['draft → published, other', at('draft', 1, null), 'published', false, false, ['save draft', 'publish']],
    ['draft → suspended', at('draft', 1, null), 'suspended', true, false, ['publish', 'suspend']],
    ['draft → retired', at('draft', 1, null), 'retired', true, false, ['publish', 'retire']],
    ['published → published, same', at('published', 2, 2), 'published', true, false, []],
    ['published → published, credentials', at('published', 2, 2), 'published', true, true, ['save draft']],
    [
      'published → published, other',
      at('published', 2, 2),
      'published',
      false,
      false,
      ['save draft', 'publish'],
    ],
    ['published → published, saved already', at('published', 3, 2), 'published', true, false, ['publish']],
    ['published → suspended', at('published', 2, 2), 'suspended', true, false, ['suspend']],
    [
      'published → suspended, other',
      at('published', 2, 2),
      'suspended',
      false,
      false,
      ['save draft', 'publish', 'suspend'],
    ],
    ['published → retired, other', at('published', 2, 2), 'retired', false, false, ['retire']],
    ['published → draft', at('published', 2, 2), 'draft', true, false, []],
    ['suspended → published, same', at('suspended', 2, 2), 'published', true, false, ['resume']],
    [
      'suspended → published, other',
      at('suspended', 2, 2),
      'published',
      false,
      false,
      ['save draft', 'publish'],
    ],
    ['suspended → suspended, same', at('suspended', 2, 2), 'suspended', true, false, []],
    [
      'suspended → suspended, other: never in force',
      at('suspended', 2, 2),
      'suspended',
      false,
      false,
      ['save draft'],
    ],
    ['suspended → retired', at('suspended', 2, 2), 'retired', true, false, ['retire']],
    ['retired → retired, other', at('retired', 2, 2), 'retired', false, true, []],
    ['retired → published: no way', at('retired', 2, 2), 'published', true, false, null],
    ['retired → draft: no way', at('retired', 2, 2), 'draft', true, false, null],
  ];
  for (const [name, now, wanted, same, resend, steps] of table)
    it(name, () => assert.deepEqual(planService(now, wanted, same, resend), steps));
});

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });

const agency = (code: string, parentCode?: string) => ({
  code,
  name: `Đơn vị ${code}`,
  level: 'department' as const,
  ...(parentCode === undefined ? {} : { parentCode }),
  validFrom: '2025-03-01',
});
const system = (id: string, more: object = {}) => ({
  id,
  agency: 'H35.11',
  name: `Hệ thống ${id}`,
  roles: ['consumer' as const],
  auth: 'secret' as const,
  state: 'active' as const,
  document: PAPER,
  ...more,
});
const service = (slug: string, more: object = {}) => ({
  folder: `services/${slug}`,
  manifest: manifestOf('H35.11', slug),
  document: DOCUMENT,
  credentials: {},
  state: 'published' as const,
  reason: null,
  ...more,
});

const TREE = {
  agencies: [agency('H35.11.1', 'H35.11'), agency('H35.11', 'H35')],
  systems: [
    system('bi-mat'),
    system('khoa', { auth: 'key' }),
    system('khoa-san', { auth: 'key', publicJwk: ec }),
    system('bi-khoa', { state: 'locked', reason: 'để thử' }),
    system('thu-hoi', {
      state: 'revoked',
      reason: 'để thử',
      requireBoundTokens: true,
      limit: { calls: 0, seconds: 60 },
    }),
  ],
  services: [
    service('mot', { credentials: { apiKey: 'gia-tri-bi-mat' } }),
    service('hai', { state: 'suspended', reason: 'để thử' }),
    service('ba', { state: 'retired', reason: 'để thử' }),
    service('bon', { state: 'draft' }),
  ],
};

describe('agencies of a folder', () => {
  it('are entered parents first, whatever their order', () => {
    const order = parentsFirst([agency('C', 'B'), agency('B', 'A'), agency('A', 'H35')]).map(
      ({ code }) => code,
    );
    assert.deepEqual(order, ['A', 'B', 'C']);
    assert.throws(() => parentsFirst([agency('A', 'B'), agency('B', 'A')]), /circle/);
  });
});

for (const engine of engines) {
  describe(`lgsp apply on ${engine.name}`, function () {
    // Every new document is checked in a thread of its own, compiled from source in a test.
    this.timeout(90_000);
    let desk: Desk;
    let api: ManagementApi;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      api = desk.api(await desk.caller('admin'));
    });
    afterEach(() => desk.close());

    const apply = (tree: Partial<Tree> = TREE, options: ApplyOptions = {}) =>
      applyTree({ api, tree }, options);
    const actions = async (tree?: Partial<Tree>, options?: ApplyOptions) =>
      Object.fromEntries(
        (await apply(tree, options)).rows.map(({ key, action, steps }) => [
          key,
          [action, ...steps].join(' '),
        ]),
      );
    const states = async (path: string) =>
      Object.fromEntries(
        ((await api.request('GET', path)).body as any).items.map((item: any) => [item.id, item.state]),
      );

    it('makes a gateway what the folder says, and the second time changes nothing', async () => {
      const first = await apply();
      assert.deepEqual(new Set(first.rows.map(({ action }) => action)), new Set(['created']));
      assert.deepEqual(await states('/systems'), {
        admin: 'active',
        'bi-khoa': 'locked',
        'bi-mat': 'active',
        khoa: 'active',
        'khoa-san': 'active',
        'thu-hoi': 'revoked',
      });
      assert.deepEqual(await states('/services'), {
        'H35.11/ba/v1': 'retired',
        'H35.11/bon/v1': 'draft',
        'H35.11/hai/v1': 'suspended',
        'H35.11/mot/v1': 'published',
      });
      const written = desk.acts.length;
      const second = await apply();
      assert.deepEqual(
        second.rows.filter(({ action }) => action !== 'unchanged'),
        [],
      );
      assert.equal(second.rows.length, first.rows.length);
      assert.equal(desk.acts.length, written, 'not one call that writes');
      assert.deepEqual(second.credentials, []);
    });

    it('hands over each new credential at once, and no other', async () => {
      const told: string[] = [];
      const { credentials } = await apply(TREE, { onCredential: ({ id }) => told.push(id) });
      assert.deepEqual(told, ['bi-mat', 'khoa', 'bi-khoa', 'thu-hoi']);
      assert.deepEqual(
        credentials.map(({ id }) => id),
        told,
      );
      const [secret, key] = credentials;
      assert.ok(secret?.auth === 'secret' && secret.secret.length === 43);
      assert.ok(key?.auth === 'key' && typeof key.jwk.d === 'string' && typeof key.jwk.kid === 'string');
      const rows = await desk.test.database.knex('system_credentials').where({ system_id: 'khoa' });
      assert.equal(JSON.parse(rows[0].public_jwk).kid, key.jwk.kid);
      assert.ok(!JSON.stringify([desk.acts, rows]).includes(key.jwk.d));
    });

    it('makes no credential that nobody would keep', async () => {
      await assert.rejects(apply(TREE, { mayMakeCredentials: false }), /--credentials-out/);
      assert.deepEqual(await states('/systems'), { admin: 'active' });
      await apply({ ...TREE, systems: [TREE.systems[2]!] }, { mayMakeCredentials: false });
    });

    it('only says what it would do in a dry run', async () => {
      const said = await actions({ ...TREE, agencies: [] }, { dryRun: true, mayMakeCredentials: false });
      assert.equal(said['thu-hoi'], 'created register revoke');
      assert.equal(said['H35.11/hai/v1'], 'created create publish suspend');
      assert.equal(desk.acts.length, 0);
      assert.deepEqual(await states('/services'), {});
    });

    it('changes just what differs', async () => {
      await apply();
      const changed: Partial<Tree> = {
        agencies: [{ ...agency('H35.11', 'H35'), name: 'Tên mới', validTo: '2030-12-31' }],
        systems: [
          system('bi-mat', { name: 'Tên mới', state: 'locked', reason: 'x' }),
          system('bi-khoa', { limit: { calls: 1, seconds: 1 }, requireBoundTokens: true }),
        ],
        services: [
          service('mot', { manifest: manifestOf('H35.11', 'mot', { title: 'Tên mới' }) }),
          service('hai'),
          service('ba', { state: 'retired', reason: 'x', document: `${DOCUMENT}# khác\n` }),
          service('bon'),
        ],
      };
      assert.deepEqual(await actions(changed), {
        'H35.11': 'updated name, validTo',
        'bi-mat': 'updated name lock',
        'bi-khoa': 'updated limit, requireBoundTokens unlock',
        'H35.11/mot/v1': 'updated save draft publish',
        'H35.11/hai/v1': 'updated resume',
        'H35.11/ba/v1': 'unchanged',
        'H35.11/bon/v1': 'updated publish',
      });
      assert.deepEqual(new Set(Object.values(await actions(changed))), new Set(['unchanged']));
    });

    it('sends credentials of a service when one is missing, or when it is asked to', async () => {
      await apply();
      const one = (credentials: object): Partial<Tree> => ({
        agencies: [],
        systems: [],
        services: [service('mot', { credentials })],
      });
      assert.equal((await actions(one({ apiKey: 'khac' })))['H35.11/mot/v1'], 'unchanged');
      assert.equal((await actions(one({ apiKey: 'a', more: 'b' })))['H35.11/mot/v1'], 'updated save draft');
      assert.equal(
        (await actions(one({ apiKey: 'a' }), { refreshCredentials: true }))['H35.11/mot/v1'],
        'updated save draft',
      );
    });

    it('gives a system a credential of the kind it lacks', async () => {
      await apply();
      const changed = {
        agencies: [],
        systems: [
          system('bi-mat', { auth: 'key' }),
          system('khoa-san', {
            auth: 'key',
            publicJwk: generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
          }),
        ],
        services: [],
      };
      const { rows, credentials } = await apply(changed);
      assert.deepEqual(
        rows.map(({ steps }) => steps),
        [['add key'], ['add key']],
      );
      assert.deepEqual(
        credentials.map(({ id, auth }) => [id, auth]),
        [['bi-mat', 'key']],
      );
    });

    const impossible: readonly [string, Partial<Tree>, RegExp][] = [
      [
        'move a system to another agency',
        { systems: [system('bi-mat', { agency: 'H35' })] },
        /belongs to H35\.11/,
      ],
      [
        'change the roles of a system',
        { systems: [system('bi-mat', { roles: ['operator'] })] },
        /roles are consumer/,
      ],
      [
        'bring back a system that was revoked',
        { systems: [system('thu-hoi')] },
        /revoked and cannot become active/,
      ],
      ['bring back a service that was retired', { services: [service('ba')] }, /retired/],
      [
        'change the level of an agency',
        { agencies: [{ ...agency('H35.11', 'H35'), level: 'other' }] },
        /level/,
      ],
      [
        'publish what cannot be',
        { services: [service('x', { document: 'openapi: 3.0.3' })] },
        /contract_invalid[\s\S]*\/document/,
      ],
      [
        'enter what is no manifest',
        { services: [service('x', { manifest: { slug: 'x' } })] },
        /services\/x\/manifest\.yaml/,
      ],
    ];
    it('refuses what cannot be done, and says why', async () => {
      await apply();
      for (const [name, part, said] of impossible)
        await assert.rejects(apply({ agencies: [], systems: [], services: [], ...part }), said, name);
    });

    it('puts nothing back on the default list that a review took off', async () => {
      const manifest = (sharing: string) => ({ manifest: manifestOf('H35.11', 'mot', { sharing }) });
      const tree = (sharing: string) => ({
        agencies: TREE.agencies,
        services: [service('mot', manifest(sharing))],
      });
      await apply(tree('default'));
      const removed = await api.request('POST', '/default-list/H35.11/mot/v1/reviews', {
        ...{ outcome: 'remove', note: 'Không còn phù hợp', document: PAPER },
      });
      assert.equal(removed.status, 200, removed.text);
      for (const options of [{}, { dryRun: true }])
        await assert.rejects(
          apply(tree('default'), options),
          /H35\.11\/mot\/v1: it is shared by special request/,
        );
      const now = (await api.request('GET', '/services/H35.11/mot/v1')).body as any;
      assert.deepEqual([now.sharing, now.latestRevision], ['special', 2]);
      assert.equal((await actions(tree('special')))['H35.11/mot/v1'], 'unchanged');
    });

    it('locks again in an emergency what was so locked, once its registration is known', async () => {
      await apply({ agencies: TREE.agencies, systems: TREE.systems });
      const at = { reason: 'Lộ mã bí mật', emergency: true };
      for (const id of ['bi-mat', 'khoa']) await api.request('POST', `/systems/${id}/lock`, at);
      const debts = async () => ((await api.request('GET', '/document-debts')).body as any).items;
      const { id } = (await debts()).find(({ key }: any) => key === 'khoa');
      await api.request('POST', `/document-debts/${id}/settle`, { document: PAPER });
      const said = parse(String((await exportTree(api))['systems.yaml']));
      const of = (key: string) => said.find((one: any) => one.id === key);
      assert.deepEqual([of('bi-mat').emergency, of('bi-mat').document], [true, undefined]);
      assert.deepEqual(
        [of('khoa').emergency, of('khoa').document],
        [undefined, PAPER],
        'supplied afterwards',
      );
      const folder = folderWith({ 'systems.yaml': stringify([of('bi-mat')]) });
      const { systems } = loadTree(folder.path, {});
      folder.drop();
      assert.equal((await actions({ systems }))['bi-mat'], 'unchanged');
      const [locked] = systems;
      assert.ok(locked !== undefined);
      const fresh = { ...locked, id: 'moi' };
      await assert.rejects(apply({ systems: [fresh] }), /moi: it was locked in an emergency/);
      const made = await actions({ systems: [{ ...fresh, document: PAPER }] });
      assert.equal(made['moi'], 'created register lock');
      assert.ok((await debts()).some(({ key, state }: any) => key === 'moi' && state === 'open'));
    });

    it('is undone by nothing that export writes: there and back changes nothing', async () => {
      await apply();
      await applyTree({
        api,
        tree: {
          agencies: [],
          systems: [],
          services: [
            service('nam', {
              document: JSON.stringify({
                openapi: '3.0.3',
                info: { title: 'A', version: '1.0.0' },
                paths: {
                  '/a': {
                    get: {
                      operationId: 'traCuu',
                      'x-lgsp-binding': { path: '/units' },
                      responses: { 200: { description: 'x' } },
                    },
                  },
                },
              }),
              manifest: manifestOf('H35.11', 'nam', { operations: {}, title: 'Giá ${HOME}' }),
            }),
          ],
        },
      });
      const files = await exportTree(api);
      const all = JSON.stringify(files);
      for (const hidden of ['gia-tri-bi-mat', 'secret_sha256', 'sealed'])
        assert.ok(!all.includes(hidden), hidden);
      const folder = folderWith({});
      try {
        writeFiles(folder.path, files, false);
        const tree = loadTree(folder.path, { MOT_APIKEY: 'x' });
        const before = desk.acts.length;
        const { rows } = await applyTree({ api, tree });
        assert.deepEqual(
          rows.filter(({ action }) => action !== 'unchanged'),
          [],
        );
        assert.equal(rows.length, 1 + 3 + 6 + 5);
        assert.equal(desk.acts.length, before);
        assert.throws(() => writeFiles(folder.path, files, false), /not empty/);
        writeFiles(folder.path, files, true);
      } finally {
        folder.drop();
      }
    });

    it('exports every page', async () => {
      for (let n = 0; n < 3; n += 1) await desk.agency(`H35.P${n}`, `Đơn vị ${n}`);
      const small: ManagementApi = {
        request: (method, path, body) => api.request(method, path.replace('limit=500', 'limit=1'), body),
      };
      assert.deepEqual(await exportTree(small), await exportTree(api));
    });

    it('stops at the first refusal, and loses no credential made before it', async () => {
      const kept: string[] = [];
      const tree = { ...TREE, systems: [...TREE.systems.slice(0, 1), system('khac', { agency: 'H99' })] };
      await assert.rejects(apply(tree, { onCredential: ({ id }) => kept.push(id) }), /H99|request_invalid/);
      assert.deepEqual(kept, ['bi-mat']);
      await refused(desk.call(await desk.caller('admin'), 'GET', '/systems/khac'), 'object_not_found');
    });
  });
}
