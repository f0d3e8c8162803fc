import assert from 'node:assert/strict';
import { dueAt } from '../../gateway/base/working-days.js';
import { readCalendar } from '../../gateway/store/calendar.js';
import { engines } from '../kit/databases.js';
import { type Caller, Desk, refused } from './desk.js';

const OFF = { kind: 'holiday', name: 'Quốc khánh' };
const SWAP = { kind: 'workday', name: 'Làm bù (giả định)' };

for (const engine of engines) {
  describe(`the working-day calendar on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;

    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
    });
    afterEach(() => desk.close());

    const put = (day: string, body: object) => desk.call(admin, 'PUT', `/calendar/days/${day}`, body);
    const due = async (from: string, days: number) =>
      (await desk.call(admin, 'GET', `/calendar/due?from=${from}&days=${days}`)).body;

    it('takes days off and swap days, replaces and removes them, and records each act', async () => {
      const made = (await put('2025-09-02', OFF)).body;
      desk.now += 1000;
      const again = (await put('2025-09-02', { ...OFF, name: '  Quốc khánh 2/9 ' })).body;
      assert.deepEqual([again.name, again.createdAt], ['Quốc khánh 2/9', made.createdAt]);
      assert.notEqual(again.updatedAt, made.updatedAt);
      await put('2025-09-06', SWAP);
      const calendar = await readCalendar(desk.test.database.knex);
      assert.deepEqual([[...calendar.holidays], [...calendar.workdays]], [['2025-09-02'], ['2025-09-06']]);
      assert.equal((await desk.call(admin, 'DELETE', '/calendar/days/2025-09-06')).status, 204);
      await refused(desk.call(admin, 'DELETE', '/calendar/days/2025-09-06'), 'object_not_found');
      assert.deepEqual(
        desk.acts.map(({ noun, key, before, after }) => [noun, key, before === null, after === null]),
        [
          ['calendar_day', '2025-09-02', true, false],
          ['calendar_day', '2025-09-02', false, false],
          ['calendar_day', '2025-09-06', true, false],
          ['calendar_day', '2025-09-06', false, true],
        ],
      );
    });

    it('is listed by year, in pages', async () => {
      for (const day of ['2024-12-31', '2025-01-01', '2025-12-31', '2026-01-01']) await put(day, OFF);
      const listed = async (query: string) => (await desk.call(admin, 'GET', `/calendar/days${query}`)).body;
      const days = async (query: string) => (await listed(query)).items.map(({ day }: any) => day);
      assert.deepEqual(await days('?year=2025'), ['2025-01-01', '2025-12-31']);
      assert.equal((await days('')).length, 4);
      const { next } = await listed('?limit=3');
      assert.deepEqual(await days(`?limit=3&cursor=${next}`), ['2026-01-01']);
      await refused(desk.call(admin, 'GET', '/calendar/days?year=1999'), 'request_invalid');
    });

    it('takes only a Saturday or Sunday as a swap day, only real days, and only known legal bases', async () => {
      for (const day of ['2025-09-01', '2025-09-05']) {
        const problem = await refused(put(day, SWAP), 'request_invalid');
        assert.equal(problem.parts.errors?.[0]?.keyword, 'weekend');
      }
      for (const day of ['2025-09-06', '2025-09-07']) await put(day, SWAP);
      for (const day of ['2025-02-29', '1999-12-31', '2100-01-01', 'today'])
        await refused(put(day, OFF), 'request_invalid');
      await refused(put('2025-09-02', { kind: 'half', name: 'x' }), 'request_invalid');
      await refused(put('2025-09-02', { kind: 'holiday', name: ' ' }), 'request_invalid');
      const problem = await refused(put('2025-09-02', { ...OFF, legalBasis: 'none#d1' }), 'request_invalid');
      assert.equal(problem.parts.errors?.[0]?.pointer, '/body/legalBasis');
    });

    it('counts a term and says what was skipped, why and on which basis', async () => {
      const basis = { id: 'nghi-le', number: '01', title: 'x', issuer: 'x', kind: 'khac' };
      await desk.call(admin, 'POST', '/legal-bases', basis);
      await put('2025-09-02', { ...OFF, legalBasis: 'nghi-le' });
      await put('2025-09-06', SWAP);
      assert.deepEqual(await due('2025-08-29', 5), {
        from: '2025-08-29',
        days: 5,
        lastDay: '2025-09-06',
        dueAt: '2025-09-06T16:59:59.999Z',
        skipped: [
          { day: '2025-08-30', reason: 'weekend', name: null, legalBasis: null },
          { day: '2025-08-31', reason: 'weekend', name: null, legalBasis: null },
          { day: '2025-09-02', reason: 'holiday', name: 'Quốc khánh', legalBasis: 'nghi-le' },
        ],
        yearsWithoutDays: [],
      });
      assert.deepEqual((await due('2025-12-31', 1)).yearsWithoutDays, [2026]);
      assert.equal((await due('2025-08-30', 0)).lastDay, '2025-08-30');
      assert.equal((await due('2099-12-31', 366)).lastDay > '2101', true);
      for (const query of [
        'from=2025-08-29',
        'from=2025-08-29&days=-1',
        'from=2025-08-29&days=367',
        'from=9999-12-31&days=1',
      ])
        await refused(desk.call(admin, 'GET', `/calendar/due?${query}`), 'request_invalid');
    });

    it('does not move a deadline that was computed before', async () => {
      const { knex } = desk.test.database;
      const stored = dueAt(desk.now, 2, await readCalendar(knex));
      assert.equal(new Date(stored).toISOString(), '2025-08-05T16:59:59.999Z');
      await put('2025-08-05', { kind: 'holiday', name: 'Nghỉ đột xuất (giả định)' });
      assert.equal((await due('2025-08-01', 2)).lastDay, '2025-08-06', 'only what is counted from now on');
      assert.equal(new Date(stored).toISOString(), '2025-08-05T16:59:59.999Z');
    });

    it('is read by every role and written by operators and managers alone', async () => {
      for (const role of ['owner', 'provider', 'consumer', 'auditor'] as const) {
        const other = await desk.system(`a-${role}`, 'H35', [role]);
        await desk.call(other, 'GET', '/calendar/days');
        await desk.call(other, 'GET', '/calendar/due?from=2025-08-01&days=1');
        await refused(desk.call(other, 'PUT', '/calendar/days/2025-09-02', OFF), 'role_required');
        await refused(desk.call(other, 'DELETE', '/calendar/days/2025-09-02'), 'role_required');
      }
      for (const role of ['operator', 'manager'] as const) {
        const other = await desk.system(`a-${role}`, 'H35', [role]);
        await desk.call(other, 'PUT', '/calendar/days/2025-09-02', OFF);
      }
    });
  });
}
