import assert from 'node:assert/strict';
import type { Recorder } from '../../gateway/audit/record.js';
import { createControl } from '../../gateway/control/index.js';
import { noteOverdue } from '../../gateway/control/overdue.js';
import { manifestChanges, MOST_CHANGES } from '../../gateway/control/change-requests/manifest-changes.js';
import { startLog } from '../audit/log.js';
import { engines } from '../kit/databases.js';
import { allRecords } from '../kit/gateway.js';
import { addPaper, PAPER } from '../kit/province.js';
import { type Caller, Desk, DOCUMENT, manifestOf, refused } from './desk.js';

const ID = 'H35.11/don-vi/v1';
const PATH = `/services/${ID}`;
const DAY = 86_400_000;
const content = (more: object = {}) => ({
  manifest: manifestOf('H35.11', 'don-vi', more),
  document: DOCUMENT,
});
const MOVED = { connector: { kind: 'http', settings: { baseUrl: 'http://127.0.0.1:10' } } };
const because = { reason: 'theo Văn bản số 05' };

describe('the places at which two manifests differ', () => {
  const table: [string, unknown, unknown, object[]][] = [
    ['nothing', { a: 1, b: [1] }, { a: 1, b: [1] }, []],
    ['a value', { a: { b: 1 } }, { a: { b: 2 } }, [{ pointer: '/a/b', before: 1, after: 2 }]],
    ['what is new', {}, { 'a/b~c': 1 }, [{ pointer: '/a~1b~0c', after: 1 }]],
    ['what is gone', { a: null }, {}, [{ pointer: '/a', before: null }]],
    [
      'an item of a list',
      { a: [1, 2] },
      { a: [1, 3, 4] },
      [
        { pointer: '/a/1', before: 2, after: 3 },
        { pointer: '/a/2', after: 4 },
      ],
    ],
    ['a list for an object', { a: [] }, { a: {} }, [{ pointer: '/a', before: [], after: {} }]],
    ['all, where there was nothing', null, { a: 1 }, [{ pointer: '', after: { a: 1 } }]],
    [
      'a secret that strayed in',
      { password: 'x' },
      { password: 'y' },
      [{ pointer: '/password', before: '•••', after: '•••' }],
    ],
    [
      'a secret deeper down',
      null,
      { h: { 'X-Api-Key': 'abc' } },
      [{ pointer: '', after: { h: { 'X-Api-Key': '•••' } } }],
    ],
    [
      'a reference to one',
      { token: '{credential.a}' },
      { token: 'Bearer {credential.b}' },
      [{ pointer: '/token', before: '{credential.a}', after: 'Bearer {credential.b}' }],
    ],
    [
      'a reference beside one',
      { token: 'x' },
      { token: '{credential.b}hunter2' },
      [{ pointer: '/token', before: '•••', after: '•••' }],
    ],
    [
      'who signs in, in an address',
      { u: 'http://a' },
      { u: 'http://me:pw@a/b' },
      [{ pointer: '/u', before: 'http://a', after: 'http://•••@a/b' }],
    ],
    ['a name out of the prototype', {}, JSON.parse('{"__proto__":1}'), [{ pointer: '/__proto__', after: 1 }]],
  ];
  for (const [name, before, after, changes] of table)
    it(`are named: ${name}`, () => assert.deepEqual(manifestChanges(before, after), changes));

  it('are bounded', () => {
    const many = Object.fromEntries(Array.from({ length: MOST_CHANGES + 1 }, (_, i) => [`k${i}`, i]));
    assert.equal(manifestChanges({}, many).length, MOST_CHANGES);
  });
});

