import type { Knex } from 'knex';

/** People who sign in, what proves them, and which of their sessions were ended. Times are milliseconds since the epoch, UTC. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('people', (t) => {
    t.string('id', 64).primary();
    t.string('agency_code', 35).notNullable().references('code').inTable('agencies');
    t.string('name', 255).notNullable();
    t.text('search');
    t.string('email', 254);
    t.text('roles').notNullable();
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.text('state_reason');
    t.string('state_document', 64);
    // Calendar dates (yyyy-MM-dd) in Asia/Ho_Chi_Minh, both inclusive: a secondment ends by itself.
    t.string('valid_from', 10).notNullable();
    t.string('valid_to', 10);
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['agency_code']);
  });
  await knex.schema.createTable('person_proofs', (t) => {
    t.string('person_id', 64).primary().references('id').inTable('people');
    // Argon2id; the older ones are kept so that they are not chosen again.
    t.text('password_hash');
    t.text('password_history').notNullable();
    t.bigInteger('password_at');
    // A temporary password works until then and must be changed; null for one that its owner chose.
    t.bigInteger('temporary_until');
    t.text('totp_sealed');
    // The last time step whose code was accepted: no code works twice.
    t.bigInteger('totp_step');
    t.string('rules_version', 64);
    t.bigInteger('rules_at');
    t.bigInteger('last_sign_in_at');
  });
  await knex.schema.createTable('sign_in_guards', (t) => {
    t.string('name', 64).primary();
    t.integer('failures').notNullable();
    t.bigInteger('locked_until');
    t.bigInteger('last_at').notNullable();
    t.index(['last_at']);
  });
  await knex.schema.createTable('ended_sessions', (t) => {
    t.string('session_id', 64).primary();
    t.string('person_id', 64).notNullable().references('id').inTable('people');
    t.bigInteger('ended_at').notNullable();
    t.index(['person_id']);
    t.index(['ended_at']);
  });
  await knex.schema.alterTable('oidc_payloads', (t) => {
    // Whose session or token it is, so that all of a person's can be found.
    t.string('account_id', 64);
    t.index(['account_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('oidc_payloads', (t) => {
    t.dropIndex(['account_id']);
    t.dropColumn('account_id');
  });
  for (const table of ['ended_sessions', 'sign_in_guards', 'person_proofs', 'people'])
    await knex.schema.dropTableIfExists(table);
}
