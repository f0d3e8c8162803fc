import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { bootstrap } from '../../gateway/control/bootstrap.js';
import { engines } from '../kit/databases.js';

const PLATFORM = { agencyCode: 'H35', agencyName: 'Ủy ban nhân dân tỉnh Lai Châu' };
const clock = { now: () => Date.parse('2025-08-01T00:00:00Z') };

for (const engine of engines) {
  describe(`the first start on ${engine.name}`, () => {
    it('makes one agency and one administrator, and says its secret once', async () => {
      const test = await engine.create();
      try {
        const { knex } = test.database;
        const made = await bootstrap(test.database, PLATFORM, clock);
        assert.equal(made?.clientId, 'admin');
        const [system] = await knex('systems');
        assert.deepEqual(
          [system.id, system.agency_code, JSON.parse(system.roles)],
          ['admin', 'H35', ['operator', 'manager']],
        );
        const [credential] = await knex('system_credentials');
        assert.equal(credential.secret_sha256, createHash('sha256').update(made.secret).digest('hex'));
        const agencies = await knex('agencies').select('code', 'name', 'level', 'valid_from');
        assert.deepEqual(agencies, [
          { code: 'H35', name: PLATFORM.agencyName, level: 'province', valid_from: '2000-01-01' },
        ]);
        const changes = (await knex('changes').select('noun', 'key')).map(
          ({ noun, key }) => `${noun} ${key}`,
        );
        assert.deepEqual(changes.sort(), ['agency H35', 'system admin']);
        assert.equal(await bootstrap(test.database, PLATFORM, clock), null);
        assert.equal((await knex('systems')).length, 1);
      } finally {
        await test.drop();
      }
    });

    it('happens once when nodes start together', async () => {
      const test = await engine.create();
      try {
        // Several nodes share a PostgreSQL; SQLite has one process, and its one connection.
        const another = () => (engine.name === 'SQLite' ? test.database : test.again());
        const nodes = [test.database, another(), another()];
        const made = await Promise.all(nodes.map((node) => bootstrap(node, PLATFORM, clock)));
        assert.equal(made.filter((one) => one !== null).length, 1);
        assert.equal((await test.database.knex('system_credentials')).length, 1);
        assert.equal((await test.database.knex('changes')).length, 2);
      } finally {
        await test.drop();
      }
    });
  });
}
