import assert from 'node:assert/strict';
import { engines } from '../kit/databases.js';
import { PAPER } from '../kit/province.js';
import { type Caller, Desk, refused } from './desk.js';

const NOI_VU = {
  code: 'H35.11',
  alias: '000.00.11.H35',
  name: 'Sở Nội vụ',
  level: 'department',
  parentCode: 'H35',
  validFrom: '2025-03-01',
};

for (const engine of engines) {
  describe(`agencies on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
    });
    afterEach(() => desk.close());

    const create = (body: object) => desk.call(admin, 'POST', '/agencies', body);
    const codes = async (query: string) =>
      (await desk.call(admin, 'GET', `/agencies?${query}`)).body.items.map(
        (item: { code: string }) => item.code,
      );

    it('are entered, found by code and by alias, and noted as an act', async () => {
      const made = await create(NOI_VU);
      assert.equal(made.status, 201);
      assert.equal(made.body.inForce, true);
      for (const name of ['H35.11', '000.00.11.H35'])
        assert.deepEqual((await desk.call(admin, 'GET', `/agencies/${name}`)).body, made.body);
      assert.deepEqual(desk.acts, [
        { operationId: 'createAgency', noun: 'agency', key: 'H35.11', before: null, after: made.body },
      ]);
      const changes = await desk.test.database.knex('changes').select('noun', 'key');
      assert.deepEqual(changes, [{ noun: 'agency', key: 'H35.11' }]);
    });

    it('are entered, changed and ended on a document, which the record names', async () => {
      const change = (body: object) => desk.call(admin, 'PATCH', '/agencies/H35.11', body);
      await refused(create({ ...NOI_VU, document: 'khong-co' }), 'document_required');
      await refused(desk.call(admin, 'GET', '/agencies/H35.11'), 'object_not_found');
      const made = await create({ ...NOI_VU, document: PAPER });
      assert.equal(made.body.document, undefined);
      await refused(change({ name: 'Sở khác', document: 'khong-co' }), 'document_required');
      assert.equal((await desk.call(admin, 'GET', '/agencies/H35.11')).body.name, 'Sở Nội vụ');
      assert.equal((await change({ name: 'Sở Nội vụ mới', document: PAPER })).status, 200);
      assert.equal(
        (await change({ alias: '000.00.12.H35' })).body.stateDocument,
        PAPER,
        'the last that was named',
      );
      desk.acts.pop();
      const other = await desk.system('ke-la', 'H35.11', ['consumer']);
      const seen = (await desk.call(other, 'GET', '/agencies/H35.11')).body;
      assert.ok(!('stateDocument' in seen), 'documents are for those who see them');
      assert.equal((await change({ validTo: '2025-06-30', document: PAPER })).body.inForce, false);
      assert.deepEqual(
        desk.acts.map(({ after }: any) => [after.document.id, after.document.number]),
        Array.from({ length: 3 }, () => [PAPER, '12/SKHCN-BĐCN']),
      );
    });

    it('are searched without accents, in any case, by every word, and by code', async () => {
      await create(NOI_VU);
      await create({
        ...NOI_VU,
        code: 'H35.64',
        alias: '000.00.64.H35',
        name: 'Ủy ban nhân dân phường Đoàn Kết',
        level: 'commune',
      });
      for (const [q, expected] of [
        ['so noi vu', ['H35.11']],
        ['VỤ Nội', ['H35.11']],
        ['doan ket', ['H35.64']],
        ['đoàn', ['H35.64']],
        ['h35.6', ['H35.64']],
        ['00.11.h35', ['H35.11']],
        ['100%', []],
        ['_', []],
        ["' or 1=1 --", []],
      ] as const)
        assert.deepEqual(await codes(`q=${encodeURIComponent(q)}`), expected, q);
    });

    it('are listed by level, parent and day in force', async () => {
      await create({ ...NOI_VU, validTo: '2025-07-31' });
      await create({
        ...NOI_VU,
        code: 'H35.61',
        alias: null,
        name: 'Pu Sam Cáp',
        level: 'commune',
        validFrom: '2025-07-01',
      });
      assert.deepEqual(await codes('level=commune'), ['H35.61']);
      assert.deepEqual(await codes('parent=H35'), ['H35.11', 'H35.61']);
      assert.deepEqual(await codes('inForceOn=2025-02-28'), ['H35']);
      assert.deepEqual(await codes('inForceOn=2025-03-01'), ['H35', 'H35.11']);
      assert.deepEqual(await codes('inForceOn=2025-07-31'), ['H35', 'H35.11', 'H35.61']);
      assert.deepEqual(await codes('inForceOn=2025-08-01'), ['H35', 'H35.61']);
    });

    it('come in pages that follow on and end', async () => {
      for (const n of ['1', '10', '2', 'A', '9'])
        await create({ code: `H35.${n}`, name: `Đơn vị ${n}`, level: 'other', validFrom: '2025-01-01' });
      const seen: string[] = [];
      let cursor = '';
      for (let page = 0; page < 4; page += 1) {
        const { items, next } = (await desk.call(admin, 'GET', `/agencies?limit=2${cursor}`)).body;
        seen.push(...items.map((item: { code: string }) => item.code));
        if (next === null) break;
        cursor = `&cursor=${next}`;
      }
      assert.deepEqual(seen, ['H35', 'H35.1', 'H35.10', 'H35.2', 'H35.9', 'H35.A']);
      await refused(desk.call(admin, 'GET', '/agencies?cursor=abc-'), 'request_invalid');
      await refused(desk.call(admin, 'GET', '/agencies?limit=501'), 'request_invalid');
      await refused(desk.call(admin, 'GET', '/agencies?limit=0'), 'request_invalid');
    });

    const wrong: readonly [string, object, string, string?][] = [
      ['a code with small letters', { code: 'h35.1' }, 'request_invalid'],
      ['a code with an empty group', { code: 'H35..1' }, 'request_invalid'],
      ['a code of 36 characters', { code: 'H'.repeat(36) }, 'request_invalid'],
      ['an alias in another form', { alias: 'H35.11' }, 'request_invalid'],
      ['a parent that is not there', { parentCode: 'H99' }, 'request_invalid', '/body/parentCode'],
      ['itself as its parent', { parentCode: 'H35.11' }, 'request_invalid', '/body/parentCode'],
      ['a last day before the first', { validTo: '2025-02-28' }, 'request_invalid', '/body/validTo'],
      ['a day that no calendar has', { validFrom: '2025-02-30' }, 'request_invalid'],
      ['a blank name', { name: '  ' }, 'request_invalid'],
      ['a field of its own', { director: 'x' }, 'request_invalid'],
      ['a code that is taken', { code: 'H35' }, 'conflict'],
    ];
    for (const [name, part, code, pointer] of wrong) {
      it(`are not entered with ${name}`, async () => {
        const problem = await refused(create({ ...NOI_VU, ...part }), code);
        if (pointer !== undefined) assert.equal(problem.parts.errors?.[0]?.pointer, pointer);
        assert.equal((await desk.test.database.knex('agencies')).length, 1);
        assert.equal((await desk.test.database.knex('changes')).length, 0, 'nothing is announced');
      });
    }

    it('have a code of 35 characters at most, and may end on the day they begin', async () => {
      const code = `H35.${'A'.repeat(31)}`;
      assert.equal((await create({ ...NOI_VU, code, validTo: NOI_VU.validFrom })).body.code, code);
    });

    it('share no name, whether as code or as alias', async () => {
      await create(NOI_VU);
      await refused(create({ ...NOI_VU, code: 'H35.12' }), 'conflict');
      await refused(create({ ...NOI_VU, code: '000.00.11.H35', alias: null }), 'conflict');
      await create({ ...NOI_VU, code: '000.00.12.H35', alias: null });
      await refused(desk.call(admin, 'PATCH', '/agencies/H35.11', { alias: '000.00.12.H35' }), 'conflict');
    });

    it('are entered once when two enter them at the same moment', async () => {
      const results = await Promise.allSettled([create(NOI_VU), create(NOI_VU), create(NOI_VU)]);
      assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const result of results)
        if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'conflict');
    });

    it('are changed in what was sent and nothing else', async () => {
      const { body: before } = await create(NOI_VU);
      desk.now += 60_000;
      const { body: after } = await desk.call(admin, 'PATCH', '/agencies/000.00.11.H35', {
        name: 'Sở Nội vụ tỉnh',
        validTo: '2025-07-31',
      });
      assert.deepEqual(after, {
        ...before,
        name: 'Sở Nội vụ tỉnh',
        validTo: '2025-07-31',
        inForce: false,
        updatedAt: new Date(desk.now).toISOString(),
      });
      const act = desk.acts.at(-1)!;
      assert.deepEqual([act.before, act.after], [before, after]);
      assert.deepEqual(await codes('q=tinh'), ['H35', 'H35.11'], 'the new name is searched');
      const reopened = await desk.call(admin, 'PATCH', '/agencies/H35.11', { validTo: null, alias: null });
      assert.deepEqual(
        [reopened.body.validTo, reopened.body.alias, reopened.body.inForce],
        [null, null, true],
      );
      await refused(desk.call(admin, 'PATCH', '/agencies/H35.11', {}), 'request_invalid');
      await refused(desk.call(admin, 'PATCH', '/agencies/H35.11', { code: 'H36' }), 'request_invalid');
      await refused(desk.call(admin, 'PATCH', '/agencies/H99', { name: 'x' }), 'object_not_found');
    });

    it('never stand above themselves', async () => {
      await create(NOI_VU);
      await create({ ...NOI_VU, code: 'H35.11.1', alias: null, parentCode: 'H35.11' });
      const problem = await refused(
        desk.call(admin, 'PATCH', '/agencies/H35.11', { parentCode: 'H35.11.1' }),
        'request_invalid',
      );
      assert.equal(problem.parts.errors?.[0]?.keyword, 'cycle');
    });

    it('are not ended by those who belong to them', async () => {
      await refused(desk.call(admin, 'PATCH', '/agencies/H35', { validTo: '2025-07-31' }), 'own_decision');
      await desk.call(admin, 'PATCH', '/agencies/H35', { validTo: '2025-08-01' });
    });

    it('begin and end at midnight in Viet Nam', async () => {
      await create({ ...NOI_VU, validFrom: '2025-08-02' });
      const inForce = async () => (await desk.call(admin, 'GET', '/agencies/H35.11')).body.inForce;
      desk.now = Date.parse('2025-08-01T16:59:59.999Z');
      assert.equal(await inForce(), false);
      desk.now += 1;
      assert.equal(await inForce(), true);
    });
  });
}
