import type { Knex } from 'knex';

/** How far each sink of the feed has come; what watching the record has found; when a system says that it calls. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('feed_cursors', (t) => {
    t.string('sink', 32).primary();
    // The last record that is known to have arrived, and from which on all is sent again after a loss.
    t.bigInteger('seq').notNullable();
    t.bigInteger('resume_seq').notNullable();
    t.string('leased_by', 36);
    t.bigInteger('lease_until');
    t.string('last_error', 200);
    t.bigInteger('outage_since');
    t.bigInteger('updated_at').notNullable();
  });
  await knex.schema.createTable('security_counts', (t) => {
    t.string('kind', 32).notNullable();
    t.string('subject', 200).notNullable();
    // Minutes or hours since the epoch, as the kind has it.
    t.bigInteger('slot').notNullable();
    t.bigInteger('count').notNullable();
    t.primary(['kind', 'subject', 'slot']);
    t.index(['kind', 'slot']);
  });
  await knex.schema.createTable('security_events', (t) => {
    t.string('id', 36).primary();
    t.string('kind', 32).notNullable();
    t.string('severity', 8).notNullable();
    t.string('subject', 200).notNullable();
    t.bigInteger('window_from').notNullable();
    t.bigInteger('window_to').notNullable();
    t.bigInteger('count').notNullable();
    t.bigInteger('threshold').notNullable();
    t.bigInteger('at').notNullable();
    t.index(['kind', 'subject', 'window_to']);
    t.index(['at']);
  });
  await knex('progress').insert({ name: 'security', value: -1 });
  await knex.schema.alterTable('systems', (t) => {
    // JSON of { days, from, to } in Asia/Ho_Chi_Minh; null declares nothing.
    t.text('hours');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('systems', (t) => {
    t.dropColumn('hours');
  });
  await knex('progress').where({ name: 'security' }).delete();
  for (const table of ['security_events', 'security_counts', 'feed_cursors'])
    await knex.schema.dropTableIfExists(table);
}
