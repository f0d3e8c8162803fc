import type { Knex } from 'knex';

/** When a service ends and what follows it; who called which operation on which day. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('services', (t) => {
    t.bigInteger('deprecated_at');
    // The service ends with this calendar day (yyyy-MM-dd) in Asia/Ho_Chi_Minh; refused from sunset_at on.
    t.string('sunset_on', 10);
    t.bigInteger('sunset_at');
    t.string('successor', 160);
    t.text('deprecation_reason');
  });
  await knex.schema.createTable('service_use', (t) => {
    t.string('service_id', 160).notNullable();
    t.string('day', 10).notNullable();
    t.string('operation', 128).notNullable();
    t.string('system_id', 64).notNullable();
    t.string('agency_code', 35).notNullable();
    t.bigInteger('calls').notNullable();
    t.bigInteger('last_at').notNullable();
    // JSON array of the fields that left; null where all did at least once.
    t.text('fields');
    t.primary(['service_id', 'day', 'operation', 'system_id']);
    t.index(['day']);
  });
  await knex.schema.createTable('progress', (t) => {
    t.string('name', 64).primary();
    t.bigInteger('value').notNullable();
  });
  await knex('progress').insert({ name: 'service-use', value: -1 });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['progress', 'service_use']) await knex.schema.dropTableIfExists(table);
  await knex.schema.alterTable('services', (t) => {
    t.dropColumns('deprecated_at', 'sunset_on', 'sunset_at', 'successor', 'deprecation_reason');
  });
}
