import type { Knex } from 'knex';

/** The authorization server's artefacts and the keys of the installation. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('signing_keys', (t) => {
    t.string('kid', 64).primary();
    // token: signs access tokens · log: signs checkpoints · cookie: signs the authorization server's cookies
    t.string('purpose', 16).notNullable();
    t.text('public_jwk').notNullable();
    t.text('sealed_private').notNullable();
    t.bigInteger('created_at').notNullable();
    // Published at once, used for signing from here on, so that every node knows a key before it meets it.
    t.bigInteger('signs_from').notNullable();
    t.bigInteger('verifies_until');
    t.index(['purpose']);
  });
  await knex.schema.createTable('oidc_payloads', (t) => {
    t.string('model', 64).notNullable();
    t.string('id', 255).notNullable();
    t.text('payload').notNullable();
    t.string('grant_id', 255);
    t.string('uid', 255);
    t.string('user_code', 255);
    t.bigInteger('expires_at');
    t.bigInteger('consumed_at');
    t.primary(['model', 'id']);
    t.index(['grant_id']);
    t.index(['uid']);
    t.index(['user_code']);
    t.index(['expires_at']);
  });
  await knex.schema.createTable('installation', (t) => {
    t.string('name', 64).primary();
    t.text('value').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['installation', 'oidc_payloads', 'signing_keys'])
    await knex.schema.dropTableIfExists(table);
}
