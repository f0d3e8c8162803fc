import assert from 'node:assert/strict';
import { changing } from '../../gateway/store/changes.js';
import { deleteLegalBasis, findLegalBasis, replaceLegalBasis } from '../../gateway/store/legal-bases.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { eventually, startTestGateway, type TestGateway } from '../kit/gateway.js';
import { addAgency, addService, addSystem } from '../kit/province.js';
import { type Source, startSource } from '../kit/source.js';

interface Shown {
  readonly ref: string;
  readonly number: string;
  readonly clause: string | null;
  readonly title: string;
}

for (const engine of engines) {
  describe(`what a refusal rests on, on ${engine.name}`, () => {
    let test: TestDatabase;
    let source: Source;
    let gateway: TestGateway;
    let now = Date.parse('2026-02-28T16:59:00Z');

    before(async () => {
      test = await engine.create();
      source = await startSource();
      const { database } = test;
      await addAgency(database, 'H35.11');
      await addAgency(database, 'H35.12');
      await addSystem(database, 'consumer', 'H35.12');
      await addService(database, source.url, {
        slug: 'gui',
        manifest: { secrecyMarks: { request: ['/body/note/doMat'], response: [], values: [] } },
      });
      gateway = await startTestGateway(test, {}, { clock: { now: () => now } });
    });

    after(async () => {
      await gateway.close();
      await source.close();
      await test.drop();
    });

    async function shown(path = '/ok/write'): Promise<Shown[] | undefined> {
      const response = await gateway.call('consumer', `/data/H35.11/gui/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ code: '03532', name: 'x', note: { doMat: 'Mật' } }),
      });
      return ((await response.json()) as { legalBasis?: Shown[] }).legalBasis;
    }
    const refs = async (): Promise<string | undefined> => (await shown())?.map(({ ref }) => ref).join(' ');

    it('is shown with number, clause and title', async () => {
      assert.deepEqual(
        (await shown())?.map(({ ref, number, clause }) => [ref, number, clause]),
        [
          ['luat-bvbmnn', '29/2018/QH14', null],
          ['491-qd-ubnd#d3.7', '491/QĐ-UBND', 'Điều 3 khoản 7'],
        ],
      );
    });

    it('is absent where a refusal rests on nothing in the registry', async () => {
      assert.equal(await shown('/nowhere'), undefined);
    });

    it('follows the law that is in force on the day', async () => {
      now = Date.parse('2026-02-28T17:00:00Z');
      assert.equal(await refs(), 'luat-bvbmnn-2025 491-qd-ubnd#d3.7');
    });

    it('follows the registry, as another node changes it', async () => {
      const other = test.again();
      const basis = (await findLegalBasis(other.knex, '491-qd-ubnd'))?.basis;
      assert.ok(basis !== undefined);
      await changing(other, { noun: 'legal_basis', key: basis.id, at: now }, (trx) =>
        replaceLegalBasis(trx, basis, []),
      );
      await eventually(async () => ((await refs()) === 'luat-bvbmnn-2025' ? true : undefined), 'clause gone');
      await changing(other, { noun: 'legal_basis', key: 'luat-bvbmnn', at: now }, async (trx) => {
        await deleteLegalBasis(trx, 'luat-bvbmnn');
      });
      await changing(other, { noun: 'legal_basis', key: 'luat-bvbmnn-2025', at: now }, async (trx) => {
        await deleteLegalBasis(trx, 'luat-bvbmnn-2025');
      });
      await eventually(async () => ((await shown()) === undefined ? true : undefined), 'nothing is shown');
    });
  });
}
