import assert from 'node:assert/strict';
import { createControl } from '../../gateway/control/index.js';
import { retireSunk } from '../../gateway/control/services/sunset.js';
import { addUse } from '../../gateway/store/service-use.js';
import { engines } from '../kit/databases.js';
import { type Caller, Desk, DOCUMENT, manifestOf, refused } from './desk.js';

const ID = 'H35.11/don-vi/v1';
const PATH = `/services/${ID}`;
const content = (more: object = {}, document: string | object = DOCUMENT) => ({
  manifest: manifestOf('H35.11', 'don-vi', more),
  document,
});

for (const engine of engines) {
  describe(`services on ${engine.name}`, function () {
    // Every new document is checked in a thread of its own, compiled from source in a test.
    this.timeout(90_000);
    let desk: Desk;
    let admin: Caller;
    let provider: Caller;
    let other: Caller;
    let consumer: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      await desk.agency('H35.11', 'Sở Nội vụ');
      await desk.agency('H35.12', 'Sở Tài chính');
      admin = await desk.caller('admin');
      provider = await desk.system('noi-vu', 'H35.11', ['provider']);
      other = await desk.system('tai-chinh', 'H35.12', ['provider', 'consumer']);
      consumer = await desk.system('mot-cua', 'H35.12', ['consumer']);
    });
    afterEach(() => desk.close());

    const create = (caller = provider, body: object = content()) =>
      desk.call(caller, 'POST', '/services', body);
    const act = (caller: Caller, name: string, body?: object) =>
      desk.call(caller, 'POST', `${PATH}/${name}`, body);
    const save = (caller: Caller, body: object) => desk.call(caller, 'PUT', `${PATH}/draft`, body);
    const because = { reason: 'theo Văn bản số 03' };
    const list = async (caller: Caller, query = '') =>
      (await desk.call(caller, 'GET', `/services?${query}`)).body.items.map(
        (item: { id: string }) => item.id,
      );

    it('begin as a draft, with their text kept byte for byte', async () => {
      const { status, body } = await create();
      assert.equal(status, 201);
      assert.deepEqual(
        [body.id, body.state, body.publishedRevision, body.latestRevision],
        [ID, 'draft', null, 1],
      );
      const found = await desk.call(provider, 'GET', `${PATH}/document`);
      assert.equal(found.text, DOCUMENT);
      assert.equal(found.headers['content-type'], 'application/yaml; charset=utf-8');
      const { body: manifest } = await desk.call(provider, 'GET', `${PATH}/manifest`);
      assert.equal(manifest.manifest.responseCheck, 'enforce', 'defaults are filled in');
      assert.equal(manifest.sha256, body.latestSha256);
    });

    it('take a document as an object too', async () => {
      const object = {
        openapi: '3.0.3',
        info: { title: 'A', version: '1.0.0' },
        paths: { '/a': { get: { operationId: 'traCuu', responses: { 200: { description: 'x' } } } } },
      };
      await create(provider, content({}, object));
      const found = await desk.call(provider, 'GET', `${PATH}/document`);
      assert.deepEqual(found.body, object);
      assert.equal(found.headers['content-type'], 'application/json; charset=utf-8');
    });

    it('list every fault of what cannot be published, and save none of it', async () => {
      const broken = {
        ...content({ operations: { khac: {} }, sharing: 'public' }),
        document: DOCUMENT.replace('type: object', 'type: strin'),
      };
      const problem = await refused(create(provider, broken), 'contract_invalid');
      const pointers = problem.parts.errors?.map(({ pointer }) => pointer) ?? [];
      assert.ok(pointers.length >= 3, pointers.join());
      assert.ok(
        pointers.every((pointer) => /^\/(manifest|document)\//.test(pointer)),
        pointers.join(),
      );
      const checked = await desk.call(provider, 'POST', '/services/check', broken);
      assert.equal(checked.body.ok, false);
      assert.deepEqual(
        checked.body.faults.map((fault: any) => fault.pointer),
        pointers,
      );
      assert.equal((await desk.test.database.knex('services')).length, 0);
    });

    it('are checked without being saved', async () => {
      const { body } = await desk.call(provider, 'POST', '/services/check', content());
      assert.deepEqual(body, {
        ok: true,
        faults: [],
        warnings: [],
        operations: [{ id: 'traCuu', method: 'GET', template: '/don-vi' }],
      });
      assert.equal((await desk.test.database.knex('services')).length, 0);
      assert.equal(desk.acts.length, 0);
    });

    it('may have their bindings in the document, and are published and exported with them once', async () => {
      const bound = DOCUMENT.replace(
        'operationId: traCuu',
        'operationId: traCuu\n      x-lgsp-binding: { path: /units }',
      );
      await create(provider, content({ operations: {} }, bound));
      await act(admin, 'publish');
      const { manifest } = (await desk.call(provider, 'GET', `${PATH}/manifest`)).body;
      assert.deepEqual(manifest.operations, {});
      const [row] = await desk.test.database.knex('service_revisions');
      assert.deepEqual(
        JSON.parse(row.manifest).operations,
        { traCuu: { path: '/units' } },
        'in force with its binding',
      );
      assert.equal(
        (await save(provider, { manifest, document: bound })).body.latestRevision,
        1,
        'the same content',
      );
    });

    for (const classification of ['Mật', 'toi_mat', 'TUYỆT MẬT', 'top-secret'])
      it(`refuse ${classification} outright`, async () => {
        await refused(create(provider, content({ classification })), 'state_secret');
        await refused(
          desk.call(provider, 'POST', '/services/check', content({ classification })),
          'state_secret',
        );
        assert.equal((await desk.test.database.knex('services')).length, 0);
      });

    it('belong to an agency that is there, under one id', async () => {
      const body = { manifest: manifestOf('H99', 'don-vi'), document: DOCUMENT };
      await refused(create(admin, body), 'request_invalid');
      await create();
      await refused(create(), 'conflict');
      const both = { manifest: manifestOf('H35.11', 'khac'), document: DOCUMENT };
      const results = await Promise.allSettled([create(provider, both), create(provider, both)]);
      const codes = results.map((result) => (result.status === 'fulfilled' ? 'done' : result.reason.code));
      assert.deepEqual(codes.sort(), ['conflict', 'done']);
      await create(provider, {
        manifest: manifestOf('H35.11', 'don-vi', { version: '2.0.0' }),
        document: DOCUMENT.replace('1.0.0', '2.0.0'),
      });
    });

    it('keep credentials sealed, and show their names only', async () => {
      const secret = 'rat-bi-mat-123';
      const { body } = await create(provider, { ...content(), credentials: { apiKey: secret } });
      assert.deepEqual(desk.sealed, [`${ID}#apiKey`]);
      const manifest = (await desk.call(provider, 'GET', `${PATH}/manifest`)).body;
      assert.deepEqual(manifest.credentialNames, ['apiKey']);
      const stored = await desk.test.database.knex('service_credentials');
      assert.ok(
        !JSON.stringify([
          body,
          manifest,
          desk.acts,
          stored,
          await desk.test.database.knex('service_revisions'),
        ]).includes(secret),
      );
      const using = content({
        connector: {
          kind: 'http',
          settings: { baseUrl: 'http://127.0.0.1:9', headers: { 'X-Key': '{credential.apiKey}' } },
        },
      });
      await save(provider, using);
      await refused(
        save(
          provider,
          content({
            connector: {
              kind: 'http',
              settings: { baseUrl: 'http://127.0.0.1:9', headers: { 'X-Key': '{credential.khac}' } },
            },
          }),
        ),
        'contract_invalid',
      );
      for (const credentials of [{ 'a b': 'x' }, { '': 'x' }, { a: '' }, { a: 1 }, { ['a'.repeat(65)]: 'x' }])
        await refused(save(provider, { ...content(), credentials }), 'request_invalid');
    });

    it('replace a credential without a new revision', async () => {
      await create(provider, { ...content(), credentials: { apiKey: 'mot' } });
      const before = await desk.test.database.knex('service_credentials').first();
      assert.equal(
        (await save(provider, { ...content(), credentials: { apiKey: 'hai' } })).body.latestRevision,
        1,
      );
      const rows = await desk.test.database.knex('service_credentials');
      assert.equal(rows.length, 1);
      assert.notEqual(rows[0].sealed, before.sealed);
      assert.deepEqual((desk.acts.at(-1)!.after as any).credentialNames, ['apiKey']);
      const notices = () => desk.test.database.knex('notices').where({ kind: 'service_credential_replaced' });
      assert.deepEqual(await notices(), [], 'nothing is in force yet');
      await act(admin, 'publish');
      await save(provider, { ...content(), credentials: { apiKey: 'ba', khac: 'bon' } });
      const told = await notices().orderBy('agency');
      assert.deepEqual(
        told.map(({ agency, role }) => [agency, role]),
        [
          ['H35', 'manager'],
          ['H35.11', 'provider'],
        ],
      );
      assert.match(told[0].text_en, /^noi-vu replaced the value of apiKey, /);
    });

    it('gain revisions that wait for publication', async () => {
      await create();
      await act(admin, 'publish');
      desk.now += 1000;
      const saved = await save(provider, content({ title: 'Tên mới' }));
      assert.deepEqual(
        [saved.body.latestRevision, saved.body.publishedRevision, saved.body.title],
        [2, 1, 'Đơn vị hành chính'],
      );
      assert.equal(
        (await save(provider, content({ title: 'Tên mới' }))).body.latestRevision,
        2,
        'the same again is no revision',
      );
      assert.deepEqual(await list(consumer, 'q=ten%20moi'), []);
      const published = await act(admin, 'publish');
      assert.deepEqual([published.body.publishedRevision, published.body.title], [2, 'Tên mới']);
      assert.deepEqual(await list(consumer, 'q=ten%20moi'), [ID]);
      const { items } = (await desk.call(provider, 'GET', `${PATH}/revisions`)).body;
      assert.deepEqual(
        items.map((item: any) => item.revision),
        [2, 1],
      );
      assert.ok(items.every((item: any) => item.publishedAt !== null && item.createdBy === 'noi-vu'));
      const pages = (await desk.call(provider, 'GET', `${PATH}/revisions?limit=1`)).body;
      const rest = (await desk.call(provider, 'GET', `${PATH}/revisions?limit=1&cursor=${pages.next}`)).body;
      assert.deepEqual([pages.items[0].revision, rest.items[0].revision, rest.next], [2, 1, null]);
      await refused(desk.call(provider, 'GET', `${PATH}/revisions?cursor=eHl6`), 'request_invalid');
    });

    it('are saved under their own path only', async () => {
      await create();
      for (const manifest of [
        manifestOf('H35.11', 'khac'),
        manifestOf('H35.11', 'don-vi', { version: '2.0.0' }),
      ])
        await refused(
          save(provider, { manifest, document: DOCUMENT.replace('1.0.0', manifest['version']) }),
          'request_invalid',
        );
    });

    it('are checked again when they are published', async () => {
      await create(provider, {
        ...content({
          connector: {
            kind: 'http',
            settings: { baseUrl: 'http://127.0.0.1:9', headers: { 'X-Key': '{credential.a}' } },
          },
        }),
        credentials: { a: 'x' },
      });
      await desk.test.database.knex('service_credentials').delete();
      await refused(act(admin, 'publish'), 'contract_invalid');
      assert.equal((await desk.call(admin, 'GET', PATH)).body.state, 'draft');
    });

    it('are not published when a revision was saved during the check', async () => {
      await create();
      const context = desk.context();
      const slow = createControl({
        ...context,
        async checkService(...args) {
          await save(provider, content({ title: 'Chen vào' }));
          return await context.checkService(...args);
        },
      });
      await refused(desk.call(admin, 'POST', `${PATH}/publish`, undefined, slow), 'conflict');
    });

    describe('their state', () => {
      type State = 'draft' | 'published' | 'suspended' | 'retired';
      const reached: Record<State, string[]> = {
        draft: [],
        published: ['publish'],
        suspended: ['publish', 'suspend'],
        retired: ['publish', 'retire'],
      };
      const table: Record<string, Partial<Record<State, State>>> = {
        publish: { draft: 'published', published: 'published', suspended: 'published' },
        suspend: { published: 'suspended' },
        resume: { suspended: 'published' },
        retire: { draft: 'retired', published: 'retired', suspended: 'retired' },
      };
      const body = (name: string) => (name === 'suspend' || name === 'retire' ? because : undefined);
      for (const [name, leads] of Object.entries(table)) {
        for (const from of Object.keys(reached) as State[]) {
          const to = leads[from];
          it(`${from}: ${name} → ${to ?? 'refused'}`, async () => {
            await create();
            for (const step of reached[from]) await act(admin, step, body(step));
            desk.now += 5000;
            const before = (await desk.call(admin, 'GET', PATH)).body;
            if (to === undefined) {
              const problem = await refused(act(admin, name, body(name)), 'transition_not_allowed');
              assert.deepEqual(
                [problem.parts.rule?.state, problem.parts.rule?.since],
                [from, before.stateSince],
              );
              assert.deepEqual((await desk.call(admin, 'GET', PATH)).body, before);
              return;
            }
            const { body: after } = await act(admin, name, body(name));
            assert.equal(after.state, to);
            assert.equal(after.stateReason, body(name)?.reason ?? null);
            const noted = desk.acts.at(-1)!;
            assert.deepEqual(
              [noted.key, (noted.before as any).state, (noted.after as any).state],
              [ID, from, to],
            );
          });
        }
      }

      it('retired takes no revision', async () => {
        await create();
        await act(admin, 'retire', because);
        await refused(save(provider, content({ title: 'x' })), 'transition_not_allowed');
      });
    });

    describe('with somebody who uses them', () => {
      const use = (system: string, agency: string) =>
        addUse(desk.test.database.knex, {
          ...{ service_id: ID, day: '2025-07-31', operation: 'traCuu', system_id: system },
          ...{ agency_code: agency, calls: 3, last_at: desk.now - 86_400_000, fields: null },
        });
      const told = async (kind: string) =>
        (await desk.test.database.knex('notices').where({ kind }).orderBy('agency')).map(
          ({ agency, key }) => [agency, key],
        );
      beforeEach(async () => {
        await create();
        await act(admin, 'publish');
        await use('mot-cua', 'H35.12');
        await use('tai-chinh', 'H35.12');
      });

      for (const from of ['published', 'suspended'])
        it(`are not retired at once: ${from}`, async () => {
          if (from === 'suspended') await act(admin, 'suspend', because);
          const problem = await refused(act(admin, 'retire', because), 'transition_not_allowed');
          assert.deepEqual(
            [problem.parts.rule?.state, problem.parts.rule?.['consumers']],
            [from, ['mot-cua', 'tai-chinh']],
          );
          assert.match(problem.parts.remedy?.en ?? '', /deprecate.*suspend/);
          assert.equal((await desk.call(admin, 'GET', PATH)).body.state, from);
          desk.now += 92 * 86_400_000;
          assert.equal((await act(admin, 'retire', because)).body.state, 'retired', 'nobody is left');
        });

      it('tell each agency once that they stop and go on', async () => {
        await act(admin, 'suspend', because);
        assert.deepEqual(await told('service_suspended'), [['H35.12', ID]]);
        assert.deepEqual((desk.acts.at(-1)?.after as any).told, ['H35.12']);
        await act(admin, 'resume');
        assert.deepEqual(await told('service_resumed'), [['H35.12', ID]]);
        await act(admin, 'suspend', because);
        await act(admin, 'publish');
        assert.equal((await told('service_suspended')).length, 2);
        assert.equal((await told('service_resumed')).length, 2, 'a publication resumes too');
        assert.deepEqual(await told('service_terms_changed'), []);
      });

      it('are over from their last day on, before that is noted', async () => {
        const end = { sunsetOn: '2025-12-31', reason: 'x' };
        await act(admin, 'deprecate', end);
        await act(admin, 'suspend', because);
        desk.now = Date.parse('2025-12-31T16:59:59.999Z');
        await act(admin, 'resume');
        desk.now += 1;
        for (const [name, body] of [
          ['deprecate', { ...end, sunsetOn: '2026-12-31' }],
          ['undeprecate', { reason: 'x' }],
          ['publish', undefined],
          ['suspend', because],
          ['resume', undefined],
          ['retire', because],
        ] as const) {
          const problem = await refused(act(admin, name, body), 'transition_not_allowed');
          assert.deepEqual(
            [problem.parts.rule?.state, problem.parts.rule?.since],
            ['retired', '2025-12-31T17:00:00.000Z'],
            name,
          );
        }
        await refused(save(provider, content({ title: 'x' })), 'transition_not_allowed');
        await desk.test.database.knex('service_use').update({ day: '2025-12-31' });
        for (let i = 0; i < 2; i += 1) await retireSunk(desk.context(), desk.now);
        assert.equal((await desk.call(admin, 'GET', PATH)).body.state, 'retired');
        assert.deepEqual(await told('service_retired'), [['H35.12', ID]]);
      });
    });

    describe('seen by', () => {
      it('others exist once they are published, and show no draft', async () => {
        await create();
        for (const stranger of [other, consumer]) {
          assert.deepEqual(await list(stranger), []);
          for (const part of ['', '/document'])
            await refused(desk.call(stranger, 'GET', PATH + part), 'object_not_found');
        }
        for (const [method, part] of [
          ['GET', '/manifest'],
          ['GET', '/revisions'],
        ] as const)
          await refused(desk.call(other, method, PATH + part), 'object_not_found');
        await refused(desk.call(other, 'POST', `${PATH}/suspend`, because), 'object_not_found');
        await refused(save(other, content()), 'object_not_found');
        await act(admin, 'publish');
        await save(provider, content({ title: 'Bản nháp' }, DOCUMENT.replace('Kết quả', 'Kết quả mới')));
        for (const stranger of [other, consumer]) {
          assert.deepEqual(await list(stranger), [ID]);
          const seen = (await desk.call(stranger, 'GET', PATH)).body;
          assert.deepEqual(
            [seen.title, seen.latestRevision, seen.latestSha256],
            ['Đơn vị hành chính', undefined, undefined],
          );
          assert.equal((await desk.call(stranger, 'GET', `${PATH}/document`)).text, DOCUMENT);
          await refused(desk.call(stranger, 'GET', `${PATH}/document?revision=2`), 'object_not_found');
        }
        await refused(desk.call(other, 'GET', `${PATH}/manifest`), 'role_required');
        await refused(desk.call(consumer, 'GET', `${PATH}/manifest`), 'role_required');
      });

      it('a provider are its own with drafts, and those of others when published', async () => {
        await create();
        await create(other, { manifest: manifestOf('H35.12', 'ngan-sach'), document: DOCUMENT });
        assert.deepEqual(await list(provider), [ID]);
        assert.deepEqual(await list(other), ['H35.12/ngan-sach/v1']);
        assert.deepEqual(await list(admin), [ID, 'H35.12/ngan-sach/v1']);
        assert.deepEqual(await list(admin, 'provider=H35.12'), ['H35.12/ngan-sach/v1']);
        assert.deepEqual(await list(admin, 'state=published'), []);
        assert.deepEqual(await list(admin, 'sharing=special'), []);
        assert.deepEqual(await list(admin, 'q=DON%20vi%20hanh'), [ID, 'H35.12/ngan-sach/v1']);
      });

      it('nobody once a draft was given up', async () => {
        await create();
        await act(admin, 'retire', because);
        await refused(desk.call(consumer, 'GET', PATH), 'object_not_found');
      });
    });

    describe('a provider', () => {
      it('enters and checks nothing in another agency’s name', async () => {
        for (const caller of [other]) {
          await refused(create(caller), 'role_required');
          await refused(desk.call(caller, 'POST', '/services/check', content()), 'role_required');
          await refused(create(caller, { manifest: {}, document: DOCUMENT }), 'role_required');
        }
      });

      it('touches no published service of another agency', async () => {
        await create();
        await act(admin, 'publish');
        await refused(save(other, content()), 'role_required');
        await refused(act(other, 'suspend', because), 'role_required');
        await refused(act(other, 'resume'), 'role_required');
        await refused(act(provider, 'publish'), 'role_required');
        await refused(act(provider, 'retire', because), 'role_required');
      });

      it('resumes what it suspended, and not what a manager did', async () => {
        await create();
        await act(admin, 'publish');
        await act(provider, 'suspend', because);
        assert.equal((await act(provider, 'resume')).body.state, 'published');
        await act(admin, 'suspend', because);
        await refused(act(provider, 'resume'), 'role_required');
        assert.equal((await act(admin, 'resume')).body.state, 'published');
        await act(provider, 'suspend', because);
        assert.equal((await act(admin, 'resume')).body.state, 'published');
      });
    });
  });
}
