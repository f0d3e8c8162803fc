import type { Knex } from 'knex';

/** What an agency was last entered or changed on; null for those that come before any document. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('agencies', (t) => {
    t.string('state_document', 64).nullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('agencies', (t) => {
    t.dropColumn('state_document');
  });
}
