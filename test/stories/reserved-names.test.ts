import assert from 'node:assert/strict';
import { loadConfig } from '../../gateway/base/config.js';
import { insertPerson } from '../../gateway/store/people.js';
import { engines, type TestDatabase } from '../kit/databases.js';
import { startTestGateway } from '../kit/gateway.js';
import { addAgency, addSystem } from '../kit/province.js';

const application = (id: string) => ({ id, name: 'Ứng dụng', redirectUris: ['https://ung-dung.example/ve'] });

for (const engine of engines) {
  describe(`names of applications on ${engine.name}`, () => {
    let test: TestDatabase;
    beforeEach(async () => {
      test = await engine.create();
      await addAgency(test.database, 'H35.90');
      await addSystem(test.database, 'mot-cua', 'H35.90');
      await insertPerson(test.database.knex, {
        ...{ id: 'le-thi-mau', agency_code: 'H35.90', name: 'Lê Thị Mẫu', email: null, roles: '[]' },
        ...{ state: 'active', state_since: 0, state_reason: null, state_document: null },
        ...{ valid_from: '2020-01-01', valid_to: null, created_at: 0, updated_at: 0 },
      });
    });
    afterEach(() => test.drop());

    for (const id of ['mot-cua', 'le-thi-mau'])
      it(`are not those of somebody who is there already: ${id}`, async () => {
        const start = startTestGateway(test, { people: { clients: [application(id)] } });
        await assert.rejects(start, { name: 'ConfigError', message: new RegExp(`called ${id} already`) });
      });

    it('may be new ones', async () => {
      const gateway = await startTestGateway(test, { people: { clients: [application('khai-thac')] } });
      await gateway.close();
    });
  });
}

describe('applications in which people sign in', () => {
  for (const ids of [['console'], ['a', 'a']])
    it(`are refused when they are called ${ids.join(' and ')}`, () => {
      assert.throws(() => loadConfig({ people: { clients: ids.map(application) } }), { name: 'ConfigError' });
    });
});
