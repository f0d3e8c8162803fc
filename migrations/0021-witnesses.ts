import type { Knex } from 'knex';

/** To whom the heads of the log are shown outside, and what they gave in return. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('witnesses', (t) => {
    t.string('name', 64).primary();
    t.string('kind', 16).notNullable();
    // Size of the last head that it took, and when; 0 and null before the first.
    t.bigInteger('size').notNullable().defaultTo(0);
    t.bigInteger('at');
    t.bigInteger('failing_since');
    t.string('last_error', 500);
    // Whether somebody was told of the outage that is going on.
    t.boolean('alarmed').notNullable().defaultTo(false);
    t.bigInteger('next_at').notNullable().defaultTo(0);
    t.string('leased_by', 64);
    t.bigInteger('lease_until');
  });
  await knex.schema.createTable('witness_evidence', (t) => {
    t.string('name', 64).notNullable();
    t.bigInteger('size').notNullable();
    t.bigInteger('at').notNullable();
    t.string('form', 8).notNullable();
    t.text('content').notNullable();
    t.primary(['name', 'size']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('witness_evidence');
  await knex.schema.dropTableIfExists('witnesses');
}
