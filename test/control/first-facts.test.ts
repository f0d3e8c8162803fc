import assert from 'node:assert/strict';
import { PROBLEM_LEGAL } from '../../gateway/base/problem-legal.js';
import { addWorkingDays } from '../../gateway/base/working-days.js';
import { fillRegistry } from '../../gateway/control/first-facts/fill.js';
import { FIRST_DAYS } from '../../gateway/control/first-facts/days.js';
import { readCalendar } from '../../gateway/store/calendar.js';
import { findLegalBasis, legalBasisInForce } from '../../gateway/store/legal-bases.js';
import { engines } from '../kit/databases.js';
import { Desk } from './desk.js';

const clock = { now: () => Date.parse('2026-01-05T00:00:00Z') };

for (const engine of engines) {
  describe(`the facts of the first start on ${engine.name}`, () => {
    let desk: Desk;

    beforeEach(async () => {
      desk = await Desk.open(engine);
    });
    afterEach(() => desk.close());

    it('are entered by exactly one of the nodes that start together', async () => {
      const { database } = desk.test;
      // Two connections to SQLite in one thread would wait for each other.
      const other = engine.name === 'SQLite' ? database : desk.test.again();
      await Promise.all([fillRegistry(database, clock), fillRegistry(other, clock)]);
      await fillRegistry(database, clock);
      const { holidays, workdays } = await readCalendar(database.knex);
      assert.deepEqual([holidays.size, workdays.size], [FIRST_DAYS.length, 0]);
      assert.equal((await database.knex('legal_bases')).length, 9);
      assert.equal(addWorkingDays('2026-04-29', 1, { holidays, workdays }), '2026-05-04');
    });

    it('have the dates at which one document gives way to the next', async () => {
      const { knex } = desk.test.database;
      await fillRegistry(desk.test.database, clock);
      const table: [ref: string, day: string, inForce: boolean][] = [
        ['491-qd-ubnd#d2.6', '2025-03-10', false],
        ['491-qd-ubnd#d2.6', '2025-03-11', true],
        ['47-2020-nd-cp', '2020-05-24', false],
        ['47-2020-nd-cp', '2020-05-25', true],
        ['47-2020-nd-cp#d38', '2025-10-21', true],
        ['47-2020-nd-cp#d38', '2025-10-22', false],
        ['278-2025-nd-cp', '2025-10-21', false],
        ['278-2025-nd-cp', '2025-10-22', true],
        ['194-2025-nd-cp', '2025-08-19', true],
        ['luat-bvbmnn', '2020-06-30', false],
        ['luat-bvbmnn', '2026-02-28', true],
        ['luat-bvbmnn', '2026-03-01', false],
        ['luat-bvbmnn-2025', '2026-03-01', true],
        ['20-2020-qd-ttg', '2026-03-01', false],
      ];
      for (const [ref, day, inForce] of table)
        assert.equal((await legalBasisInForce(knex, ref, day))?.inForce, inForce, `${ref} on ${day}`);
    });

    it('hold everything that refusals and days off point to', async () => {
      const { knex } = desk.test.database;
      await fillRegistry(desk.test.database, clock);
      const refs = [
        ...Object.values(PROBLEM_LEGAL).flat(),
        ...FIRST_DAYS.map(({ legal_basis }) => legal_basis),
      ];
      for (const ref of refs)
        assert.ok(ref !== null && (await findLegalBasis(knex, ref)) !== undefined, ref ?? '');
      assert.equal((await findLegalBasis(knex, '491-qd-ubnd#d9.4a'))?.clause?.label, 'Điều 9 khoản 4 điểm a');
    });

    it('pass through the contract of the API as anybody could have entered them', async () => {
      await fillRegistry(desk.test.database, clock);
      const admin = await desk.caller('admin');
      const { items } = (await desk.call(admin, 'GET', '/legal-bases')).body;
      for (const { id } of items) {
        const { ref: _ref, ...found } = (await desk.call(admin, 'GET', `/legal-bases/${id}`)).body;
        const clauses = found.clauses.map(({ id: clause, label, summary, validFrom, validTo }: any) => ({
          id: clause,
          label,
          summary,
          validFrom,
          validTo,
        }));
        const { number, title, issuer, kind, note } = found;
        const body = { number, title, issuer, kind, note, clauses };
        assert.equal((await desk.call(admin, 'PATCH', `/legal-bases/${id}`, body)).status, 200);
      }
    });

    it('never come back once an administrator changed or removed them, nor replace what was there', async () => {
      const { database } = desk.test;
      const admin = await desk.caller('admin');
      const own = { id: '491-qd-ubnd', number: 'x', title: 'Của tỉnh', issuer: 'x', kind: 'khac' };
      await desk.call(admin, 'POST', '/legal-bases', own);
      const day = { kind: 'holiday', name: 'Của tỉnh' };
      await desk.call(admin, 'PUT', '/calendar/days/2026-01-01', day);
      await fillRegistry(database, clock);
      assert.equal((await findLegalBasis(database.knex, '491-qd-ubnd'))?.basis.title, 'Của tỉnh');
      await desk.call(admin, 'DELETE', '/calendar/days/2026-09-02');
      await desk.call(admin, 'DELETE', '/legal-bases/20-2020-qd-ttg');
      await desk.call(admin, 'PATCH', '/legal-bases/278-2025-nd-cp', { title: 'Đã sửa' });
      await fillRegistry(database, clock);
      const names = (await desk.call(admin, 'GET', '/calendar/days?year=2026')).body.items;
      assert.deepEqual(
        names.map(({ day: at, name }: any) => [at, name === 'Của tỉnh']),
        [
          ['2026-01-01', true],
          ['2026-04-30', false],
          ['2026-05-01', false],
        ],
      );
      assert.equal(await findLegalBasis(database.knex, '20-2020-qd-ttg'), undefined);
      assert.equal((await findLegalBasis(database.knex, '278-2025-nd-cp'))?.basis.title, 'Đã sửa');
    });
  });
}
