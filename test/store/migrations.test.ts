import assert from 'node:assert/strict';
import { migrate, rollback } from '../../gateway/store/database.js';
import { engines } from '../kit/databases.js';

for (const engine of engines) {
  describe(`migrations on ${engine.name}`, () => {
    it('go up, down to nothing, and up again', async () => {
      const test = await engine.create({ migrated: false });
      try {
        assert.deepEqual(await migrate(test.database), [
          '0001-catalogue',
          '0002-identity',
          '0003-record',
          '0012-four-eyes',
        ]);
        assert.deepEqual(await migrate(test.database), [], 'a second run finds nothing to do');
        await rollback(test.database, true);
        assert.equal(await test.database.knex.schema.hasTable('agencies'), false);
        assert.equal((await migrate(test.database)).length, 4);
      } finally {
        await test.drop();
      }
    });

    it('make the log append-only in the database itself', async () => {
      const test = await engine.create();
      try {
        const { knex } = test.database;
        await knex('log_tiles').insert({
          level: 0,
          tile_index: 0,
          hashes: Buffer.alloc(1),
          root: Buffer.alloc(1),
        });
        await assert.rejects(async () => await knex('log_tiles').update({ level: 1 }), /append-only/);
        await assert.rejects(async () => await knex('log_tiles').delete(), /append-only/);
        assert.equal((await knex('log_tiles')).length, 1);
      } finally {
        await test.drop();
      }
    });
  });
}
