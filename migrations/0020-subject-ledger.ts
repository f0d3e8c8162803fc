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

/** Grants held against their use: what was called under each on which day, and which are to be confirmed. */
async function createReviews(knex: Knex): Promise<void> {
  await knex.schema.createTable('grant_use', (t) => {
    t.string('grant_id', 32).notNullable();
    // Calendar day (yyyy-MM-dd) in Asia/Ho_Chi_Minh.
    t.string('day', 10).notNullable();
    t.string('operation', 128).notNullable();
    for (const outcome of ['answered', 'refused', 'failed', 'aborted']) t.bigInteger(outcome).notNullable();
    t.bigInteger('last_at').notNullable();
    // JSON array of the fields that left; null where all did at least once.
    t.text('fields');
    t.primary(['grant_id', 'day', 'operation']);
  });
  await knex('progress').insert({ name: 'grant-use', value: -1 });
  await knex.schema.createTable('grant_reviews', (t) => {
    t.string('id', 32).primary();
    t.string('grant_id', 32).notNullable().references('id').inTable('grants');
    t.string('consumer', 35).notNullable();
    t.string('provider', 35).notNullable();
    t.string('cause', 16).notNullable();
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.bigInteger('opened_at').notNullable();
    t.bigInteger('due_at');
    t.bigInteger('reminded_at');
    t.bigInteger('overdue_told_at');
    t.text('reason');
    t.string('confirmed_by', 64);
    t.text('answer');
    t.string('answered_by', 64);
    t.bigInteger('ended_at');
    t.index(['grant_id', 'opened_at']);
    t.index(['consumer']);
    t.index(['provider']);
  });
  // One open review a grant, whoever asks.
  await knex.raw('CREATE UNIQUE INDEX grant_reviews_open ON grant_reviews (grant_id) WHERE ended_at IS NULL');
}

export async function up(knex: Knex): Promise<void> {
  await createLedger(knex);
  await createReviews(knex);
}

export async function down(knex: Knex): Promise<void> {
  await knex('progress').where({ name: 'grant-use' }).delete();
  for (const table of ['grant_reviews', 'grant_use', 'record_subjects'])
    await knex.schema.dropTableIfExists(table);
}
