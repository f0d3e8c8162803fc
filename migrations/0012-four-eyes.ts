import type { Knex } from 'knex';

/** Changes that need a second person, and the accesses of an emergency. Times are milliseconds since the epoch, UTC. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('change_requests', (t) => {
    // td-2026-0001: the year in Asia/Ho_Chi_Minh, and a number that begins anew with it
    t.string('id', 32).primary();
    t.integer('year').notNullable();
    t.integer('number').notNullable();
    t.string('kind', 32).notNullable();
    t.string('subject_noun', 32).notNullable();
    t.string('subject_key', 160).notNullable();
    // The agency whose service is the subject: who else may see the request.
    t.string('provider', 35);
    t.text('payload').notNullable();
    t.text('reason').notNullable();
    t.string('document_id', 64);
    t.string('state', 16).notNullable();
    t.bigInteger('state_since').notNullable();
    t.string('made_by', 128).notNullable();
    t.string('made_agency', 35).notNullable();
    t.bigInteger('made_at').notNullable();
    t.string('decided_by', 128);
    t.bigInteger('decided_at');
    t.text('decision_reason');
    t.bigInteger('expires_at').notNullable();
    t.unique(['year', 'number']);
    t.index(['state', 'expires_at']);
    t.index(['subject_key']);
  });
  await knex.schema.createTable('break_glass', (t) => {
    // kc-2026-0001
    t.string('number', 32).primary();
    t.integer('year').notNullable();
    t.integer('sequence').notNullable();
    t.string('change_request_id', 32).notNullable().unique().references('id').inTable('change_requests');
    t.string('service_id', 160).notNullable().references('id').inTable('services');
    t.string('provider', 35).notNullable();
    t.string('actor', 128).notNullable();
    t.string('actor_agency', 35).notNullable();
    t.bigInteger('from_at').notNullable();
    t.bigInteger('until_at').notNullable();
    t.bigInteger('closed_at');
    t.string('closed_by', 128);
    // When it was noted, and told, that its time was over.
    t.bigInteger('ended_at');
    t.integer('uses').notNullable();
    t.bigInteger('last_used_at');
    t.unique(['year', 'sequence']);
    t.index(['service_id', 'actor']);
    t.index(['until_at']);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['break_glass', 'change_requests']) await knex.schema.dropTableIfExists(table);
}
