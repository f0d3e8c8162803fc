import assert from 'node:assert/strict';
import { warnOfEndings } from '../../gateway/control/expiring.js';
import { engines } from '../kit/databases.js';
import { PAPER } from '../kit/province.js';
import { type Caller, Desk } from './desk.js';

const DAY = 86_400_000;

for (const engine of engines) {
  describe(`warnings of what ends, on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
      await desk.agency('H35.61', 'Xã Pu Sam Cáp', 'commune');
      await desk.system('mot-cua', 'H35.61', ['consumer']);
    });
    afterEach(() => desk.close());

    const look = () => warnOfEndings(desk.context(), desk.now);
    /** Warnings alone: that an account was made is told too. */
    const notices = async () =>
      (
        await desk.test.database
          .knex('notices')
          .whereLike('kind', '%_ending')
          .orderBy(['id', 'agency'])
          .select('agency', 'kind', 'key')
      ).map((row: { agency: string; kind: string; key: string }) => `${row.agency} ${row.kind} ${row.key}`);
    const endsIn = (days: number) =>
      desk.test.database
        .knex('system_credentials')
        .where({ system_id: 'mot-cua' })
        .update({ expires_at: desk.now + days * DAY });

    it('come 30, 7 and 1 days before, once each, to the agency and the operators', async () => {
      await endsIn(31);
      await look();
      assert.deepEqual(await notices(), []);
      for (const passed of [1, 10, 13, 1, 5, 0.5]) {
        desk.now += passed * DAY;
        await look();
        await Promise.all([look(), look()]);
      }
      const told = await notices();
      assert.equal(told.length, 6, told.join('\n'));
      assert.deepEqual([...new Set(told)].sort(), [
        'H35 access_ending mot-cua',
        'H35.61 access_ending mot-cua',
      ]);
      desk.now += DAY;
      await look();
      assert.equal((await notices()).length, 6, 'nothing more once it has ended');
    });

    it('come once after a long stop, for the nearest distance', async () => {
      await endsIn(0.5);
      await look();
      await look();
      assert.equal((await notices()).length, 2);
    });

    it('stay away from what was revoked, and come anew for another end', async () => {
      await endsIn(5);
      await desk.test.database
        .knex('system_credentials')
        .where({ system_id: 'mot-cua' })
        .update({ revoked_at: 1 });
      await look();
      assert.deepEqual(await notices(), []);
      await desk.test.database
        .knex('system_credentials')
        .where({ system_id: 'mot-cua' })
        .update({ revoked_at: null });
      await look();
      await endsIn(6);
      await look();
      assert.equal((await notices()).length, 4);
    });

    it('come for accounts of systems and people, and stop with an extension', async () => {
      await desk.test.database.knex('systems').where({ id: 'mot-cua' }).update({ valid_to: '2025-08-05' });
      await desk.call(admin, 'POST', '/people', {
        ...{ id: 'le.thi.mau', agency: 'H35.61', name: 'Lê Thị Mẫu', roles: ['consumer'] },
        ...{ validTo: '2025-08-20', document: PAPER },
      });
      await look();
      const found = (await notices()).sort();
      assert.deepEqual(found, [
        'H35 access_ending mot-cua',
        'H35 account_ending le.thi.mau',
        'H35.61 access_ending mot-cua',
        'H35.61 account_ending le.thi.mau',
      ]);
      await desk.call(admin, 'POST', '/people/le.thi.mau/extend', {
        ...{ validTo: '2026-08-20', reason: 'Gia hạn', document: PAPER },
      });
      desk.now += 15 * DAY;
      await look();
      assert.equal(
        (await notices()).length,
        4,
        'the account of the system is over, that of the person goes on',
      );
    });

    it('can be looked up', async () => {
      const ids = async (days: number) =>
        (await desk.call(admin, 'GET', `/systems?endingWithin=${days}`)).body.items.map(
          ({ id }: { id: string }) => id,
        );
      await endsIn(10);
      assert.deepEqual(await ids(9), []);
      assert.deepEqual(await ids(11), ['mot-cua']);
      await desk.test.database.knex('systems').where({ id: 'admin' }).update({ valid_to: '2025-08-03' });
      assert.deepEqual(await ids(2), ['admin']);
    });
  });
}
