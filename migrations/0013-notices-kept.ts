import type { Knex } from 'knex';

/** Notices are looked up by what they are about, and go when their time is over. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('notices', (t) => {
    t.index(['agency', 'kind', 'noun', 'key']);
    t.index(['created_at']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('notices', (t) => {
    t.dropIndex(['created_at']);
    t.dropIndex(['agency', 'kind', 'noun', 'key']);
  });
}
