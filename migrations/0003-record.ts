import type { Knex } from 'knex';

const RECORD_TABLES = ['records', 'log_tiles', 'log_checkpoints'] as const;

async function forbidChange(knex: Knex): Promise<void> {
  if (knex.client.config.client === 'pg') {
    await knex.raw(`CREATE FUNCTION lgsp_append_only() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$`);
    for (const table of RECORD_TABLES) {
      await knex.raw(`CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
    }
    return;
  }
  for (const table of RECORD_TABLES) {
    for (const verb of ['UPDATE', 'DELETE']) {
      await knex.raw(`CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
    }
  }
}

/**
 * The log: its leaves (with the columns that searches need), the full tiles of its Merkle tree, and its signed
 * heads. Rows are only ever added; the database itself refuses anything else.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('records', (t) => {
    t.bigInteger('seq').primary();
    t.string('id', 36).notNullable().unique();
    t.text('leaf').notNullable();
    t.binary('leaf_hash').notNullable();
    t.bigInteger('received_at').notNullable();
    t.string('kind', 8).notNullable();
    t.string('plane', 8).notNullable();
    t.string('agency', 35);
    t.string('system', 64);
    t.string('user', 128);
    t.string('case_no', 128);
    t.string('provider', 35);
    t.string('service', 64);
    t.string('version', 16);
    t.string('operation', 128);
    t.string('outcome', 8);
    t.string('code', 32);
    t.integer('status');
    t.string('trace', 32);
    t.string('opening', 36);
    t.string('noun', 32);
    t.string('target_key', 160);
    t.index(['received_at']);
    t.index(['agency', 'seq']);
    t.index(['system', 'seq']);
    t.index(['provider', 'service', 'seq']);
    t.index(['opening']);
    t.index(['case_no']);
    t.index(['trace']);
  });
  await knex.schema.createTable('log_tiles', (t) => {
    // Full tiles only: 256 hashes of 32 bytes at (level, index); `root` is the hash of the subtree they span.
    t.integer('level').notNullable();
    t.bigInteger('tile_index').notNullable();
    t.binary('hashes').notNullable();
    t.binary('root').notNullable();
    t.primary(['level', 'tile_index']);
  });
  await knex.schema.createTable('log_checkpoints', (t) => {
    t.bigInteger('tree_size').primary();
    t.binary('root_hash').notNullable();
    t.bigInteger('at').notNullable();
    // C2SP signed note over the tlog-checkpoint
    t.text('note').notNullable();
  });
  await forbidChange(knex);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of RECORD_TABLES) await knex.schema.dropTableIfExists(table);
  if (knex.client.config.client === 'pg') await knex.raw('DROP FUNCTION IF EXISTS lgsp_append_only()');
}
