import type { Knex } from 'knex';

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

/**
 * Whose data each record concerns, as keyed digests: taken from the leaf when it is written, for the search by a
 * person. Rows are only ever added, like those of the log.
 */
async function createLedger(knex: Knex): Promise<void> {
  const postgres = isPostgres(knex);
  const whole = postgres ? 'bigint' : 'integer';
  // Rows lie in the order of the one search there is; SQLite then needs no second copy of the digest.
  await knex.raw(`CREATE TABLE record_subjects (
    digest ${postgres ? 'varchar(96) COLLATE "C"' : 'varchar(96)'} NOT NULL,
    received_at ${whole} NOT NULL,
    seq ${whole} NOT NULL,
    PRIMARY KEY (digest, seq)
  )${postgres ? '' : ' WITHOUT ROWID'}`);
  await knex.raw('CREATE INDEX record_subjects_seq_index ON record_subjects (seq)');
  if (postgres) {
    await knex.raw(`CREATE TRIGGER record_subjects_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record_subjects
      FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
    return;
  }
  for (const verb of ['UPDATE', 'DELETE'])
    await knex.raw(`CREATE TRIGGER record_subjects_no_${verb.toLowerCase()} BEFORE ${verb} ON record_subjects
      BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
}

export async function up(knex: Knex): Promise<void> {
  await createLedger(knex);
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('record_subjects');
}
