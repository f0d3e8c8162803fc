import type { Knex } from 'knex';

/**
 * The official documents that acts rest on, and the documents that emergency acts still owe. An attachment is a file
 * of its own, named here by its digest; never a value of a row.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('documents', (t) => {
    t.string('id', 64).primary();
    t.string('number', 64).notNullable();
    // The number and notation without accents, with issuer and summary, for searches; kept by the repository.
    t.text('search');
    t.string('kind', 32).notNullable();
    // Calendar date (yyyy-MM-dd) in Asia/Ho_Chi_Minh.
    t.string('issued_on', 10).notNullable();
    t.string('issuer', 255).notNullable();
    t.string('signatory', 255).notNullable();
    t.string('requested_by', 16);
    t.text('summary');
    t.string('agency_code', 35).notNullable().references('code').inTable('agencies');
    t.string('attachment_sha256', 64);
    t.string('attachment_name', 255);
    t.string('attachment_type', 128);
    t.integer('attachment_bytes');
    t.string('created_by', 64).notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.index(['agency_code']);
  });
  await knex.schema.createTable('document_debts', (t) => {
    t.string('id', 64).primary();
    t.string('noun', 32).notNullable();
    t.string('key', 160).notNullable();
    t.string('act', 32).notNullable();
    t.text('reason').notNullable();
    t.string('agency_code', 35).notNullable();
    t.string('owed_by', 64).notNullable();
    t.bigInteger('owed_at').notNullable();
    t.bigInteger('due_at').notNullable();
    t.bigInteger('reminded_at');
    t.bigInteger('escalated_at');
    t.bigInteger('settled_at');
    t.string('settled_by', 64);
    t.string('document_id', 64).references('id').inTable('documents');
    t.index(['settled_at', 'due_at']);
  });
  await knex.schema.alterTable('systems', (t) => {
    // Last calendar day on which the account works; an open end is null.
    t.string('valid_to', 10);
    // The document that the last change of state rests on.
    t.string('state_document', 64);
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.alterTable('systems', (t) => {
    t.dropColumns('valid_to', 'state_document');
  });
  await knex.schema.dropTableIfExists('document_debts');
  await knex.schema.dropTableIfExists('documents');
}
