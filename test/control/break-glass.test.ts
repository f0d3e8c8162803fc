import assert from 'node:assert/strict';
import { createControl } from '../../gateway/control/index.js';
import { noteOverdue } from '../../gateway/control/overdue.js';
import type { ProviderNotice } from '../../gateway/control/provider-notice.js';
import { startLog } from '../audit/log.js';
import { HeldClock } from '../identity/held-clock.js';
import { engines } from '../kit/databases.js';
import { allRecords, startTestGateway } from '../kit/gateway.js';
import { addAgency, addPaper, addService, addSystem, PAPER } from '../kit/province.js';
import { type Caller, Desk, DOCUMENT, manifestOf, refused } from './desk.js';

const ID = 'H35.11/don-vi/v1';
const PATH = `/services/${ID}`;
const MINUTE = 60_000;
const because = { reason: 'Nguồn bị lộ dữ liệu, cơ quan cung cấp không liên lạc được' };
const WANTED = { kind: 'service.access', service: ID, minutes: 30, document: PAPER, ...because };

for (const engine of engines) {
  describe(`emergency access on ${engine.name}`, function () {
    this.timeout(90_000);
    let desk: Desk;
    let manager: Caller;
    let operator: Caller;
    let colleague: Caller;
    let provider: Caller;
    let other: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine, { fourEyes: true });
      await desk.agency('H35.10', 'Sở Khoa học và Công nghệ');
      await desk.agency('H35.11', 'Sở Nội vụ');
      await desk.agency('H35.12', 'Sở Tài chính');
      manager = await desk.system('quan-ly', 'H35.10', ['manager']);
      operator = await desk.system('van-hanh', 'H35.10', ['operator']);
      colleague = await desk.system('van-hanh-2', 'H35.10', ['operator']);
      provider = await desk.system('noi-vu', 'H35.11', ['provider']);
      other = await desk.system('tai-chinh', 'H35.12', ['provider']);
      for (const slug of ['don-vi', 'khac']) {
        const content = { manifest: manifestOf('H35.11', slug), document: DOCUMENT };
        await desk.call(provider, 'POST', '/services', {
          ...content,
          credentials: { apiKey: 'gia-tri-mat' },
        });
        await desk.call(manager, 'POST', `/services/H35.11/${slug}/v1/publish`);
      }
    });
    afterEach(() => desk.close());

    /** Another node. SQLite serves one only, through its one connection. */
    const elsewhere = () => (engine.name === 'SQLite' ? desk.test.database : desk.test.again());
    const ask = async (more: object = {}, caller = operator) =>
      (await desk.call(caller, 'POST', '/change-requests', { ...WANTED, ...more })).body.id as string;
    const approve = (id: string, caller = manager, handlers = desk.handlers) =>
      desk.call(caller, 'POST', `/change-requests/${id}/approve`, undefined, handlers);
    const open = async (more: object = {}) => {
      const id = await ask(more);
      await approve(id);
      return (await desk.call(manager, 'GET', `/change-requests/${id}`)).body.breakGlass as string;
    };
    const suspend = (caller: Caller, path = PATH) => desk.call(caller, 'POST', `${path}/suspend`, because);
    const resume = (caller: Caller) => desk.call(caller, 'POST', `${PATH}/resume`);
    const close = (caller: Caller, number: string) =>
      desk.call(caller, 'POST', `/break-glass/${number}/close`);
    const list = async (caller: Caller, query = '') =>
      (await desk.call(caller, 'GET', `/break-glass?${query}`)).body.items;
    const lastAct = () => desk.acts.at(-1) as any;

    it('is not there before a manager agreed', async () => {
      await refused(suspend(operator), 'role_required');
      const id = await ask();
      const problem = await refused(suspend(operator), 'role_required');
      assert.match(problem.parts.detail?.vi ?? '', /khẩn cấp/);
      await desk.call(manager, 'POST', `/change-requests/${id}/refuse`, because);
      await refused(suspend(operator), 'role_required');
      assert.deepEqual(await list(manager), []);
    });

    it('lets its holder do what the provider may, under its number, and tells the provider', async () => {
      const number = await open();
      assert.equal(number, 'kc-2025-0001');
      const [approved] = lastAct().after.subject.providerNotices;
      assert.deepEqual(
        [approved.agency, approved.kind, approved.noun, approved.key, approved.at],
        ['H35.11', 'break_glass.approved', 'break_glass', number, desk.now],
      );
      assert.ok(approved.text.vi.includes(because.reason) && approved.text.en.includes(number));
      const uses: [string, () => Promise<unknown>][] = [
        ['suspendService', () => suspend(operator)],
        ['resumeService', () => resume(operator)],
        ['getServiceManifest', () => desk.call(operator, 'GET', `${PATH}/manifest`)],
        ['listServiceRevisions', () => desk.call(operator, 'GET', `${PATH}/revisions`)],
        [
          'saveServiceDraft',
          () =>
            desk.call(operator, 'PUT', `${PATH}/draft`, {
              manifest: manifestOf('H35.11', 'don-vi', { title: 'Khác' }),
              document: DOCUMENT,
            }),
        ],
      ];
      for (const [operation, use] of uses) {
        const before = desk.acts.length;
        await use();
        assert.equal(desk.acts.length, before + 1, operation);
        const { operationId, after } = lastAct();
        assert.deepEqual([operationId, after.breakGlass], [operation, number]);
        assert.deepEqual(
          after.providerNotices.map((notice: ProviderNotice) => [notice.agency, notice.kind]),
          [['H35.11', 'break_glass.used']],
        );
        assert.ok(after.providerNotices[0].text.en.includes(operation));
      }
      const [access] = await list(provider);
      assert.deepEqual([access.state, access.uses], ['active', uses.length]);
      const row = await desk.test.database.knex('services').where({ id: ID }).first();
      assert.equal(row.state_by, 'provider', 'the provider may undo it');
      assert.ok(!JSON.stringify(desk.acts).includes('gia-tri-mat'));
    });

    it('leads to the manifest with names of credentials, never to their values', async () => {
      await open();
      const { text, body } = await desk.call(operator, 'GET', `${PATH}/manifest`);
      assert.deepEqual(body.credentialNames, ['apiKey']);
      assert.ok(!text.includes('gia-tri-mat') && !text.includes('sealed'));
    });

    it('is for one service and one person only, and for nothing more than the provider may', async () => {
      await open();
      await refused(suspend(operator, '/services/H35.11/khac/v1'), 'role_required');
      await refused(suspend(colleague), 'role_required');
      await refused(suspend({ ...operator, user: 'nguyen-van-a' }), 'role_required');
      await refused(suspend({ ...operator, agency: 'H35.12' }), 'role_required');
      await refused(suspend({ ...operator, roles: ['provider'] }), 'role_required');
      for (const name of ['publish', 'retire'])
        await refused(
          desk.call(operator, 'POST', `${PATH}/${name}`, name === 'retire' ? because : undefined),
          'role_required',
        );
      await suspend(manager);
      await refused(resume(operator), 'role_required');
      assert.equal((await list(manager))[0].uses, 0);
    });

    for (const [name, ms, held] of [
      ['just before its end', 30 * MINUTE - 1, true],
      ['at its end', 30 * MINUTE, false],
      ['after its end', 30 * MINUTE + 1, false],
      ['with a clock set back before its beginning', -1, false],
    ] as const)
      it(`is ${held ? 'in force' : 'over'} ${name}`, async () => {
        await open();
        desk.now += ms;
        if (held) await suspend(operator);
        else await refused(suspend(operator), 'role_required');
      });

    it('begins with the approval, however long that took', async () => {
      const id = await ask();
      desk.now += 20 * 60 * MINUTE;
      await approve(id);
      desk.now += 29 * MINUTE;
      await suspend(operator);
      const late = await ask();
      desk.now += 24 * 60 * MINUTE;
      await refused(approve(late), 'transition_not_allowed');
    });

    for (const [minutes, taken] of [
      [0, false],
      [1, true],
      [240, true],
      [241, false],
    ] as const)
      it(`is ${taken ? '' : 'not '}asked for ${minutes} minutes`, async () => {
        if (taken) await ask({ minutes });
        else await refused(ask({ minutes }), 'request_invalid');
      });

    it('needs a document, an operator, and a service that is there', async () => {
      await refused(ask({ document: undefined }), 'document_required');
      await refused(ask({}, provider), 'role_required');
      await refused(ask({}, manager), 'role_required');
      await refused(ask({ service: 'H35.11/khong-co/v1' }), 'object_not_found');
      await desk.call(manager, 'POST', `${PATH}/retire`, because);
      await refused(ask(), 'transition_not_allowed');
    });

    it('is approved once, and not by who asked', async () => {
      const both = await desk.system('van-hanh-3', 'H35.10', ['operator', 'manager']);
      const own = await ask({}, both);
      await refused(approve(own, both), 'own_decision');
      const id = await ask();
      const nodes = [1, 2].map(() => createControl(desk.context(elsewhere())));
      const outcomes = await Promise.allSettled(
        [manager, both].map((caller, i) => approve(id, caller, nodes[i])),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      await refused(approve(id), 'transition_not_allowed');
      assert.equal((await list(manager)).length, 1);
    });

    it('is closed early by its holder, a manager or the provider, and by nobody else', async () => {
      for (const caller of [operator, manager, provider]) {
        const number = await open();
        await refused(close(other, number), 'object_not_found');
        await refused(close(colleague, number), 'role_required');
        await suspend(operator);
        await resume(provider);
        const { body } = await close(caller, number);
        assert.deepEqual([body.state, body.closedBy], ['closed', caller.system]);
        assert.equal(lastAct().after.providerNotices[0].kind, 'break_glass.closed');
        await refused(suspend(operator), 'role_required');
        const since = new Date(desk.now).toISOString();
        desk.now += 1;
        const problem = await refused(close(caller, number), 'transition_not_allowed');
        assert.deepEqual([problem.parts.rule?.state, problem.parts.rule?.since], ['closed', since]);
        const asked = (await desk.call(manager, 'GET', `/change-requests/${body.changeRequest}`)).body;
        assert.equal(asked.state, 'done');
      }
      await refused(close(manager, 'kc-2025-0099'), 'object_not_found');
    });

    it('is listed to those who answer for it', async () => {
      const first = await open();
      desk.now += 30 * MINUTE;
      const second = await open();
      const third = await open({ service: 'H35.11/khac/v1' });
      await close(manager, third);
      const numbers = async (caller: Caller, query = '') =>
        (await list(caller, query)).map(({ number }: { number: string }) => number);
      assert.deepEqual(await numbers(manager), [first, second, third]);
      assert.deepEqual(await numbers(provider), [first, second, third]);
      assert.deepEqual(await numbers(other), []);
      assert.deepEqual(await numbers(manager, 'state=ended'), [first]);
      assert.deepEqual(await numbers(manager, 'state=active'), [second]);
      assert.deepEqual(await numbers(manager, 'state=closed'), [third]);
      assert.deepEqual(await numbers(manager, `service=${ID}`), [first, second]);
      await refused(close(manager, first), 'transition_not_allowed');
    });

    it('tells the provider where notices are posted, and of its end once with two nodes', async () => {
      const told: ProviderNotice[] = [];
      const telling = (database = desk.test.database) => ({
        ...desk.context(database),
        postNotice: async (trx: any, notice: ProviderNotice) => {
          await trx('changes').count();
          told.push(notice);
        },
      });
      const handlers = createControl(telling());
      await approve(await ask(), manager, handlers);
      await desk.call(operator, 'POST', `${PATH}/suspend`, because, handlers);
      await desk.call(operator, 'GET', `${PATH}/manifest`, undefined, handlers);
      const recorder = await startLog(desk.test.database);
      try {
        desk.now += 30 * MINUTE - 1;
        assert.equal(await noteOverdue(telling(), recorder), 0);
        desk.now += 1;
        const until = desk.now;
        desk.now += 12_345;
        await Promise.all([telling(), telling(elsewhere())].map((node) => noteOverdue(node, recorder)));
        assert.equal(await noteOverdue(telling(), recorder), 0);
        assert.deepEqual(
          told.map(({ kind }) => kind),
          ['approved', 'used', 'used', 'ended'].map((event) => `break_glass.${event}`),
        );
        const records = await allRecords(desk.test.database);
        assert.deepEqual(
          records.map(({ plane, kind, received, target }) => [plane, kind, received, target?.key]),
          [['system', 'act', new Date(until).toISOString(), 'kc-2025-0001']],
        );
        const after = records[0]?.target?.after as any;
        assert.deepEqual([after.state, after.uses], ['ended', 2]);
        assert.equal(after.providerNotices[0].kind, 'break_glass.ended');
      } finally {
        await recorder.close();
      }
      const asked = (await desk.call(manager, 'GET', '/change-requests?kind=service.access')).body.items;
      assert.equal(asked[0].state, 'done');
    });

    it('is undone with what it told, when the telling fails', async () => {
      const failing = createControl({
        ...desk.context(),
        postNotice: () => Promise.reject(new Error('no outbox')),
      });
      const id = await ask();
      await assert.rejects(approve(id, manager, failing), /no outbox/);
      assert.deepEqual(await list(manager), []);
      await refused(suspend(operator), 'role_required');
      assert.equal((await desk.call(manager, 'GET', `/change-requests/${id}`)).body.state, 'pending');
    });
  });

  describe(`emergency access through the doors on ${engine.name}`, function () {
    this.timeout(60_000);

    it('is recorded at every use, of what reads too, and ends by the clock', async () => {
      const test = await engine.create();
      await addAgency(test.database, 'H35.10');
      await addAgency(test.database, 'H35.11');
      await addPaper(test.database, 'H35.10');
      await addSystem(test.database, 'van-hanh', 'H35.10', { roles: ['operator'] });
      await addSystem(test.database, 'quan-ly', 'H35.10', { roles: ['manager'] });
      await addService(test.database, 'http://127.0.0.1:9');
      const clock = new HeldClock();
      const node = await startTestGateway(test, { fourEyes: true }, { clock });
      const call = async (client: string, method: string, path: string, body?: object) => {
        const sent = body === undefined ? {} : { body: JSON.stringify(body) };
        const headers = { 'content-type': 'application/json' };
        const answer = await node.call(client, `/api${path}`, {
          method,
          ...(body === undefined ? {} : { headers }),
          ...sent,
        });
        return { status: answer.status, body: (await answer.json()) as any };
      };
      try {
        const service = 'H35.11/thu/v1';
        const suspend = () => call('van-hanh', 'POST', `/services/${service}/suspend`, because);
        assert.equal((await suspend()).body.code, 'role_required');
        const asked = await call('van-hanh', 'POST', '/change-requests', { ...WANTED, service, minutes: 5 });
        assert.equal(asked.status, 201, JSON.stringify(asked.body));
        const { id } = asked.body;
        assert.equal(
          (await call('van-hanh', 'POST', `/change-requests/${id}/approve`)).body.code,
          'role_required',
        );
        assert.equal((await call('quan-ly', 'POST', `/change-requests/${id}/approve`)).status, 200);
        const number = (await call('quan-ly', 'GET', `/change-requests/${id}`)).body.breakGlass;
        assert.equal((await call('van-hanh', 'GET', `/services/${service}/manifest`)).status, 200);
        assert.equal((await suspend()).status, 200);
        clock.move(5 * MINUTE - 1);
        assert.equal((await call('van-hanh', 'POST', `/services/${service}/resume`)).status, 200);
        clock.move(1);
        assert.equal((await suspend()).body.code, 'role_required');
        const uses = (await allRecords(test.database)).filter(
          ({ kind, target }) => kind === 'closing' && (target?.after as any)?.breakGlass === number,
        );
        assert.deepEqual(
          uses.map(({ operation, outcome, system }) => [operation, outcome, system]),
          ['getServiceManifest', 'suspendService', 'resumeService'].map((one) => [
            one,
            'answered',
            'van-hanh',
          ]),
        );
      } finally {
        await node.close();
        await test.drop();
      }
    });
  });
}
