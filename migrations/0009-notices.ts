import type { Knex } from 'knex';

/** What agencies and people are told, who has read it, where else it is sent, and what is still to be sent. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('notices', (t) => {
    t.string('id', 36).primary();
    t.string('agency', 35).notNullable().references('code').inTable('agencies');
    // Null: everybody of the agency.
    t.string('user', 128);
    t.string('role', 32);
    t.string('kind', 64).notNullable();
    t.string('noun', 32).notNullable();
    t.string('key', 160).notNullable();
    t.text('title_vi').notNullable();
    t.text('title_en').notNullable();
    t.text('text_vi').notNullable();
    t.text('text_en').notNullable();
    t.string('dedupe', 255).unique();
    t.bigInteger('created_at').notNullable();
    t.index(['agency', 'id']);
  });
  await knex.schema.createTable('notice_reads', (t) => {
    t.string('notice_id', 36).notNullable().references('id').inTable('notices').onDelete('CASCADE');
    t.string('reader', 128).notNullable();
    t.bigInteger('at').notNullable();
    t.primary(['notice_id', 'reader']);
  });
  await knex.schema.createTable('notice_channels', (t) => {
    t.string('id', 64).primary();
    t.string('agency', 35).notNullable().references('code').inTable('agencies');
    t.string('kind', 16).notNullable();
    t.text('target').notNullable();
    // JSON array of the kinds of notice that are sent; null sends all.
    t.text('kinds');
    t.text('sealed_secret');
    t.boolean('active').notNullable();
    t.string('created_by', 128).notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    // Failed attempts in a row.
    t.integer('failures').notNullable();
    t.bigInteger('disabled_at');
    t.text('disabled_reason');
    t.index(['agency']);
  });
  await knex.schema.createTable('outbox', (t) => {
    t.string('id', 36).primary();
    t.string('notice_id', 36).notNullable().references('id').inTable('notices').onDelete('CASCADE');
    t.string('channel_id', 64).notNullable().references('id').inTable('notice_channels').onDelete('CASCADE');
    t.string('state', 16).notNullable();
    t.integer('attempts').notNullable();
    t.bigInteger('next_at').notNullable();
    t.bigInteger('lease_until');
    t.string('leased_by', 64);
    t.text('last_error');
    t.bigInteger('created_at').notNullable();
    t.bigInteger('sent_at');
    t.index(['state', 'next_at']);
    t.index(['channel_id', 'state']);
    t.index(['notice_id']);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['outbox', 'notice_channels', 'notice_reads', 'notices'])
    await knex.schema.dropTableIfExists(table);
}
