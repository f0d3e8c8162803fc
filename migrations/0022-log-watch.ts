import type { Knex } from 'knex';

/** How the last verification of the log beside the exchange ended, and which node is at it: one row. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('log_watch', (t) => {
    t.string('name', 16).primary();
    t.bigInteger('started_at');
    t.bigInteger('finished_at');
    t.bigInteger('size').notNullable().defaultTo(0);
    t.string('root', 64);
    t.boolean('ok');
    t.text('fault');
    // The largest head that was proved: the next log must contain it.
    t.bigInteger('held_size').notNullable().defaultTo(0);
    t.string('held_root', 64);
    // The fault that somebody was told of and that has not been repaired yet.
    t.string('told', 64);
    t.string('error', 500);
    t.bigInteger('next_at').notNullable().defaultTo(0);
    t.bigInteger('retry_at').notNullable().defaultTo(0);
    t.bigInteger('running_since');
    t.string('leased_by', 64);
    t.bigInteger('lease_until');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('log_watch');
}
