import type { Knex } from 'knex';

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

/**
 * Which records each series of the counts consists of, in the order of the answer: what has several of the columns that
 * counts are kept by is found by joining a few of these runs. It is filled with the counts, so they begin anew.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`CREATE TABLE record_entries (
      series integer NOT NULL, received_at bigint NOT NULL, seq bigint NOT NULL,
      PRIMARY KEY (series, received_at, seq)
    )${isPostgres(knex) ? '' : ' WITHOUT ROWID'}`);
  await knex('record_counts').delete();
  await knex('progress').where({ name: 'record-counts' }).update({ value: -1 });
  // Records that counts are not kept of any more.
  await knex('progress').insert({ name: 'record-counts-without', value: 0 });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTableIfExists('record_entries');
  await knex('progress').where({ name: 'record-counts-without' }).delete();
}
