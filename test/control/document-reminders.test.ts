import assert from 'node:assert/strict';
import { callDebts } from '../../gateway/control/documents/reminders.js';
import { engines } from '../kit/databases.js';
import { PAPER } from '../kit/province.js';
import { type Caller, Desk } from './desk.js';

const HOUR = 3_600_000;

for (const engine of engines)
  describe(`documents that are owed, on ${engine.name}`, () => {
    let desk: Desk;
    let admin: Caller;
    let debt: { id: string; dueAt: string };
    beforeEach(async () => {
      desk = await Desk.open(engine);
      admin = await desk.caller('admin');
      await desk.agency('H35.13', 'Sở Y tế');
      await desk.system('khac', 'H35.13', ['consumer']);
      await desk.system('quan-ly', 'H35', ['manager']);
      await desk.call(admin, 'POST', '/systems/khac/lock', { reason: 'Lộ mã bí mật', emergency: true });
      [debt] = (await desk.call(admin, 'GET', '/document-debts?state=open')).body.items;
    });
    afterEach(() => desk.close());

    const look = () => callDebts(desk.context(), desk.now);
    /** On two nodes at once, and once more. */
    const rounds = async () => {
      await Promise.all([look(), look()]);
      await look();
    };
    const told = async (): Promise<string[]> => {
      const rows = await desk.test.database.knex('notices').where({ key: debt.id });
      return rows.map(({ kind, agency, role }: any) => `${kind} ${agency} ${role}`).sort();
    };
    const REMINDED = 'document_due H35 operator';
    const ESCALATED = ['document_overdue H35 manager', 'document_overdue H35 operator'];

    it('are reminded of once, a day before, and told of once when they are late', async () => {
      const due = Date.parse(debt.dueAt);
      for (const [title, now, expected] of [
        ['a moment before the reminder', due - 24 * HOUR - 1, []],
        ['at the reminder', due - 24 * HOUR, [REMINDED]],
        ['at the last moment', due, [REMINDED]],
        ['a moment after', due + 1, [REMINDED, ...ESCALATED]],
        ['a week after', due + 168 * HOUR, [REMINDED, ...ESCALATED]],
      ] as const) {
        desk.now = now;
        await rounds();
        assert.deepEqual(await told(), expected, title);
      }
    });

    it('are told of once after a stop that lasted past the day', async () => {
      desk.now = Date.parse(debt.dueAt) + 72 * HOUR;
      await rounds();
      assert.deepEqual(
        (await told()).filter((line) => line.startsWith('document_overdue')),
        ESCALATED,
      );
    });

    it('are told of no second time by a clock that is set back', async () => {
      for (const hours of [-1, 1, -12, -48, 2]) {
        desk.now = Date.parse(debt.dueAt) + hours * HOUR;
        await rounds();
      }
      assert.deepEqual(await told(), [REMINDED, ...ESCALATED]);
    });

    it('are left alone once they were supplied', async () => {
      await desk.call(admin, 'POST', `/document-debts/${debt.id}/settle`, { document: PAPER });
      desk.now = Date.parse(debt.dueAt) + 1;
      await rounds();
      assert.deepEqual(await told(), []);
    });
  });
