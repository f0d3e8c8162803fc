import assert from 'node:assert/strict';
import { expireUnused } from '../../gateway/control/sharing/unused.js';
import { engines } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { Province } from './province.js';

/** The term of the requests ends with 30 September in Lai Châu. */
const END = Date.parse('2025-09-30T17:00:00Z');

for (const engine of engines) {
  describe(`requests that come into use too late on ${engine.name}`, function () {
    this.timeout(60_000);
    let province: Province;
    beforeEach(async () => {
      province = await Province.open(engine);
    });
    afterEach(() => province.close());

    const request = (id: string) => province.done('nguoi-lap', 'GET', `/sharing-requests/${id}`);
    const expiries = async () =>
      (await allRecords(province.test.database)).filter(
        ({ operation }) => operation === 'expireSharingRequest',
      );
    const notices = () =>
      province.test.database.knex('notices').where({ kind: 'sharing_request_expire' }).orderBy('agency');

    for (const state of ['preparing', 'testing'])
      it(`expire in ${state} with their last day, once, with a record and a notice to both sides`, async () => {
        const id = await province.reach(state);
        const { database } = province.test;
        const round = () =>
          expireUnused({ database } as unknown as Parameters<typeof expireUnused>[0], province.clock.now());
        province.clock.move(END - 1 - province.clock.now());
        await round();
        assert.equal((await request(id)).state, state, 'its last day is not over');
        province.clock.move(1);
        await eventually(async () => (await request(id)).state === 'expired' || undefined, 'it has expired');
        await round();
        const [record, ...more] = await eventually(async () => {
          const found = await expiries();
          return found.length > 0 ? found : undefined;
        }, 'the record of its end');
        assert.deepEqual(more, []);
        assert.deepEqual(record?.target, {
          ...{ noun: 'sharing_request', key: id, before: { state } },
          after: { state: 'expired', step: 'expire' },
        });
        const told = await notices();
        assert.deepEqual(
          told.map(({ agency, key }: any) => [agency, key]),
          [
            ['H35.12', id],
            ['H35.61', id],
          ],
        );
        const { steps } = await request(id);
        const last = steps.at(-1);
        assert.deepEqual([last.step, last.from, last.to, last.side], ['expire', state, 'expired', 'time']);
        await province.refused(
          'transition_not_allowed',
          'van-hanh',
          'POST',
          `/sharing-requests/${id}/steps`,
          {
            ...{ step: 'activate', reason: 'x' },
          },
        );
        await province.reach('submitted', { until: '2025-12-31' });
      });

    it('leave those alone that are still to be decided', async () => {
      const id = await province.reach('agreed');
      province.clock.move(END - province.clock.now());
      const { database } = province.test;
      await expireUnused({ database } as unknown as Parameters<typeof expireUnused>[0], province.clock.now());
      assert.equal((await request(id)).state, 'agreed');
      assert.deepEqual(await expiries(), []);
    });
  });
}
