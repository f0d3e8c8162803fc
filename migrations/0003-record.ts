import type { Knex } from 'knex';

const RECORD_TABLES = ['records', 'log_tiles', 'log_checkpoints'] as const;

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

async function forbidChange(knex: Knex): Promise<void> {
  if (isPostgres(knex)) {
    await knex.raw(`CREATE FUNCTION lgsp_append_only() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'the log is append-only'; END $$`);
    for (const table of RECORD_TABLES) {
      await knex.raw(`CREATE TRIGGER ${table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ${table}
        FOR EACH STATEMENT EXECUTE FUNCTION lgsp_append_only()`);
    }
    return;
  }
  for (const table of RECORD_TABLES) {
    for (const verb of ['UPDATE', 'DELETE']) {
      await knex.raw(`CREATE TRIGGER ${table}_no_${verb.toLowerCase()} BEFORE ${verb} ON ${table}
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END`);
    }
  }
}

/**
 * What a search may start from. Each is paid for by every record, so those on columns that most records lack
 * are partial. All end in the order of the answer: newest first, then by place in the log.
 */
const INDEXES: readonly (readonly [name: string, columns: string, where?: string])[] = [
  ['received', 'received_at, seq'],
  ['agency', 'agency, received_at, seq'],
  ['system', '"system", received_at, seq'],
  ['provider', 'provider, received_at, seq'],
  ['service', 'service, received_at, seq'],
  ['trace', 'trace, received_at, seq'],
  ['user', '"user", received_at, seq', '"user" IS NOT NULL'],
  ['case', 'case_no, received_at, seq', 'case_no IS NOT NULL'],
  ['code', 'code, received_at, seq', 'code IS NOT NULL'],
  ['noun', 'noun, received_at, seq', 'noun IS NOT NULL'],
  ['target', 'target_key, received_at, seq', 'target_key IS NOT NULL'],
  ['opening', 'opening', 'opening IS NOT NULL'],
  ['opened', 'seq', `kind = 'opening'`],
  ['unanswered', 'received_at, seq', `outcome <> 'answered'`],
];

async function createIndexes(knex: Knex): Promise<void> {
  // An index of SQLite ends with the row's number by itself, and `seq` is that number.
  const shorten = (columns: string) => (isPostgres(knex) ? columns : columns.replace(/, seq$/, ''));
  for (const [name, columns, where] of INDEXES) {
    const condition = where === undefined ? '' : ` WHERE ${where}`;
    await knex.raw(`CREATE INDEX records_${name}_index ON records (${shorten(columns)})${condition}`);
  }
}

/** A whole number that is the key: in SQLite only the word `integer` makes it the row's own number. */
function wholeKey(knex: Knex, table: Knex.CreateTableBuilder, name: string): void {
  (isPostgres(knex) ? table.bigInteger(name) : table.integer(name)).primary();
}

/**
 * The log: its leaves (with the columns that searches need), the full tiles of its Merkle tree, and its signed
 * heads. Rows are only ever added; the database itself refuses anything else.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('records', (t) => {
    wholeKey(knex, t, 'seq');
    t.string('id', 36).notNullable().unique();
    t.text('leaf').notNullable();
    t.binary('leaf_hash').notNullable();
    t.bigInteger('received_at').notNullable();
    t.string('kind', 8).notNullable();
    t.string('plane', 8).notNullable();
    t.string('agency', 35);
    t.string('system', 64);
    t.string('user', 128);
    t.string('case_no', 128);
    t.string('provider', 35);
    t.string('service', 64);
    t.string('version', 16);
    t.string('operation', 128);
    t.string('outcome', 8);
    t.string('code', 32);
    t.integer('status');
    t.string('trace', 32);
    t.string('opening', 36);
    t.string('noun', 32);
    t.string('target_key', 160);
  });
  await createIndexes(knex);
  await knex.schema.createTable('log_tiles', (t) => {
    // Full tiles only: 256 hashes of 32 bytes at (level, index); `root` is the hash of the subtree they span.
    t.integer('level').notNullable();
    t.bigInteger('tile_index').notNullable();
    t.binary('hashes').notNullable();
    t.binary('root').notNullable();
    t.primary(['level', 'tile_index']);
  });
  await knex.schema.createTable('log_checkpoints', (t) => {
    wholeKey(knex, t, 'tree_size');
    t.binary('root_hash').notNullable();
    t.bigInteger('at').notNullable();
    // C2SP signed note over the tlog-checkpoint
    t.text('note').notNullable();
  });
  await forbidChange(knex);
}

export async function down(knex: Knex): Promise<void> {
  for (const table of RECORD_TABLES) await knex.schema.dropTableIfExists(table);
  if (isPostgres(knex)) await knex.raw('DROP FUNCTION IF EXISTS lgsp_append_only()');
}
