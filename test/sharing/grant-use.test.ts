import assert from 'node:assert/strict';
import { engines } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { Province } from './province.js';

const DAY = 86_400_000;
const GRANT = 'cp-2025-0001';
const CONTENT = {
  fields: { traCuu: ['/tong', '/duLieu/*/ma', '/duLieu/*/ten'] },
  ...{ perDay: 20, perMinute: null, until: '2027-07-31' },
};

for (const engine of engines) {
  describe(`grants against their use on ${engine.name}`, function () {
    this.timeout(120_000);
    let province: Province;
    const open = async (grantReview: object): Promise<void> => {
      province = await Province.open(engine, { grantReview });
      await province.reach('active', CONTENT);
    };
    afterEach(() => province.close());

    const lists = async (client = 'quan-ly') => {
      const of = async (state: string) =>
        (await province.done(client, 'GET', `/grants/use?state=${state}`)).items;
      return { dormant: await of('dormant'), broad: await of('over-broad') };
    };
    const reviews = async (): Promise<any[]> =>
      (await province.done('kiem-tra', 'GET', '/grant-reviews')).items;
    const inState = (state: string): Promise<any> =>
      eventually(async () => (await reviews()).find((one) => one.state === state), state);
    const answer = (client: string, id: string, step: string) =>
      province.api(client, 'POST', `/grant-reviews/${id}/steps`, { step, reason: 'Vẫn cần để đối chiếu' });

    it('say exactly what is not needed: two of three fields, and nine tenths of the quota', async () => {
      await open({ askDormant: false, everyMonths: 0 });
      province.source.answer.body = '{"tong":0,"duLieu":[]}';
      assert.deepEqual(await lists(), { dormant: [], broad: [] }, 'too young to be judged');
      province.clock.move(91 * DAY);
      assert.deepEqual(
        (await lists()).dormant.map((one: any) => one.grant),
        [GRANT],
      );
      assert.deepEqual([await province.code(), await province.code()], ['answered', 'answered']);
      const { dormant, broad } = await lists();
      assert.deepEqual([dormant, broad.length], [[], 1]);
      const day = '2025-10-31';
      const quota = { day, calls: 2, approved: 20, percent: 10 };
      assert.deepEqual(broad[0].spare, {
        operations: [],
        fields: { traCuu: ['/duLieu/*/ma', '/duLieu/*/ten'] },
        quota,
      });
      const use = await province.done('nguoi-lap', 'GET', `/grants/${GRANT}/use`);
      assert.deepEqual(use.calls, { total: 2, answered: 2, refused: 0, failed: 0, aborted: 0 });
      assert.deepEqual([use.quotaPeak, use.last30Days.total, use.dormant], [quota, 2, false]);
      assert.deepEqual(use.operations[0].disclosedFields, ['/tong']);
      for (const client of ['cung-cap', 'nguoi-lap', 'kiem-tra'])
        assert.equal((await lists(client)).broad.length, 1, client);
      assert.equal((await lists('ke-la')).broad.length, 0);
      await province.refused('object_not_found', 'ke-la', 'GET', `/grants/${GRANT}/use`);
    });

    it('that nobody uses are asked about, and lapse when nobody answers: each once', async () => {
      await open({ everyMonths: 0, lapse: true });
      province.clock.move(91 * DAY);
      const { id, cause, grant } = await inState('asked');
      assert.deepEqual([cause, grant], ['dormant', GRANT]);
      province.clock.move(40 * DAY);
      await inState('lapsed');
      assert.equal(await province.code(), 'grant_not_active');
      const acts = (await allRecords(province.test.database)).map(({ operation }) => operation);
      for (const [operation, times] of [
        ['askGrantReview', 1],
        ['lapseGrant', 1],
        ['lapseSharingRequest', 1],
      ] as const)
        await eventually(
          async () =>
            (await allRecords(province.test.database)).filter((one) => one.operation === operation).length ===
              times || undefined,
          `${operation} of ${acts.length} records`,
        );
      assert.equal((await reviews()).length, 1);
      const told = await province.done('nguoi-lap', 'GET', `/notices?noun=grant_review&key=${id}`);
      assert.deepEqual(told.items.map((one: any) => one.kind).sort(), ['grant_lapsed', 'grant_review_asked']);
      assert.match((await province.done('cung-cap', 'GET', `/grants/${GRANT}`)).reason, /Quá hạn xác nhận/);
    });

    it('stay when their consumer confirms them and their provider agrees, and are left alone for as long', async () => {
      await open({ everyMonths: 0, lapse: true });
      province.clock.move(91 * DAY);
      const { id } = await inState('asked');
      assert.equal((await answer('cung-cap', id, 'agree')).body.code, 'transition_not_allowed');
      assert.equal((await answer('cung-cap', id, 'confirm')).body.code, 'role_required');
      assert.equal((await answer('ke-la', id, 'confirm')).body.code, 'object_not_found');
      assert.equal((await answer('nguoi-lap', id, 'confirm')).body.state, 'confirmed');
      assert.equal((await answer('nguoi-lap', id, 'confirm')).body.code, 'transition_not_allowed');
      province.clock.move(40 * DAY);
      await eventually(
        async () =>
          (await province.done('quan-ly', 'GET', '/notices?kind=grant_review_overdue')).items.length ||
          undefined,
        'the manager is told that the provider is late',
      );
      assert.equal((await answer('cung-cap', id, 'agree')).body.state, 'agreed');
      assert.equal(await province.code(), 'answered', 'a silent provider ended nothing');
      province.clock.move(80 * DAY);
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal((await reviews()).length, 1);
    });

    it('are only told of as late where nothing is to lapse, and asked about once a year', async () => {
      await open({ askDormant: false, everyMonths: 12 });
      province.clock.move(364 * DAY);
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.deepEqual(await reviews(), []);
      province.clock.move(2 * DAY);
      assert.equal((await inState('asked')).cause, 'periodic');
      province.clock.move(40 * DAY);
      await eventually(async () => (await reviews()).find((one) => one.overdue), 'overdue');
      assert.equal(await province.code(), 'answered');
    });
  });
}
