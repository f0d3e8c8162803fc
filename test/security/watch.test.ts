import assert from 'node:assert/strict';
import type { AuditRecord, Recorder } from '../../gateway/audit/record.js';
import { writeOwed } from '../../gateway/audit/owed.js';
import { loadConfig } from '../../gateway/base/config.js';
import { uuidv7 } from '../../gateway/base/ids.js';
import { watchRecord } from '../../gateway/security/watch.js';
import type { Database } from '../../gateway/store/database.js';
import { startLog } from '../audit/log.js';
import { aRecord } from '../audit/records.js';
import { Desk, type Caller } from '../control/desk.js';
import { engines } from '../kit/databases.js';
import { allRecords } from '../kit/gateway.js';

const HOUR = 3_600_000;
const WEEK = 168 * HOUR;
const NOON = Date.parse('2025-08-01T12:00:00+07:00');

for (const engine of engines) {
  describe(`watching the record, ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    let log: Recorder;
    const watch = (database: Database = desk.test.database): Promise<void> =>
      watchRecord({
        database,
        clock: { now: () => desk.now },
        config: loadConfig({ security: { guessing: { count: 3 } } }),
      });
    const write = async (count: number, change: Partial<AuditRecord>, at = NOON): Promise<void> => {
      const one = () => aRecord({ id: uuidv7(at), received: new Date(at).toISOString(), ...change });
      await Promise.all(Array.from({ length: count }, () => log.write(one())));
    };
    const events = async (query = ''): Promise<any[]> =>
      (await desk.call(admin, 'GET', `/security-events${query}`)).body.items;
    const guess = {
      outcome: 'refused',
      code: 'token_invalid',
      reason: 'signature',
      address: '203.0.113.7',
    } as const;

    beforeEach(async () => {
      desk = await Desk.open(engine);
      desk.now = NOON;
      admin = await desk.caller('admin');
      log = await startLog(desk.test.database);
    });
    afterEach(async () => {
      await log.close();
      await desk.close();
    });

    it('says nothing below the threshold, and once at it, over restarts and nodes', async () => {
      await write(2, guess);
      await watch();
      assert.deepEqual(await events(), []);
      await write(1, guess);
      // SQLite is for one node.
      const other = engine.name === 'SQLite' ? desk.test.database : desk.test.again();
      await Promise.all([watch(), watch(other)]);
      await write(5, guess);
      await watch();
      const found = await events();
      assert.deepEqual(
        found.map(({ kind, severity, subject, count, threshold }) => [
          kind,
          severity,
          subject,
          count,
          threshold,
        ]),
        [['guessing', 'high', 'address:203.0.113.7', 3, 3]],
      );
      await writeOwed(desk.test.database, log);
      await writeOwed(desk.test.database, log);
      const records = (await allRecords(desk.test.database)).filter(
        ({ target }) => target?.noun === 'security_event',
      );
      assert.deepEqual(
        records.map(({ id, target }) => [id, target?.key]),
        [[found[0].id, found[0].id]],
      );
      const notices = await desk.test.database.knex('notices').where({ kind: 'security_event' });
      assert.deepEqual(
        notices.map(({ agency, role }) => [agency, role]),
        [['H35', 'operator']],
      );
    });

    it('comes again when it goes on after a while', async () => {
      await write(3, guess);
      await watch();
      await write(3, guess, NOON + 2 * HOUR);
      await watch();
      assert.equal((await events('?kind=guessing')).length, 2);
      assert.equal((await events('?kind=guessing&limit=1')).length, 1);
      assert.equal((await events('?kind=foreign_token')).length, 0);
      assert.equal((await events(`?to=${encodeURIComponent('2025-08-01T06:00:00Z')}`)).length, 1);
    });

    it('holds an hour against the same hours of the weeks before', async () => {
      for (const week of [1, 2, 3]) await write(150, { system: 'nhieu' }, NOON - week * WEEK);
      await write(749, { system: 'nhieu' });
      await write(749, { system: 'moi' });
      await watch();
      assert.deepEqual(await events(), []);
      await write(1, { system: 'nhieu' });
      await watch();
      assert.deepEqual(
        (await events()).map(({ kind, subject, count, threshold }) => [kind, subject, count, threshold]),
        [['unusual_volume', 'system:nhieu', 750, 750]],
      );
    });

    it('knows the hours that a system declares', async () => {
      await desk.system('mot-cua', 'H35', ['consumer']);
      const hours = { days: [1, 2, 3, 4, 5], from: '07:00', to: '18:00' };
      const { body } = await desk.call(admin, 'PATCH', '/systems/mot-cua', { hours });
      assert.deepEqual(body.hours, hours);
      await write(5, { system: 'mot-cua' });
      await watch();
      assert.deepEqual(await events(), []);
      await write(2, { system: 'mot-cua' }, NOON + 10 * HOUR);
      await watch();
      assert.deepEqual(
        (await events()).map(({ kind, subject, count }) => [kind, subject, count]),
        [['outside_hours', 'system:mot-cua', 2]],
      );
      assert.equal((await desk.call(admin, 'PATCH', '/systems/mot-cua', { hours: null })).body.hours, null);
    });
  });
}
