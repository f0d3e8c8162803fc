import type { Knex } from 'knex';

/**
 * The documents that decisions, deadlines and refusals rest on, clause by clause, and the days that are not what
 * the day of the week says. Dates are calendar days (yyyy-MM-dd) in Asia/Ho_Chi_Minh, both inclusive.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('legal_bases', (t) => {
    t.string('id', 64).primary();
    t.string('number', 64).notNullable();
    t.string('title', 500).notNullable();
    t.string('issuer', 255).notNullable();
    t.string('kind', 16).notNullable();
    // Unknown dates are null; without a first day a document counts as not in force.
    t.string('issued_on', 10);
    t.string('valid_from', 10);
    t.string('valid_to', 10);
    t.string('amended_by', 64).references('id').inTable('legal_bases');
    t.string('replaced_by', 64).references('id').inTable('legal_bases');
    t.string('url', 500);
    t.text('note');
    // Number, title and issuer without accents and in lower case, for searches; kept by the repository.
    t.text('search').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
  });
  await knex.schema.createTable('legal_clauses', (t) => {
    t.string('basis_id', 64).notNullable().references('id').inTable('legal_bases');
    t.string('id', 32).notNullable();
    t.integer('position').notNullable();
    t.string('label', 255).notNullable();
    t.text('summary').notNullable();
    t.string('valid_from', 10);
    t.string('valid_to', 10);
    t.primary(['basis_id', 'id']);
  });
  await knex.schema.createTable('calendar_days', (t) => {
    t.string('day', 10).primary();
    // holiday: a day off · workday: a Saturday or Sunday that is worked
    t.string('kind', 16).notNullable();
    t.string('name_vi', 255).notNullable();
    t.string('legal_basis', 97);
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['legal_basis']);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['calendar_days', 'legal_clauses', 'legal_bases'])
    await knex.schema.dropTableIfExists(table);
}
