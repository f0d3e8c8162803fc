import type { Knex } from 'knex';

async function createGrants(knex: Knex): Promise<void> {
  await knex.schema.createTable('grants', (t) => {
    t.string('id', 32).primary();
    // Null for a subscription to a default service.
    t.string('request_id', 32);
    t.string('sharing', 16).notNullable();
    t.string('service_id', 160).notNullable().references('id').inTable('services');
    t.string('provider', 35).notNullable();
    t.string('consumer', 35).notNullable();
    t.string('system_id', 64).notNullable().references('id').inTable('systems');
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    // Three flags of suspension, each since when: a side sets and clears its own alone.
    t.bigInteger('suspended_consumer');
    t.bigInteger('suspended_provider');
    t.bigInteger('suspended_platform');
    // JSON: operation ids, and approved fields by operation; null means all.
    t.text('operations');
    t.text('fields');
    // What was approved, and what is in force of it; null means no quota.
    t.bigInteger('approved_per_day');
    t.integer('approved_per_minute');
    t.bigInteger('per_day');
    t.integer('per_minute');
    t.text('purpose').notNullable();
    t.string('legal_basis', 160);
    t.bigInteger('valid_from').notNullable();
    t.bigInteger('valid_until');
    t.integer('version').notNullable();
    t.bigInteger('due_at');
    t.bigInteger('overdue_told_at');
    t.text('reason');
    t.string('document_id', 64);
    t.string('created_by', 64).notNullable();
    t.string('decided_by', 64);
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['system_id', 'service_id']);
    t.index(['service_id']);
    t.index(['consumer']);
    t.index(['provider']);
    t.index(['state', 'valid_until']);
  });
  await knex.schema.createTable('grant_usage', (t) => {
    t.string('grant_id', 32).notNullable().references('id').inTable('grants');
    // Calendar day (yyyy-MM-dd) in Asia/Ho_Chi_Minh.
    t.string('day', 10).notNullable();
    t.bigInteger('calls').notNullable();
    t.primary(['grant_id', 'day']);
  });
}

async function createRequests(knex: Knex): Promise<void> {
  await knex.schema.createTable('sharing_requests', (t) => {
    t.string('id', 32).primary();
    t.string('service_id', 160).notNullable().references('id').inTable('services');
    t.string('provider', 35).notNullable();
    t.string('consumer', 35).notNullable();
    t.string('system_id', 64).notNullable().references('id').inTable('systems');
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.bigInteger('due_at');
    t.bigInteger('overdue_told_at');
    // JSON: purpose, legal basis, operations, fields, quota, term, duties.
    t.text('content').notNullable();
    t.text('agreement');
    // JSON: how it was refused.
    t.text('refusal');
    t.string('grant_id', 32);
    // The grant whose quota or term it would change.
    t.string('amends', 32);
    t.string('submitted_by', 64);
    t.string('agreed_by', 64);
    t.string('created_by', 64).notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['consumer']);
    t.index(['provider']);
    t.index(['state', 'due_at']);
  });
  await knex.schema.createTable('sharing_steps', (t) => {
    t.string('request_id', 32).notNullable().references('id').inTable('sharing_requests');
    t.integer('seq').notNullable();
    t.string('step', 32).notNullable();
    t.string('from_state', 16).notNullable();
    t.string('to_state', 16).notNullable();
    t.string('side', 16).notNullable();
    t.string('actor', 64).notNullable();
    t.string('agency', 35).notNullable();
    t.bigInteger('at').notNullable();
    t.text('reason');
    t.string('document_id', 64);
    t.string('legal_basis', 160);
    t.primary(['request_id', 'seq']);
  });
  await knex.schema.createTable('sharing_tasks', (t) => {
    t.string('request_id', 32).notNullable().references('id').inTable('sharing_requests');
    t.integer('seq').notNullable();
    t.string('kind', 16).notNullable();
    t.string('party', 16).notNullable();
    t.string('title', 255).notNullable();
    t.text('note');
    t.bigInteger('done_at');
    t.string('done_by', 64);
    t.primary(['request_id', 'seq']);
  });
  await knex.schema.createTable('sharing_tests', (t) => {
    t.string('request_id', 32).notNullable().references('id').inTable('sharing_requests');
    t.integer('seq').notNullable();
    t.bigInteger('at').notNullable();
    t.string('actor', 64).notNullable();
    t.boolean('passed').notNullable();
    t.text('checks').notNullable();
    t.primary(['request_id', 'seq']);
  });
}

async function createCases(knex: Knex): Promise<void> {
  await knex.schema.createTable('difficulties', (t) => {
    t.string('id', 32).primary();
    t.string('request_id', 32).notNullable().references('id').inTable('sharing_requests');
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.bigInteger('due_at');
    t.bigInteger('overdue_told_at');
    t.string('raised_by', 64).notNullable();
    t.string('raised_agency', 35).notNullable();
    t.text('text').notNullable();
    t.string('outcome', 16);
    t.text('conclusion');
    t.string('legal_basis', 160);
    t.string('document_id', 64);
    t.string('settled_by', 64);
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['request_id']);
  });
  await knex.schema.createTable('account_requests', (t) => {
    t.string('id', 32).primary();
    t.string('agency', 35).notNullable().references('code').inTable('agencies');
    t.string('system_name', 255).notNullable();
    t.text('purpose').notNullable();
    t.string('document_id', 64).notNullable();
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.bigInteger('due_at').notNullable();
    t.bigInteger('overdue_told_at');
    t.string('system_id', 64);
    t.text('reason');
    t.string('legal_basis', 160);
    t.string('decided_by', 64);
    t.string('created_by', 64).notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['agency']);
    t.index(['state', 'due_at']);
  });
  await knex.schema.createTable('default_reviews', (t) => {
    t.string('service_id', 160).notNullable().references('id').inTable('services');
    t.bigInteger('at').notNullable();
    t.string('outcome', 16).notNullable();
    t.text('note').notNullable();
    t.string('document_id', 64);
    t.string('actor', 64).notNullable();
    t.primary(['service_id', 'at']);
  });
}

/** Who may use what: requests with their steps, the grants they lead to, and what else is asked and decided. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('sequences', (t) => {
    t.string('name', 32).primary();
    t.integer('last').notNullable();
  });
  await createGrants(knex);
  await createRequests(knex);
  await createCases(knex);
  // Records of what the platform did by itself, written with the change and moved into the log at once or later.
  await knex.schema.createTable('owed_records', (t) => {
    t.string('id', 36).primary();
    t.text('record').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of [
    'owed_records',
    'default_reviews',
    'account_requests',
    'difficulties',
    'sharing_tests',
    'sharing_tasks',
    'sharing_steps',
    'sharing_requests',
    'grant_usage',
    'grants',
    'sequences',
  ])
    await knex.schema.dropTableIfExists(table);
}
