import type { Knex } from 'knex';

const LEAVE_WHEN_SEALED = ['records', 'record_subjects'] as const;
const SEALED_UP_TO = 'SELECT coalesce(max(to_seq), 0) FROM log_segments';

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

async function createSegments(knex: Knex): Promise<void> {
  const whole = isPostgres(knex) ? 'bigint' : 'integer';
  await knex.schema.createTable('log_segments', (t) => {
    // Leaves from_seq up to but not including to_seq: whole tiles, each segment where the one before ended.
    t.specificType('from_seq', whole).notNullable().primary();
    t.bigInteger('to_seq').notNullable().unique();
    // Earliest and latest `received` in it, milliseconds since the epoch.
    t.bigInteger('first_at').notNullable();
    t.bigInteger('last_at').notNullable();
    t.bigInteger('sealed_at').notNullable();
    // The file that describes it: its name, and its SHA-256, hexadecimal.
    t.string('name', 128).notNullable();
    t.string('sha256', 64).notNullable();
  });
  await knex.schema.createTable('log_segment_files', (t) => {
    t.bigInteger('from_seq').notNullable().references('from_seq').inTable('log_segments');
    t.string('class', 16).notNullable();
    t.string('name', 128).notNullable();
    t.bigInteger('records').notNullable();
    t.bigInteger('bytes').notNullable();
    t.string('sha256', 64).notNullable();
    t.boolean('encrypted').notNullable();
    // From then on its records are in the file alone.
    t.bigInteger('rows_removed_at');
    // From then on there is no file either: of its records the tree keeps the hashes.
    t.bigInteger('destroyed_at');
    t.primary(['from_seq', 'class']);
  });
}

/** Rows of the log leave once a segment holds them, and only then; nothing of it is ever changed. */
async function letSealedLeave(knex: Knex): Promise<void> {
  if (isPostgres(knex)) {
    await knex.raw(`CREATE FUNCTION lgsp_sealed_only() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN
        IF OLD.seq >= (${SEALED_UP_TO}) THEN RAISE EXCEPTION 'the log is append-only'; END IF;
        RETURN OLD;
      END $$`);
    for (const table of LEAVE_WHEN_SEALED) {
      await knex.raw(`DROP TRIGGER ${table}_append_only ON ${table}`);
      await knex.raw(`CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
      await knex.raw(`CREATE TRIGGER ${table}_no_delete BEFORE DELETE ON ${table}
        FOR EACH ROW EXECUTE FUNCTION lgsp_sealed_only()`);
    }
    await knex.raw(`CREATE TRIGGER log_segments_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON log_segments
      FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
    await knex.raw(`CREATE TRIGGER log_segment_files_no_delete BEFORE DELETE OR TRUNCATE ON log_segment_files
      FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
    return;
  }
  for (const table of LEAVE_WHEN_SEALED) {
    await knex.raw(`DROP TRIGGER ${table}_no_delete`);
    await knex.raw(`CREATE TRIGGER ${table}_no_delete BEFORE DELETE ON ${table} WHEN OLD.seq >= (${SEALED_UP_TO})
      BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
  }
  for (const [table, verb] of [
    ['log_segments', 'UPDATE'],
    ['log_segments', 'DELETE'],
    ['log_segment_files', 'DELETE'],
  ] as const)
    await knex.raw(`CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
      BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
}

/** Where the oldest part of the log has gone, and whose turn it is to take more of it there. */
export async function up(knex: Knex): Promise<void> {
  await createSegments(knex);
  await letSealedLeave(knex);
  await knex.schema.createTable('turns', (t) => {
    t.string('name', 32).primary();
    t.bigInteger('next_at').notNullable().defaultTo(0);
    t.string('leased_by', 64);
    t.bigInteger('lease_until');
  });
}

/** Takes back the tables; records that left for a file stay there. */
export async function down(knex: Knex): Promise<void> {
  if ((await knex<{ name: string }>('log_segments').first('name')) !== undefined)
    throw new Error('part of the log is in sealed segments: it cannot do without them');
  await knex.schema.dropTable('turns');
  if (isPostgres(knex)) {
    for (const table of LEAVE_WHEN_SEALED) {
      await knex.raw(`DROP TRIGGER ${table}_no_delete ON ${table}`);
      await knex.raw(`DROP TRIGGER ${table}_append_only ON ${table}`);
      await knex.raw(`CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
    }
    await knex.raw('DROP FUNCTION lgsp_sealed_only()');
  } else
    for (const table of LEAVE_WHEN_SEALED) {
      await knex.raw(`DROP TRIGGER ${table}_no_delete`);
      await knex.raw(`CREATE TRIGGER ${table}_no_delete BEFORE DELETE ON ${table}
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
    }
  await knex.schema.dropTable('log_segment_files');
  await knex.schema.dropTable('log_segments');
}
