import type { Knex } from 'knex';

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

/** Takes the guard of the log off for a column that is filled from the leaves, and puts it back, in one transaction. */
async function unguarded(knex: Knex, work: () => Promise<void>): Promise<void> {
  if (isPostgres(knex)) {
    await knex.raw('ALTER TABLE records DISABLE TRIGGER records_append_only');
    await work();
    await knex.raw('ALTER TABLE records ENABLE TRIGGER records_append_only');
    return;
  }
  await knex.raw('DROP TRIGGER records_no_update');
  await work();
  await knex.raw(`CREATE TRIGGER records_no_update BEFORE UPDATE ON records
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
}

/** The number of a grant is ours: short, and nothing in it is escaped in JSON. */
async function fillGrants(knex: Knex): Promise<void> {
  const inside = isPostgres(knex)
    ? `trim(both '"' from (leaf::json -> 'grant')::text)`
    : `json_extract(leaf, '$.grant')`;
  await unguarded(knex, async () => {
    await knex.raw(`UPDATE records SET grant_no = substr(${inside}, 1, 64) WHERE leaf LIKE '%"grant":"%'`);
  });
}

/** What one row of counts is about. Empty text and zero stand for what a record lacks, so that rows are unique. */
const SERIES: readonly (readonly [name: string, width: number])[] = [
  ['kind', 8],
  ['plane', 8],
  ['agency', 35],
  ['system', 64],
  ['provider', 35],
  ['service', 64],
  ['version', 16],
  ['operation', 128],
  ['outcome', 8],
  ['code', 32],
  ['grant_no', 64],
  ['noun', 32],
];

async function createCounts(knex: Knex): Promise<void> {
  await knex.schema.createTable('record_series', (t) => {
    t.increments('id');
    for (const [name, width] of SERIES) t.string(name, width).notNullable();
    t.integer('status').notNullable();
    t.unique([...SERIES.map(([name]) => name), 'status'], { indexName: 'record_series_unique' });
  });
  // level: 0 hour, 1 day, 2 month of Asia/Ho_Chi_Minh; start: milliseconds since the epoch
  await knex.raw(`CREATE TABLE record_counts (
      level smallint NOT NULL, start bigint NOT NULL, series integer NOT NULL, n bigint NOT NULL,
      PRIMARY KEY (level, start, series)
    )${isPostgres(knex) ? '' : ' WITHOUT ROWID'}`);
  await knex.raw('CREATE INDEX record_counts_series_index ON record_counts (series, level, start)');
  await knex('progress').insert({ name: 'record-counts', value: -1 });
}

/**
 * What searching the record needs: the grant as a column, counts by hour, day and month that spare a search from counting
 * ten million rows, and searches that somebody keeps.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE records ADD COLUMN grant_no varchar(64)');
  await fillGrants(knex);
  const end = isPostgres(knex) ? ', seq' : '';
  await knex.raw(`CREATE INDEX records_grant_index ON records (grant_no, received_at${end})
    WHERE grant_no IS NOT NULL`);
  await createCounts(knex);
  await knex.schema.createTable('saved_searches', (t) => {
    t.string('id', 36).primary();
    // person:… or system:…
    t.string('owner', 140).notNullable();
    t.string('name', 120).notNullable();
    t.text('filters').notNullable();
    t.bigInteger('created_at').notNullable();
    t.bigInteger('updated_at').notNullable();
    t.unique(['owner', 'name']);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['saved_searches', 'record_counts', 'record_series'])
    await knex.schema.dropTableIfExists(table);
  await knex('progress').where({ name: 'record-counts' }).delete();
  await knex.raw('DROP INDEX records_grant_index');
  await knex.raw('ALTER TABLE records DROP COLUMN grant_no');
}
