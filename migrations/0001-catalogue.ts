import type { Knex } from 'knex';

/** Agencies, their systems and credentials, and the services they publish. Times are milliseconds since the epoch, UTC. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('agencies', (t) => {
    t.string('code', 35).primary();
    t.string('alias', 64).unique();
    t.string('name', 255).notNullable();
    // The name without accents and in lower case, for searches; kept by the repository.
    t.text('search');
    t.string('level', 32).notNullable();
    t.string('parent_code', 35).references('code').inTable('agencies');
    // Calendar dates (yyyy-MM-dd) in Asia/Ho_Chi_Minh, both inclusive; an open end is null.
    t.string('valid_from', 10).notNullable();
    t.string('valid_to', 10);
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
  });
  await knex.schema.createTable('systems', (t) => {
    t.string('id', 64).primary();
    t.string('agency_code', 35).notNullable().references('code').inTable('agencies');
    t.string('name', 255).notNullable();
    t.text('search');
    t.text('roles').notNullable();
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.text('state_reason');
    t.integer('limit_calls');
    t.integer('limit_seconds');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['agency_code']);
  });
  await knex.schema.createTable('system_credentials', (t) => {
    t.string('id', 64).primary();
    t.string('system_id', 64).notNullable().references('id').inTable('systems');
    t.string('kind', 16).notNullable();
    // A secret is 256 random bits, so its SHA-256 is kept and nothing can be recovered; a key is its public JWK.
    t.string('secret_sha256', 64);
    t.text('public_jwk');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('expires_at');
    t.bigInteger('revoked_at');
    t.index(['system_id']);
  });
  await knex.schema.createTable('services', (t) => {
    // provider/slug/vN, as in the paths
    t.string('id', 160).primary();
    t.string('provider', 35).notNullable().references('code').inTable('agencies');
    t.string('slug', 64).notNullable();
    t.integer('major').notNullable();
    t.string('title', 255).notNullable();
    t.text('search');
    t.string('sharing', 16).notNullable();
    t.string('classification', 16).notNullable();
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.text('state_reason');
    // manager or provider: what a manager suspended, a provider does not resume.
    t.string('state_by', 16);
    t.integer('published_revision');
    t.integer('latest_revision').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.unique(['provider', 'slug', 'major']);
  });
  await knex.schema.createTable('service_revisions', (t) => {
    t.string('service_id', 160).notNullable().references('id').inTable('services');
    t.integer('revision').notNullable();
    t.text('manifest').notNullable();
    // The manifest as it was handed in, where the document brought bindings of its own into the other.
    t.text('declared');
    t.text('document').notNullable();
    t.string('sha256', 64).notNullable();
    t.string('created_by', 64).notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('published_at');
    t.primary(['service_id', 'revision']);
  });
  await knex.schema.createTable('service_credentials', (t) => {
    t.string('service_id', 160).notNullable().references('id').inTable('services');
    t.string('name', 64).notNullable();
    t.text('sealed').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.primary(['service_id', 'name']);
  });
  await knex.schema.createTable('changes', (t) => {
    t.bigIncrements('id');
    t.string('noun', 32).notNullable();
    t.string('key', 160).notNullable();
    t.bigInteger('at').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'changes',
    'service_credentials',
    'service_revisions',
    'services',
    'system_credentials',
    'systems',
    'agencies',
  ]) {
    await knex.schema.dropTableIfExists(table);
  }
}
