import assert from 'node:assert/strict';
import { engines } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { addSystem, PAPER } from '../kit/province.js';
import { AGREEMENT, CONTENT, Province, SERVICE } from './province.js';

const BASIS = '491-qd-ubnd#d3.6';

/** Everything that some step could need; what a step does not need does no harm. */
const GROUND = { reason: 'để thử', legalBasis: BASIS, agreement: AGREEMENT };

for (const engine of engines) {
  describe(`sharing requests on ${engine.name}`, function () {
    this.timeout(120_000);
    let province: Province;
    beforeEach(async () => {
      province = await Province.open(engine);
    });
    afterEach(() => province.close());

    const draft = (content: object = {}) =>
      province.done('nguoi-lap', 'POST', '/sharing-requests', {
        service: SERVICE,
        system: 'mot-cua',
        ...CONTENT,
        ...content,
      });

    it('go no other way than the table says, whoever asks', async () => {
      const { steps } = await province.done('kiem-tra', 'GET', '/sharing-transitions');
      const names = steps
        .map(({ step }: any) => step)
        .filter((s: string) => !['expire', 'lapse', 'supersede', 'reopen'].includes(s));
      for (const state of ['draft', 'submitted', 'in_review', 'agreed', 'preparing', 'testing', 'active']) {
        const id = await province.reach(state);
        for (const step of names) {
          const row = steps.find((one: any) => one.step === step);
          if (row.from.includes(state)) continue;
          for (const [client, document] of [
            ['nguoi-lap', 'vb-61'],
            ['cung-cap', 'vb-12'],
            ['quan-ly', PAPER],
          ]) {
            const answer = await province.api(client ?? '', 'POST', `/sharing-requests/${id}/steps`, {
              step,
              ...GROUND,
              document,
            });
            const expected =
              state === 'draft' && client !== 'nguoi-lap'
                ? ['object_not_found']
                : ['transition_not_allowed', 'role_required'];
            assert.ok(
              expected.includes(answer.body.code),
              `${state} ${step} by ${client}: ${answer.body.code ?? answer.status}`,
            );
          }
        }
        const { state: after } = await province.done('nguoi-lap', 'GET', `/sharing-requests/${id}`);
        assert.equal(after, state);
        const end =
          state === 'active'
            ? ['terminate', 'nguoi-lap']
            : ['draft', 'submitted', 'in_review'].includes(state)
              ? ['withdraw', 'nguoi-lap']
              : null;
        if (end !== null)
          await province.step(end[1] ?? '', id, end[0] ?? '', { reason: 'xong', document: 'vb-61' });
        else
          await province.test.database.knex('sharing_requests').where({ id }).update({ state: 'withdrawn' });
      }
    });

    it('are nobody else’s business: another agency finds nothing', async () => {
      const id = await province.reach('in_review');
      for (const [method, path, body] of [
        ['GET', '', undefined],
        ['PATCH', '', { perDay: 1 }],
        ['POST', '/steps', { step: 'refuse', ...GROUND }],
        ['POST', '/tests', undefined],
        ['GET', '/narrowed', undefined],
        ['PUT', '/tasks/1', { done: true }],
        ['POST', '/difficulties', { text: 'x' }],
      ] as const)
        await province.refused('object_not_found', 'ke-la', method, `/sharing-requests/${id}${path}`, body);
      assert.deepEqual((await province.done('ke-la', 'GET', '/sharing-requests')).items, []);
      assert.equal((await province.done('kiem-tra', 'GET', '/sharing-requests')).items.length, 1);
    });

    for (const [title, content, pointer] of [
      ['an operation that is none', { operations: ['khac'], fields: null }, '/body/operations/0'],
      ['no operation', { operations: [], fields: null }, '/body/operations'],
      ['a field that is none', { fields: { traCuu: ['/duLieu/*/luong'] } }, '/body/fields/traCuu/0'],
      [
        'fields of an operation that is not asked for',
        { fields: { khac: ['/tong'], traCuu: ['/tong'] } },
        '/body/fields/khac',
      ],
      ['no fields for an operation', { fields: {} }, '/body/fields/traCuu'],
      ['a term that is over', { until: '2025-07-31' }, '/body/until'],
      ['a term that is too long', { until: '2035-01-01' }, '/body/until'],
      ['a first day after the last', { from: '2025-10-01' }, '/body/from'],
      ['a legal basis that is not there', { legalBasis: 'khong-co' }, '/body/legalBasis'],
      ['a legal basis that is not in force yet', { legalBasis: '278-2025-nd-cp' }, '/body/legalBasis'],
    ] as const)
      it(`are not handed in with ${title}`, async () => {
        const { id } = await draft(content);
        const problem = await province.refused(
          'request_invalid',
          'nguoi-lap',
          'POST',
          `/sharing-requests/${id}/steps`,
          {
            step: 'submit',
            document: 'vb-61',
          },
        );
        assert.deepEqual(
          problem.errors.map((one: any) => one.pointer),
          [pointer],
        );
      });

    it('are handed in on a document of their agency, and only by it', async () => {
      const { id } = await draft();
      const submit = (document?: string) => ({
        step: 'submit',
        ...(document === undefined ? {} : { document }),
      });
      await province.refused(
        'document_required',
        'nguoi-lap',
        'POST',
        `/sharing-requests/${id}/steps`,
        submit(),
      );
      await province.refused(
        'document_required',
        'nguoi-lap',
        'POST',
        `/sharing-requests/${id}/steps`,
        submit('vb-12'),
      );
      await province.refused(
        'object_not_found',
        'cung-cap',
        'POST',
        `/sharing-requests/${id}/steps`,
        submit('vb-12'),
      );
      await province.step('nguoi-lap', id, 'submit', { document: 'vb-61' });
      await province.refused(
        'transition_not_allowed',
        'nguoi-lap',
        'POST',
        `/sharing-requests/${id}/steps`,
        submit('vb-61'),
      );
    });

    it('keep the legal basis that they name from being deleted', async () => {
      await province.reach('submitted');
      const answer = await province.api('van-hanh', 'DELETE', '/legal-bases/491-qd-ubnd');
      assert.equal(answer.body.code, 'conflict');
    });

    it('are not decided by those who made them', async () => {
      const { knex } = province.test.database;
      await knex('systems').where({ id: 'cung-cap' }).update({ roles: '["provider","manager"]' });
      await knex('changes').insert({ noun: 'system', key: 'cung-cap', at: 1 });
      const id = await province.reach('agreed');
      await eventually(async () => {
        const answer = await province.api('cung-cap', 'POST', `/sharing-requests/${id}/steps`, {
          step: 'approve',
          document: 'vb-12',
        });
        return answer.body.code === 'own_decision' || undefined;
      }, 'who agreed does not approve');
    });

    it('are decided once when two decide at the same moment', async () => {
      const id = await province.reach('in_review');
      const [one, two] = await Promise.all([
        province.api('cung-cap', 'POST', `/sharing-requests/${id}/steps`, {
          step: 'agree',
          document: 'vb-12',
          agreement: AGREEMENT,
        }),
        province.api('cung-cap-hai', 'POST', `/sharing-requests/${id}/steps`, { step: 'refuse', ...GROUND }),
      ]);
      assert.deepEqual([one?.status, two?.status].sort(), [200, 409]);
    });

    it('need a reason and a legal basis in force to be refused, and then lead to the settling path', async () => {
      const id = await province.reach('in_review');
      const refuse = (more: object) =>
        province.api('cung-cap', 'POST', `/sharing-requests/${id}/steps`, { step: 'refuse', ...more });
      assert.equal((await refuse({ legalBasis: BASIS })).body.code, 'request_invalid');
      assert.equal((await refuse({ reason: 'x' })).body.code, 'request_invalid');
      assert.equal(
        (await refuse({ reason: 'x', legalBasis: '278-2025-nd-cp' })).body.code,
        'request_invalid',
      );
      assert.equal((await refuse({ reason: 'Ngoài phạm vi', legalBasis: BASIS })).body.state, 'refused');
      const raised = await province.done('nguoi-lap', 'POST', `/sharing-requests/${id}/difficulties`, {
        text: 'Dữ liệu cần cho nhiệm vụ',
      });
      assert.deepEqual([raised.state, raised.dueAt], ['received', '2025-08-15T16:59:59.999Z']);
      await province.refused('conflict', 'nguoi-lap', 'POST', `/sharing-requests/${id}/difficulties`, {
        text: 'lần nữa',
      });
      const settle = (body: object) =>
        province.api('quan-ly', 'POST', `/difficulties/${raised.id}/steps`, body);
      assert.equal(
        (await settle({ step: 'conclude', outcome: 'upheld', conclusion: 'x', document: PAPER })).body.code,
        'transition_not_allowed',
      );
      assert.equal((await settle({ step: 'settle' })).body.state, 'in_settlement');
      assert.equal(
        (await settle({ step: 'conclude', outcome: 'reconsider', conclusion: 'x', document: PAPER })).body
          .code,
        'request_invalid',
      );
      const done = await settle({
        step: 'conclude',
        outcome: 'reconsider',
        conclusion: 'Xem xét lại',
        legalBasis: BASIS,
        document: PAPER,
      });
      assert.equal(done.body.state, 'concluded');
      assert.equal((await province.done('nguoi-lap', 'GET', `/sharing-requests/${id}`)).state, 'in_review');
      await province.refused('object_not_found', 'ke-la', 'GET', `/difficulties/${raised.id}`);
    });

    it('are tested before they are used: the sandbox, the source, the tasks', async () => {
      const id = await province.reach('preparing');
      const begin = await province.refused(
        'transition_not_allowed',
        'van-hanh',
        'POST',
        `/sharing-requests/${id}/steps`,
        { step: 'begin_testing' },
      );
      assert.equal(begin.rule.state, 'tasks_open');
      await province.refused('role_required', 'nguoi-lap', 'PUT', `/sharing-requests/${id}/tasks/3`, {
        done: true,
      });
      await province.refused('object_not_found', 'van-hanh', 'PUT', `/sharing-requests/${id}/tasks/9`, {
        done: true,
      });
      for (const [task, client] of [
        [1, 'nguoi-lap'],
        [2, 'van-hanh'],
        [3, 'cung-cap'],
        [4, 'cung-cap'],
      ] as const)
        await province.done(client, 'PUT', `/sharing-requests/${id}/tasks/${task}`, { done: true });
      await province.step('van-hanh', id, 'begin_testing');
      const activate = () =>
        province.api('van-hanh', 'POST', `/sharing-requests/${id}/steps`, { step: 'activate' });
      assert.equal((await activate()).body.rule.state, 'untested');
      const first = await province.done('cung-cap', 'POST', `/sharing-requests/${id}/tests`);
      assert.equal(first.tests[0].passed, false);
      assert.deepEqual(
        first.tests[0].checks.filter((one: any) => !one.ok).map((one: any) => one.check),
        ['sandbox'],
      );
      assert.equal((await activate()).body.rule.state, 'test_failed');
      assert.equal(await province.code(), 'grant_required');
      assert.equal((await province.data('mot-cua', 'sandbox')).status, 200);
      await province.done('cung-cap', 'POST', `/sharing-requests/${id}/tests`);
      assert.equal((await activate()).body.state, 'active');
      assert.equal(await province.code(), 'answered');
    });

    it('show what would leave, for the provider to approve', async () => {
      const id = await province.reach('in_review');
      const { items } = await province.done('cung-cap', 'GET', `/sharing-requests/${id}/narrowed`);
      const row = items[0].answers['200'].properties.duLieu.items;
      assert.deepEqual(Object.keys(row.properties), ['ma', 'ten', 'vonDieuLe']);
      assert.equal(row.additionalProperties, false);
      assert.equal(items[0].answers['200'].properties.tong, undefined);
    });

    it('tell once when a step is overdue; a holiday entered afterwards moves nothing', async () => {
      const id = await province.reach('submitted');
      const { dueAt } = await province.done('cung-cap', 'GET', `/sharing-requests/${id}`);
      assert.equal(dueAt, '2025-08-05T16:59:59.999Z');
      await province.done('van-hanh', 'PUT', '/calendar/days/2025-08-05', {
        kind: 'holiday',
        name: 'Nghỉ (giả định)',
      });
      assert.equal((await province.done('cung-cap', 'GET', `/sharing-requests/${id}`)).dueAt, dueAt);
      province.clock.move(5 * 86_400_000);
      const late = await eventually(async () => {
        const rows = await province.test.database.knex('notices').where({ kind: 'overdue' });
        return rows.length > 0 ? rows : undefined;
      }, 'somebody is told');
      assert.deepEqual(late.map(({ agency }: any) => agency).sort(), ['H35', 'H35.12']);
      assert.equal(
        (await province.done('cung-cap', 'GET', '/sharing-requests?overdue=true')).items[0].id,
        id,
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.equal((await province.test.database.knex('notices').where({ kind: 'overdue' })).length, 2);
    });

    it('leave one record for each step, with the document it rests on', async () => {
      const id = await province.reach('active');
      await province.step('cung-cap', id, 'suspend', { reason: 'Bảo trì' });
      const records = (await allRecords(province.test.database)).filter(
        ({ target, kind }) => kind === 'closing' && target?.noun === 'sharing_request' && target.key === id,
      );
      const steps = records
        .map(({ target }) => (target?.after as any).step)
        .filter((step) => step !== undefined);
      assert.deepEqual(steps, ['submit', 'take', 'agree', 'approve', 'begin_testing', 'activate', 'suspend']);
      for (const step of ['submit', 'agree', 'approve']) {
        const record = records.find(({ target }) => (target?.after as any).step === step);
        assert.equal((record?.target?.after as any).document.number, '12/SKHCN-BĐCN', step);
      }
    });

    it('are approved once, whoever else decides at the same moment, and by no replay', async () => {
      await addSystem(province.test.database, 'quan-ly-hai', 'H35', { roles: ['manager'] });
      const { knex } = province.test.database;
      await knex('changes').insert({ noun: 'system', key: 'quan-ly-hai', at: 1 });
      await province.done('van-hanh', 'PATCH', '/agencies/H35.62', { name: 'Cơ quan khác' });
      const id = await province.reach('agreed');
      const approve = (client: string) =>
        province.api(client, 'POST', `/sharing-requests/${id}/steps`, { step: 'approve', document: PAPER });
      const answers = await Promise.all([approve('quan-ly'), approve('quan-ly-hai')]);
      assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409]);
      const lost = answers.find(({ status }) => status === 409);
      assert.deepEqual([lost?.body.code, lost?.body.rule.state], ['transition_not_allowed', 'preparing']);
      for (const client of ['quan-ly', 'quan-ly-hai'])
        assert.equal((await approve(client)).body.code, 'transition_not_allowed');
      const { steps, tasks } = await province.done('quan-ly', 'GET', `/sharing-requests/${id}`);
      assert.equal(steps.filter(({ step }: { step: string }) => step === 'approve').length, 1);
      assert.equal(tasks.length, 4);
    });
  });

  describe(`account requests on ${engine.name}`, function () {
    this.timeout(60_000);
    let province: Province;
    before(async () => {
      province = await Province.open(engine);
    });
    after(() => province.close());

    it('are answered within two working days, with the account or a reason', async () => {
      const ask = { systemName: 'Phần mềm hộ tịch', purpose: 'Khai thác danh mục', document: 'vb-61' };
      await province.refused('document_required', 'mot-cua', 'POST', '/account-requests', {
        ...ask,
        document: 'vb-12',
      });
      const { id, dueAt } = await province.done('mot-cua', 'POST', '/account-requests', ask);
      assert.equal(dueAt, '2025-08-05T16:59:59.999Z');
      const decide = (client: string, body: object) =>
        province.api(client, 'POST', `/account-requests/${id}/steps`, body);
      assert.equal((await decide('ke-la', { step: 'withdraw' })).body.code, 'object_not_found');
      assert.equal(
        (await decide('mot-cua', { step: 'accept', system: 'mot-cua' })).body.code,
        'role_required',
      );
      assert.equal((await decide('van-hanh', { step: 'refuse' })).body.code, 'request_invalid');
      assert.equal(
        (await decide('van-hanh', { step: 'accept', system: 'mot-cua' })).body.code,
        'request_invalid',
      );
      await province.done('van-hanh', 'POST', '/systems', {
        id: 'ho-tich',
        agency: 'H35.61',
        name: 'Phần mềm hộ tịch',
        roles: ['consumer'],
        credential: { kind: 'secret' },
        document: 'vb-61',
      });
      const done = await decide('van-hanh', { step: 'accept', system: 'ho-tich' });
      assert.deepEqual([done.body.state, done.body.system], ['created', 'ho-tich']);
      assert.equal(
        (await decide('van-hanh', { step: 'refuse', reason: 'x' })).body.code,
        'transition_not_allowed',
      );
    });

    it('show the default list with its reviews', async () => {
      await province.test.database.knex('services').update({ sharing: 'default' });
      const listed = async () => (await province.done('quan-ly', 'GET', '/default-list')).items[0];
      assert.deepEqual(
        [(await listed()).reviewedAt, (await listed()).dueAt],
        [null, '2026-02-01T00:00:00.000Z'],
      );
      const review = { outcome: 'keep', note: 'Còn nhu cầu', document: PAPER };
      await province.refused('role_required', 'van-hanh', 'POST', `/default-list/${SERVICE}/reviews`, review);
      await province.done('quan-ly', 'POST', `/default-list/${SERVICE}/reviews`, review);
      assert.deepEqual(
        [(await listed()).outcome, (await listed()).dueAt],
        ['keep', '2026-02-01T02:00:00.000Z'],
      );
    });
  });
}