for (const engine of engines) {
  describe(`change requests on ${engine.name}`, function () {
    this.timeout(90_000);
    let desk: Desk;
    let admin: Caller;
    let manager: Caller;
    let second: Caller;
    let operator: Caller;
    let provider: Caller;
    let other: Caller;
    let owner: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine, { fourEyes: true });
      await desk.agency('H35.10', 'Sở Khoa học và Công nghệ');
      await desk.agency('H35.11', 'Sở Nội vụ');
      await desk.agency('H35.12', 'Sở Tài chính');
      admin = await desk.caller('admin');
      manager = await desk.system('quan-ly', 'H35.10', ['manager']);
      second = await desk.system('quan-ly-2', 'H35.10', ['manager']);
      operator = await desk.system('van-hanh', 'H35.10', ['operator']);
      provider = await desk.system('noi-vu', 'H35.11', ['provider']);
      other = await desk.system('tai-chinh', 'H35.12', ['provider']);
      owner = await desk.system('chu-quan', 'H35', ['owner']);
    });
    afterEach(() => desk.close());

    /** Another node. SQLite serves one only, through its one connection. */
    const elsewhere = () => (engine.name === 'SQLite' ? desk.test.database : desk.test.again());
    const ask = async (caller: Caller, more: object = {}) =>
      (
        await desk.call(caller, 'POST', '/change-requests', {
          kind: 'service.publish',
          service: ID,
          ...because,
          ...more,
        })
      ).body;
    const upgrade = (caller: Caller) =>
      desk.call(caller, 'POST', '/change-requests', { kind: 'upgrade', version: '1.1.0', ...because });
    const act = (caller: Caller, id: string, name: string, body?: object) =>
      desk.call(caller, 'POST', `/change-requests/${id}/${name}`, body);
    const read = async (caller: Caller, id: string) =>
      (await desk.call(caller, 'GET', `/change-requests/${id}`)).body;
    const service = async () => (await desk.call(admin, 'GET', PATH)).body;
    const create = (more: object = {}, caller = provider) =>
      desk.call(caller, 'POST', '/services', content(more));
    const save = (more: object, caller = provider) =>
      desk.call(caller, 'PUT', `${PATH}/draft`, content(more));
    const publish = (caller: Caller) => desk.call(caller, 'POST', `${PATH}/publish`);
    const ids = async (caller: Caller, query = '') =>
      (await desk.call(caller, 'GET', `/change-requests?${query}`)).body.items.map((one: any) => one.id);

    it('are approved by a manager, which publishes what was asked for, in one record', async () => {
      await create();
      const asked = await ask(provider);
      assert.deepEqual(
        [asked.id, asked.state, asked.madeBy, asked.madeAgency, asked.payload.revision],
        ['td-2025-0001', 'pending', 'noi-vu', 'H35.11', 1],
      );
      assert.equal((await service()).state, 'draft', 'nothing changes by asking');
      desk.now += 1000;
      const before = desk.acts.length;
      const { body } = await act(manager, asked.id, 'approve');
      assert.deepEqual(
        [body.state, body.decidedBy, body.decidedAt],
        ['done', 'quan-ly', new Date(desk.now).toISOString()],
      );
      const now = await service();
      assert.deepEqual([now.state, now.publishedRevision], ['published', 1]);
      const [record, ...more] = desk.acts.slice(before) as any[];
      assert.deepEqual(more, []);
      assert.deepEqual([record.noun, record.key], ['change_request', asked.id]);
      assert.deepEqual([record.before.request.state, record.after.request.state], ['pending', 'done']);
      assert.deepEqual([record.before.subject.state, record.after.subject.state], ['draft', 'published']);
      const changes = (await desk.test.database.knex('changes').where({ noun: 'service' })).length;
      assert.equal(changes, 2, 'other nodes read the service again');
    });

    it('are numbered through the year of Vietnam', async () => {
      desk.now = Date.parse('2025-12-31T16:59:59Z');
      assert.equal((await upgrade(operator)).body.id, 'td-2025-0001');
      assert.equal((await upgrade(operator)).body.id, 'td-2025-0002');
      desk.now += 1000;
      assert.equal((await upgrade(operator)).body.id, 'td-2026-0001');
      const both = await Promise.all(Array.from({ length: 5 }, () => upgrade(operator)));
      assert.equal(new Set(both.map(({ body }) => body.id)).size, 5, 'nobody gets the same number');
    });

    it('publish the revision that was asked for, or none', async () => {
      await create();
      const asked = await ask(provider);
      await save(MOVED);
      await refused(act(manager, asked.id, 'approve'), 'conflict');
      assert.equal((await service()).state, 'draft');
      assert.equal((await read(manager, asked.id)).state, 'pending', 'a refused approval decides nothing');
      await refused(ask(provider, { revision: 1 }), 'conflict');
      await refused(ask(provider, { revision: 3 }), 'conflict');
      await act(manager, (await ask(provider, { revision: 2 })).id, 'approve');
      assert.equal((await service()).publishedRevision, 2);
      await refused(ask(provider), 'conflict');
    });

    it('notice a revision that was saved while the approval was under way', async () => {
      await create();
      const { id } = await ask(provider);
      const context = desk.context();
      const slow = createControl({
        ...context,
        async checkService(...sent) {
          await save(MOVED);
          return await context.checkService(...sent);
        },
      });
      await refused(
        desk.call(manager, 'POST', `/change-requests/${id}/approve`, undefined, slow),
        'conflict',
      );
      assert.equal((await service()).state, 'draft');
    });

    it('leave nothing behind when the effect fails: decision and effect are one', async () => {
      await create();
      const { id } = await ask(provider);
      await desk.call(manager, 'POST', `${PATH}/retire`, because);
      await refused(act(manager, id, 'approve'), 'transition_not_allowed');
      assert.equal((await read(manager, id)).state, 'pending');
      await refused(ask(provider), 'transition_not_allowed');
    });

    it('are never decided by who made them', async () => {
      await create();
      const { id } = await ask(admin);
      await refused(act(admin, id, 'approve'), 'own_decision');
      await refused(act(admin, id, 'refuse', because), 'own_decision');
      await act(manager, id, 'approve');
    });

    it('are not approved by who made the revision, whoever asked', async () => {
      await create({}, admin);
      const { id } = await ask(provider);
      await refused(act(admin, id, 'approve'), 'own_decision');
      assert.equal((await service()).state, 'draft');
      await act(second, id, 'approve');
    });

    it('tell a person from the system that they use', async () => {
      await create();
      const { id } = await ask({ ...admin, user: 'nguyen-van-a' });
      await refused(act({ ...admin, user: 'nguyen-van-a' }, id, 'approve'), 'own_decision');
      await act({ ...admin, user: 'tran-thi-b' }, id, 'approve');
      assert.equal((await read(manager, id)).decidedBy, 'tran-thi-b');
    });

    it('are decided once: a replay learns the state and since when', async () => {
      await create();
      const { id } = await ask(provider);
      await act(manager, id, 'approve');
      const since = new Date(desk.now).toISOString();
      desk.now += 60_000;
      for (const [caller, name, body] of [
        [manager, 'approve'],
        [second, 'approve'],
        [second, 'refuse', because],
        [provider, 'withdraw'],
        [operator, 'complete'],
      ] as const) {
        const problem = await refused(act(caller, id, name, body), 'transition_not_allowed');
        assert.deepEqual([problem.parts.rule?.state, problem.parts.rule?.since], ['done', since], name);
      }
    });

    it('are decided by one of two who decide at once', async () => {
      await create();
      const { id } = await ask(provider);
      const nodes = [1, 2].map(() => createControl(desk.context(elsewhere())));
      const outcomes = await Promise.allSettled(
        [manager, second].map((caller, i) =>
          desk.call(caller, 'POST', `/change-requests/${id}/approve`, undefined, nodes[i]),
        ),
      );
      const lost = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
      assert.equal(lost.length, 1);
      assert.equal(lost[0]?.reason.code, 'transition_not_allowed');
      assert.equal(lost[0]?.reason.parts.rule.state, 'done');
      assert.equal(desk.acts.filter(({ operationId }) => operationId === 'approveChangeRequest').length, 1);
    });

    it('are refused with a reason, and withdrawn by the agency that made them', async () => {
      await create();
      const { id } = await ask(provider);
      await refused(act(manager, id, 'refuse', { reason: ' ' }), 'request_invalid');
      const { body } = await act(manager, id, 'refuse', { reason: ' chưa đủ căn cứ ' });
      assert.deepEqual(
        [body.state, body.decisionReason, body.decidedBy],
        ['refused', 'chưa đủ căn cứ', 'quan-ly'],
      );
      const next = await ask(provider);
      await refused(act(other, next.id, 'withdraw'), 'object_not_found');
      await refused(act(operator, next.id, 'withdraw'), 'role_required');
      assert.equal((await act(provider, next.id, 'withdraw')).body.state, 'withdrawn');
      await refused(act(manager, next.id, 'approve'), 'transition_not_allowed');
      assert.equal((await service()).state, 'draft');
    });

    it('of an upgrade are marked done once they are approved', async () => {
      const { id } = (await upgrade(operator)).body;
      await refused(act(operator, id, 'complete'), 'transition_not_allowed');
      assert.equal((await act(manager, id, 'approve')).body.state, 'approved');
      assert.equal((await act(operator, id, 'complete')).body.state, 'done');
      await refused(act(operator, id, 'complete'), 'transition_not_allowed');
      await refused(upgrade(provider), 'role_required');
      const { id: no } = (await upgrade(operator)).body;
      await act(manager, no, 'refuse', because);
      await refused(act(operator, no, 'complete'), 'transition_not_allowed');
    });

    it('show what changes in the manifest to those who may read it', async () => {
      await create();
      const first = await ask(provider);
      assert.equal((await read(manager, first.id)).changes[0].pointer, '', 'all of it is new');
      await act(manager, first.id, 'approve');
      await save({ ...MOVED, operations: { traCuu: { path: '/moi' } } });
      const { id } = await ask(provider);
      const changes = [
        {
          pointer: '/connector/settings/baseUrl',
          before: 'http://127.0.0.1:9',
          after: 'http://127.0.0.1:10',
        },
        { pointer: '/operations/traCuu/path', after: '/moi' },
      ];
      for (const caller of [manager, operator, provider]) {
        const body = await read(caller, id);
        assert.deepEqual([body.changes, body.documentChanged], [changes, false]);
      }
      assert.equal((await read(owner, id)).changes, undefined);
      await act(manager, id, 'approve');
      assert.deepEqual((await read(manager, id)).changes, changes, 'and still afterwards');
    });

    it('are seen by their agency and the provider of the service, and by nobody else', async () => {
      await create();
      const mine = (await ask(provider)).id;
      const theirs = (await ask(operator)).id;
      const platform = (await upgrade(operator)).body.id;
      const lists: [Caller, string[]][] = [
        [manager, [mine, theirs, platform]],
        [owner, [mine, theirs, platform]],
        [operator, [mine, theirs, platform]],
        [provider, [mine, theirs]],
        [other, []],
      ];
      for (const [caller, expected] of lists) assert.deepEqual(await ids(caller), expected, caller.system);
      for (const name of ['', '/withdraw'])
        await refused(
          desk.call(other, name === '' ? 'GET' : 'POST', `/change-requests/${mine}${name}`),
          'object_not_found',
        );
      await refused(ask(other), 'object_not_found');
      await refused(ask(other, { service: 'H35.11/khac/v1' }), 'object_not_found');
      const colleague = await desk.system('van-hanh-cc', 'H35.10', ['provider']);
      const seen = await read(colleague, theirs);
      assert.equal(seen.changes, undefined, 'the maker’s agency does not see another agency’s manifest');
      await act(manager, mine, 'refuse', because);
      assert.deepEqual(await ids(manager, 'state=pending'), [theirs, platform]);
      assert.deepEqual(await ids(manager, 'kind=upgrade'), [platform]);
      assert.deepEqual(await ids(manager, `subject=${ID}&state=refused`), [mine]);
      const page = (await desk.call(manager, 'GET', '/change-requests?limit=2')).body;
      assert.deepEqual(await ids(manager, `limit=2&cursor=${page.next}`), [platform]);
    });

    it('need the roles that the contract names', async () => {
      await create();
      const { id } = await ask(provider);
      for (const [caller, name, body] of [
        [operator, 'approve'],
        [provider, 'approve'],
        [owner, 'approve'],
        [operator, 'refuse', because],
        [manager, 'withdraw'],
        [manager, 'complete'],
        [provider, 'complete'],
      ] as const)
        await refused(act(caller, id, name, body), 'role_required');
      await refused(ask(manager), 'role_required');
      await refused(act(manager, 'td-2025-0099', 'approve'), 'object_not_found');
    });

    const malformed: [string, object][] = [
      ['no reason', { reason: undefined }],
      ['a revision 0', { revision: 0 }],
      ['an unknown kind', { kind: 'service.retire' }],
      ['minutes for a publication', { minutes: 5 }],
      ['a service that is no id', { service: 'H35.11' }],
      ['a document of 65 characters', { document: 'x'.repeat(65) }],
    ];
    for (const [name, part] of malformed)
      it(`are not taken with ${name}`, () => refused(ask(provider, part), 'request_invalid'));

    it('rest on a document that their maker knows of', async () => {
      await create();
      await addPaper(desk.test.database, 'H35.11', 'vb-1');
      await addPaper(desk.test.database, 'H35.12', 'vb-2');
      await refused(ask(provider, { document: 'vb-2' }), 'document_required');
      assert.equal((await ask(provider, { document: 'vb-1' })).document, 'vb-1');
      assert.equal((desk.acts.at(-1)?.after as any).document.number, '12/SKHCN-BĐCN');
    });

    it('expire undecided: at once in what they allow, and noted once', async () => {
      await create();
      const { id, expiresAt } = await ask(provider);
      desk.now = Date.parse(expiresAt) - 1;
      assert.deepEqual(await ids(manager, 'state=pending'), [id]);
      desk.now += 1;
      assert.deepEqual(await ids(manager, 'state=pending'), []);
      assert.deepEqual(await ids(manager, 'state=expired'), [id]);
      const problem = await refused(act(manager, id, 'approve'), 'transition_not_allowed');
      assert.deepEqual([problem.parts.rule?.state, problem.parts.rule?.since], ['expired', expiresAt]);
      desk.now += DAY;
      const recorder: Recorder = await startLog(desk.test.database);
      try {
        const nodes = [desk.context(), desk.context(elsewhere())];
        await Promise.all(nodes.map((node) => noteOverdue(node, recorder)));
        assert.equal(await noteOverdue(desk.context(), recorder), 0);
      } finally {
        await recorder.close();
      }
      const records = await allRecords(desk.test.database);
      assert.deepEqual(
        records.map(({ kind, plane, received, target }) => [kind, plane, received, target?.key]),
        [['act', 'system', expiresAt, id]],
      );
      desk.now = Date.parse(expiresAt) - DAY;
      await refused(act(manager, id, 'approve'), 'transition_not_allowed');
    });

    it('promote a special service to default sharing, and change nothing else of it', async () => {
      await create({ sharing: 'special' });
      const promote = { kind: 'service.promote' };
      await refused(ask(provider, promote), 'transition_not_allowed');
      await publish(manager);
      const { id } = await ask(provider, promote);
      assert.deepEqual((await read(manager, id)).changes, [
        { pointer: '/sharing', before: 'special', after: 'default' },
      ]);
      await refused(act(other, id, 'withdraw'), 'object_not_found');
      assert.equal((await act(manager, id, 'approve')).body.state, 'done');
      const now = await service();
      assert.deepEqual(
        [now.sharing, now.state, now.publishedRevision, now.latestRevision],
        ['default', 'published', 2, 2],
      );
      const { manifest } = (await desk.call(provider, 'GET', `${PATH}/manifest`)).body;
      assert.equal(manifest.sharing, 'default');
      assert.equal((await save({})).body.latestRevision, 2, 'its digest is that of the same content');
      await refused(ask(provider, promote), 'conflict');
    });

    it('are the only way from special to default sharing, for managers too', async () => {
      await create({ sharing: 'special' });
      await save({ sharing: 'default' });
      await save({ sharing: 'special' });
      await publish(manager);
      const early = await ask(provider, { kind: 'service.promote' });
      await save({ sharing: 'default', title: 'Khác' });
      for (const caller of [manager, second, admin]) {
        const { parts } = await refused(publish(caller), 'conflict');
        assert.match(parts.detail?.vi ?? '', /service\.promote.*sharing: special/);
        assert.match(parts.detail?.en ?? '', /service\.promote.*sharing: special/);
        assert.deepEqual(parts.rule, {
          ...{ kind: 'service', id: ID, state: 'special' },
          ...{ from: 3, revision: 4 },
        });
      }
      await refused(ask(provider), 'conflict');
      await desk.call(manager, 'POST', `${PATH}/suspend`, because);
      await refused(publish(manager), 'conflict');
      await desk.call(manager, 'POST', `${PATH}/resume`);
      const now = await service();
      assert.deepEqual([now.sharing, now.publishedRevision], ['special', 3]);
      await act(manager, early.id, 'refuse', because);
      const { id } = await ask(provider, { kind: 'service.promote' });
      await act(manager, id, 'approve');
      await save({ sharing: 'default', title: 'Khác' });
      assert.equal((await publish(manager)).body.sharing, 'default', 'once promoted, its content moves on');
    });

    it('for publication, made before the service left the default list, do not put it back there', async () => {
      await create();
      await publish(manager);
      await save(MOVED);
      const { id } = await ask(provider);
      const removed = { outcome: 'remove', note: 'Không còn phù hợp', document: PAPER };
      await desk.call(manager, 'POST', `/default-list/${ID}/reviews`, removed);
      await refused(act(manager, id, 'approve'), 'conflict');
      await save(MOVED);
      await refused(publish(manager), 'conflict');
      await save({ sharing: 'special', ...MOVED });
      await publish(manager);
      assert.equal((await service()).sharing, 'special');
    });

    it('do not bury a draft under a promotion', async () => {
      await create({ sharing: 'special' });
      await publish(manager);
      const { id } = await ask(operator, { kind: 'service.promote' });
      await save({ sharing: 'special', ...MOVED });
      await refused(act(manager, id, 'approve'), 'conflict');
      await desk.call(provider, 'POST', `${PATH}/suspend`, because);
      await refused(act(manager, id, 'approve'), 'transition_not_allowed');
      assert.equal((await service()).sharing, 'special');
    });

    it('are not needed by a manager who publishes what another made, and who made it does not', async () => {
      await create({}, admin);
      const problem = await refused(publish(admin), 'own_decision');
      assert.match(problem.parts.detail?.vi ?? '', /công bố/);
      assert.equal((await service()).state, 'draft');
      await publish(manager);
      await save(MOVED, admin);
      await refused(publish(admin), 'own_decision');
      await save({ title: 'Khác', ...MOVED });
      await refused(publish(admin), 'own_decision');
      const { id } = await ask(provider);
      await refused(act(admin, id, 'approve'), 'own_decision');
      assert.equal((await service()).publishedRevision, 1, 'nor under a trivial revision of another');
      await act(manager, id, 'approve');
      assert.equal((await service()).publishedRevision, 3);
      await save({ title: 'Lại khác' });
      await publish(admin);
      assert.equal((await service()).publishedRevision, 4, 'what was put in force is settled');
    });

    it('are not needed for trying out', async () => {
      await create({}, admin);
      const alone = createControl({ ...desk.context(), fourEyes: false });
      await desk.call(admin, 'POST', `${PATH}/publish`, undefined, alone);
      assert.equal((await service()).state, 'published');
    });

    it('are strict where a context says nothing', async () => {
      await create({}, admin);
      const { fourEyes: _fourEyes, ...silent } = desk.context();
      await refused(
        desk.call(admin, 'POST', `${PATH}/publish`, undefined, createControl(silent)),
        'own_decision',
      );
    });

    for (const role of ['owner', 'manager', 'operator', 'auditor'] as const)
      it(`are not gone round by registering a system with the role ${role}`, async () => {
        const body = {
          id: 'moi',
          agency: 'H35.10',
          name: 'Mới',
          roles: ['consumer', role],
          credential: { kind: 'secret' },
          document: PAPER,
        };
        const problem = await refused(desk.call(operator, 'POST', '/systems', body), 'role_required');
        assert.match(problem.parts.detail?.en ?? '', new RegExp(`${role}.*manager`));
        assert.equal((await desk.call(admin, 'POST', '/systems', body)).status, 201);
        for (const [path, sent] of [
          ['secrets', {}],
          [
            'keys',
            {
              jwk: {
                kty: 'EC',
                crv: 'P-256',
                x: 'WKn-ZIGevcwGIyyrzFoZNBdaq9_TsqzGl96oc0CWuis',
                y: 'y77t-RvAHRKTsSGdIYUfweuOvwrvDD-Q3Hv5J0fSKbE',
              },
            },
          ],
        ] as const) {
          await refused(desk.call(operator, 'POST', `/systems/moi/${path}`, sent), 'role_required');
          assert.equal((await desk.call(operator, 'POST', `/systems/van-hanh/${path}`, sent)).status, 201);
        }
      });

    it('are not gone round by letting a powerful system in again, or by loosening what holds it', async () => {
      const body = { agency: 'H35.10', name: 'x', credential: { kind: 'secret' }, document: PAPER };
      const held = { addresses: ['10.1.0.0/16'], requireBoundTokens: true, validTo: '2026-01-31' };
      await desk.call(admin, 'POST', '/systems', { ...body, ...held, id: 'kiem-toan', roles: ['auditor'] });
      await desk.call(operator, 'POST', '/systems', { ...body, ...held, id: 'mot-cua', roles: ['consumer'] });
      await desk.call(admin, 'PATCH', '/systems/van-hanh', {
        ...{ addresses: ['10.1.0.0/16'], requireBoundTokens: true },
      });
      const ground = { reason: 'x', document: PAPER };
      const patch = (caller: Caller, id: string, body: object) =>
        desk.call(caller, 'PATCH', `/systems/${id}`, body);
      const post = (caller: Caller, id: string, name: string, more: object = {}) =>
        desk.call(caller, 'POST', `/systems/${id}/${name}`, { ...ground, ...more });
      const looser = [{ addresses: ['10.1.0.0/15'] }, { addresses: null }, { requireBoundTokens: false }];
      for (const id of ['kiem-toan', 'van-hanh']) {
        for (const more of [...looser, { name: 'y', addresses: ['10.1.2.3', '10.2.0.1'] }])
          await refused(patch(operator, id, more), 'role_required');
        await patch(operator, id, { name: 'z', addresses: ['10.1.2.0/24'], requireBoundTokens: true });
      }
      await refused(post(operator, 'kiem-toan', 'extend', { validTo: '2026-02-28' }), 'role_required');
      await post(operator, 'kiem-toan', 'lock');
      await refused(post(operator, 'kiem-toan', 'unlock'), 'role_required');
      assert.equal((await post(admin, 'kiem-toan', 'unlock')).body.state, 'active');
      assert.equal((await post(admin, 'kiem-toan', 'extend', { validTo: '2026-02-28' })).status, 200);
      await post(operator, 'mot-cua', 'lock');
      await post(operator, 'mot-cua', 'unlock');
      await post(operator, 'mot-cua', 'extend', { validTo: '2026-02-28' });
      for (const more of looser) {
        assert.equal((await patch(operator, 'mot-cua', more)).status, 200, 'no danger');
        assert.equal((await patch(admin, 'kiem-toan', more)).status, 200, 'by a manager');
      }
    });

    it('leave it to operators to register what is no danger', async () => {
      const body = { agency: 'H35.11', name: 'Mới', credential: { kind: 'secret' }, document: PAPER };
      for (const roles of [['provider'], ['consumer']])
        assert.equal((await desk.call(operator, 'POST', '/systems', { ...body, roles })).status, 201);
      const self = { ...body, id: 'admin', roles: ['auditor'] };
      await refused(desk.call(admin, 'POST', '/systems', self), 'own_decision');
      await refused(desk.call(admin, 'POST', '/systems', { ...self, id: 'quan-ly' }), 'conflict');
    });
  });
}
