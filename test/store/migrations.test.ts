import assert from 'node:assert/strict';
import { migrationSource } from '../../migrations/index.js';
import { migrate, rollback } from '../../gateway/store/database.js';
import { recordRow } from '../audit/bulk.js';
import { aRecord } from '../audit/records.js';
import { engines } from '../kit/databases.js';

for (const engine of engines) {
  describe(`migrations on ${engine.name}`, () => {
    it('go up, down to nothing, and up again', async () => {
      const test = await engine.create({ migrated: false });
      try {
        const all = (await migrationSource.getMigrations([])).map(({ name }) => name);
        assert.deepEqual(all, [...all].sort(), 'in the order of their numbers');
        assert.deepEqual(await migrate(test.database), all);
        assert.deepEqual(await migrate(test.database), [], 'a second run finds nothing to do');
        await rollback(test.database, true);
        for (const table of ['agencies', 'grants', 'documents'])
          assert.equal(await test.database.knex.schema.hasTable(table), false, table);
        assert.equal((await migrate(test.database)).length, all.length);
      } finally {
        await test.drop();
      }
    });

    it('fill the column of the grant from records that were there before, and guard the log again', async () => {
      const test = await engine.create();
      try {
        const { knex } = test.database;
        const name = '0018-record-search';
        await knex.migrate.down({ name });
        const records = [
          aRecord({ id: 'a', grant: 'pd-2026-0001' }),
          aRecord({ id: 'b', user: '"grant":"pd-2026-0002"' }),
          aRecord({ id: 'c', target: { noun: 'x', key: 'y', after: { grant: 'pd-2026-0003' } } }),
        ];
        for (const [seq, record] of records.entries()) {
          const { grant_no: _, ...row } = recordRow(record, seq) as Record<string, unknown>;
          await knex('records').insert(row);
        }
        await knex.migrate.up({ name });
        const filled = (await knex('records').select('grant_no').orderBy('seq')) as { grant_no: unknown }[];
        assert.deepEqual(
          filled.map(({ grant_no }) => grant_no),
          ['pd-2026-0001', null, null],
        );
        await assert.rejects(async () => await knex('records').update({ grant_no: null }), /append-only/);
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
        await knex('record_subjects').insert({ digest: 'k:citizen:a', received_at: 1, seq: 0 });
        await assert.rejects(async () => await knex('record_subjects').update({ seq: 1 }), /append-only/);
        await assert.rejects(async () => await knex('record_subjects').delete(), /append-only/);
      } finally {
        await test.drop();
      }
    });
  });
}
