import assert from 'node:assert/strict';
import { legalBasisInForce } from '../../gateway/store/legal-bases.js';
import { engines } from '../kit/databases.js';
import { type Caller, Desk, refused } from './desk.js';

const BASIS = {
  id: '01-qd-vd',
  number: '01/QĐ-VD',
  title: 'Quyết định thí dụ (giả định)',
  issuer: 'Ủy ban nhân dân tỉnh (giả định)',
  kind: 'quyet_dinh',
  issuedOn: '2025-03-11',
  validFrom: '2025-03-11',
};
const CLAUSES = [
  { id: 'd1.2', label: 'Điều 1 khoản 2', summary: 'Thời hạn trả lời' },
  { id: 'd3', label: 'Điều 3', summary: 'Chỉ áp dụng đến tháng 6', validTo: '2025-06-30' },
];

for (const engine of engines) {
  describe(`legal bases on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;

    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
    });
    afterEach(() => desk.close());

    const create = (body: object) => desk.call(admin, 'POST', '/legal-bases', body);
    const patch = (id: string, body: object) => desk.call(admin, 'PATCH', `/legal-bases/${id}`, body);
    const faultOf = async (work: Promise<unknown>) =>
      (await refused(work, 'request_invalid')).parts.errors?.map(
        ({ pointer, keyword }) => `${pointer} ${keyword}`,
      );

    it('are entered with their clauses, read, changed, and recorded as acts', async () => {
      const made = await create({ ...BASIS, clauses: CLAUSES });
      assert.equal(made.status, 201);
      assert.deepEqual(
        made.body.clauses.map(({ ref, inForce }: any) => [ref, inForce]),
        [
          ['01-qd-vd#d1.2', true],
          ['01-qd-vd#d3', false],
        ],
        'a clause ends before its document',
      );
      const { body } = await patch('01-qd-vd', { validTo: '2025-07-31', note: 'Hết hiệu lực' });
      assert.deepEqual([body.inForce, body.validTo, body.number], [false, '2025-07-31', '01/QĐ-VD']);
      assert.deepEqual(
        body.clauses.map(({ id }: any) => id),
        ['d1.2', 'd3'],
        'clauses that are not sent stay',
      );
      const fewer = await patch('01-qd-vd', { validTo: null, clauses: [CLAUSES[1]] });
      assert.deepEqual([fewer.body.inForce, fewer.body.clauses.length], [true, 1]);
      assert.deepEqual((await desk.call(admin, 'GET', '/legal-bases/01-qd-vd')).body, fewer.body);
      assert.equal((await desk.call(admin, 'DELETE', '/legal-bases/01-qd-vd')).status, 204);
      await refused(desk.call(admin, 'GET', '/legal-bases/01-qd-vd'), 'object_not_found');
      assert.deepEqual(
        desk.acts.map(({ noun, key, before, after }) => [noun, key, before === null, after === null]),
        [
          ['legal_basis', '01-qd-vd', true, false],
          ['legal_basis', '01-qd-vd', false, false],
          ['legal_basis', '01-qd-vd', false, false],
          ['legal_basis', '01-qd-vd', false, true],
        ],
      );
    });

    it('keep the order of their clauses, also beyond one statement', async () => {
      const clauses = Array.from({ length: 300 }, (_, i) => ({
        id: `d${(i * 7) % 300}`,
        label: `Điều ${i}`,
        summary: 'x',
      }));
      await create({ ...BASIS, clauses });
      const { body } = await desk.call(admin, 'GET', '/legal-bases/01-qd-vd');
      assert.deepEqual(
        body.clauses.map(({ id }: any) => id),
        clauses.map(({ id }) => id),
      );
      await refused(
        create({ ...BASIS, id: 'more', clauses: [...clauses, { ...clauses[0], id: 'd300' }] }),
        'request_invalid',
      );
    });

    it('are listed by words without accents and by the day in force', async () => {
      await create({ ...BASIS, validTo: '2025-06-30' });
      await create({
        ...BASIS,
        id: '02-nd-vd',
        number: '02/NĐ-VD',
        title: 'Nghị định',
        validFrom: '2025-07-01',
      });
      await create({ ...BASIS, id: '03-luat', number: '03', title: 'Luật', validFrom: null });
      const ids = async (query: string) =>
        (await desk.call(admin, 'GET', `/legal-bases${query}`)).body.items.map(({ id }: any) => id);
      assert.deepEqual(await ids(''), ['01-qd-vd', '02-nd-vd', '03-luat']);
      for (const q of ['quyet dinh', '01/QĐ', '01/qd', '01-qd-vd', 'QUYẾT'])
        assert.deepEqual(await ids(`?q=${encodeURIComponent(q)}`), ['01-qd-vd'], q);
      const days: [string, string[]][] = [
        ['2025-03-10', []],
        ['2025-03-11', ['01-qd-vd']],
        ['2025-06-30', ['01-qd-vd']],
        ['2025-07-01', ['02-nd-vd']],
      ];
      for (const [day, expected] of days) assert.deepEqual(await ids(`?inForceOn=${day}`), expected, day);
      const first = (await desk.call(admin, 'GET', '/legal-bases?limit=2')).body;
      assert.deepEqual(await ids(`?limit=2&cursor=${first.next}`), ['03-luat']);
    });

    it('refuse dates out of order, double clauses and ids that are no slugs', async () => {
      assert.deepEqual(await faultOf(create({ ...BASIS, validTo: '2025-03-10' })), ['/body/validTo order']);
      await create({ ...BASIS, id: 'one-day', validTo: '2025-03-11' });
      const clause = { ...CLAUSES[0], validFrom: '2025-05-02', validTo: '2025-05-01' };
      assert.deepEqual(await faultOf(create({ ...BASIS, clauses: [CLAUSES[1], clause] })), [
        '/body/clauses/1/validTo order',
      ]);
      assert.deepEqual(await faultOf(create({ ...BASIS, clauses: [CLAUSES[0], CLAUSES[0]] })), [
        '/body/clauses/1/id duplicate',
      ]);
      for (const id of ['491/QĐ', 'QD', '-a', 'a-', 'a--b', 'a#b', 'a.b', 'a'.repeat(65), ''])
        await refused(create({ ...BASIS, id }), 'request_invalid');
      for (const id of ['D1', 'd1..2', '#d1', 'd'.repeat(33)])
        await refused(create({ ...BASIS, clauses: [{ ...CLAUSES[0], id }] }), 'request_invalid');
      await refused(create({ ...BASIS, validFrom: '2025-02-30' }), 'request_invalid');
      await refused(create({ ...BASIS, url: 'javascript:alert(1)' }), 'request_invalid');
      await create({ ...BASIS, id: 'a'.repeat(64) });
      await create(BASIS);
      await refused(create(BASIS), 'conflict');
      await refused(patch('none', { note: 'x' }), 'object_not_found');
      await refused(patch('01-qd-vd', { id: 'other' }), 'request_invalid');
      assert.deepEqual(await faultOf(patch('01-qd-vd', { validTo: '2025-01-01' })), ['/body/validTo order']);
    });

    it('are amended and replaced by documents that exist, and never in a circle', async () => {
      assert.deepEqual(await faultOf(create({ ...BASIS, replacedBy: 'none' })), ['/body/replacedBy exists']);
      assert.deepEqual(await faultOf(create({ ...BASIS, amendedBy: 'none' })), ['/body/amendedBy exists']);
      assert.deepEqual(await faultOf(create({ ...BASIS, replacedBy: BASIS.id })), ['/body/replacedBy cycle']);
      await create({ ...BASIS, id: 'c' });
      await create({ ...BASIS, id: 'b', replacedBy: 'c' });
      await create({ ...BASIS, id: 'a', amendedBy: 'b', replacedBy: 'c' });
      assert.deepEqual(await faultOf(patch('c', { replacedBy: 'a' })), ['/body/replacedBy cycle']);
      assert.deepEqual(await faultOf(patch('c', { amendedBy: 'b' })), ['/body/amendedBy cycle']);
      assert.equal((await patch('a', { amendedBy: null })).body.amendedBy, null);
    });

    it('are not removed, nor lose a clause, while something points to them', async () => {
      await create({ ...BASIS, clauses: CLAUSES });
      await create({ ...BASIS, id: '00-qd-vd', replacedBy: '01-qd-vd' });
      const drop = () => desk.call(admin, 'DELETE', '/legal-bases/01-qd-vd');
      const problem = await refused(drop(), 'conflict');
      assert.deepEqual(problem.parts.rule, {
        kind: 'legal_basis',
        id: '01-qd-vd',
        state: 'used',
        usedBy: 'legal_basis',
        key: '00-qd-vd',
        ref: '01-qd-vd',
      });
      await patch('00-qd-vd', { replacedBy: null });
      const day = { kind: 'holiday', name: 'Nghỉ', legalBasis: '01-qd-vd#d3' };
      await desk.call(admin, 'PUT', '/calendar/days/2025-09-02', day);
      assert.equal((await refused(drop(), 'conflict')).parts.rule?.['key'], '2025-09-02');
      await refused(patch('01-qd-vd', { clauses: [CLAUSES[0]] }), 'conflict');
      assert.equal((await patch('01-qd-vd', { clauses: [CLAUSES[1]] })).body.clauses.length, 1);
      await desk.call(admin, 'DELETE', '/calendar/days/2025-09-02');
      await drop();
      await refused(drop(), 'object_not_found');
    });

    it('are read by every role and written by operators and managers alone', async () => {
      await create(BASIS);
      for (const role of ['owner', 'provider', 'consumer', 'auditor'] as const) {
        const other = await desk.system(`a-${role}`, 'H35', [role]);
        assert.equal((await desk.call(other, 'GET', '/legal-bases/01-qd-vd')).status, 200);
        await refused(desk.call(other, 'POST', '/legal-bases', { ...BASIS, id: 'x' }), 'role_required');
        await refused(desk.call(other, 'PATCH', '/legal-bases/01-qd-vd', { note: 'x' }), 'role_required');
        await refused(desk.call(other, 'DELETE', '/legal-bases/01-qd-vd'), 'role_required');
      }
      for (const role of ['operator', 'manager'] as const) {
        const other = await desk.system(`a-${role}`, 'H35', [role]);
        await desk.call(other, 'POST', '/legal-bases', { ...BASIS, id: `by-${role}` });
      }
    });

    it('are shown by their reference, in force from their first to their last day', async () => {
      await create({ ...BASIS, validTo: '2025-12-31', clauses: CLAUSES });
      await create({
        ...BASIS,
        id: 'unknown',
        validFrom: null,
        clauses: [{ ...CLAUSES[0], validFrom: '2025-01-01' }],
      });
      const { knex } = desk.test.database;
      const cases: [ref: string, day: string, inForce: boolean | undefined][] = [
        ['01-qd-vd', '2025-03-10', false],
        ['01-qd-vd', '2025-03-11', true],
        ['01-qd-vd', '2025-12-31', true],
        ['01-qd-vd', '2026-01-01', false],
        ['01-qd-vd#d1.2', '2025-12-31', true],
        ['01-qd-vd#d1.2', '2026-01-01', false],
        ['01-qd-vd#d3', '2025-06-30', true],
        ['01-qd-vd#d3', '2025-07-01', false],
        ['unknown', '2025-08-01', false],
        ['unknown#d1.2', '2025-08-01', false],
        ['01-qd-vd#d9', '2025-08-01', undefined],
        ['01-qd-vd#', '2025-08-01', undefined],
        ['none', '2025-08-01', undefined],
      ];
      for (const [ref, day, inForce] of cases)
        assert.equal((await legalBasisInForce(knex, ref, day))?.inForce, inForce, `${ref} on ${day}`);
      assert.deepEqual(await legalBasisInForce(knex, '01-qd-vd#d3', '2025-04-01'), {
        ref: '01-qd-vd#d3',
        number: '01/QĐ-VD',
        clause: 'Điều 3',
        title: BASIS.title,
        validFrom: '2025-03-11',
        validTo: '2025-06-30',
        inForce: true,
      });
    });
  });
}
