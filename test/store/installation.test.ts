import assert from 'node:assert/strict';
import { findInstallationValue, keepInstallationValue } from '../../gateway/store/installation.js';
import { engines, type TestDatabase } from '../kit/databases.js';

for (const engine of engines) {
  describe(`installation on ${engine.name}`, () => {
    let test: TestDatabase;
    before(async () => {
      test = await engine.create();
    });
    after(() => test.drop());

    it('knows nothing at first', async () => {
      assert.equal(await findInstallationValue(test.database.knex, 'x'), undefined);
    });

    it('keeps the first value, whoever writes next', async () => {
      const { knex } = test.database;
      assert.equal(await keepInstallationValue(knex, 'x', 'first'), 'first');
      assert.equal(await keepInstallationValue(test.again().knex, 'x', 'second'), 'first');
      assert.equal(await findInstallationValue(knex, 'x'), 'first');
    });

    it('tells all of many writers the same value', async () => {
      const other = test.again().knex;
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          keepInstallationValue(i % 2 === 0 ? test.database.knex : other, 'race', `value ${i}`),
        ),
      );
      assert.equal(new Set(answers).size, 1);
    });
  });
}
