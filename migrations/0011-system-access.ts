import type { Knex } from 'knex';

/** From where a system may call. */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('systems', (t) => {
    // JSON array of addresses and CIDR ranges; null allows any.
    t.text('addresses');
  });
  await knex.schema.alterTable('system_credentials', (t) => {
    t.index(['expires_at']);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('system_credentials', (t) => {
    t.dropIndex(['expires_at']);
  });
  await knex.schema.alterTable('systems', (t) => {
    t.dropColumn('addresses');
  });
}
