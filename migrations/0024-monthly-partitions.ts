import type { Knex } from 'knex';

const UTC_PLUS_7 = `interval '7 hours'`;

function isPostgres(knex: Knex): boolean {
  return (knex.client as { config: { client: unknown } }).config.client === 'pg';
}

async function rows<T>(knex: Knex, sql: string, bindings: readonly string[] = []): Promise<T[]> {
  return (await knex.raw<{ rows: T[] }>(sql, [...bindings])).rows;
}

interface Definition {
  readonly name: string;
  readonly sql: string;
}

/** What stands on the table beside its columns, as the statements that make it again on a table of the same name. */
interface Furnishing {
  readonly indexes: readonly Definition[];
  readonly triggers: readonly (Definition & { readonly row: boolean })[];
  readonly grants: readonly string[];
}

async function furnishingOf(knex: Knex): Promise<Furnishing> {
  return {
    indexes: await rows(
      knex,
      `SELECT c.relname AS name, replace(pg_get_indexdef(c.oid), ' ON ONLY ', ' ON ') AS sql
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE i.indrelid = 'records'::regclass AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = c.oid)`,
    ),
    triggers: await rows(
      knex,
      `SELECT tgname AS name, pg_get_triggerdef(oid) AS sql, tgtype & 1 = 1 AS "row"
      FROM pg_trigger WHERE tgrelid = 'records'::regclass AND NOT tgisinternal`,
    ),
    grants: (
      await rows<{ sql: string }>(
        knex,
        `SELECT format('GRANT %s ON records TO %s%s', a.privilege_type,
          CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
          CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END) AS sql
        FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = 'records'::regclass AND a.grantee <> c.relowner`,
      )
    ).map(({ sql }) => sql),
  };
}

async function furnish(knex: Knex, { indexes, triggers, grants }: Furnishing): Promise<void> {
  for (const sql of [...indexes.map((one) => one.sql), ...triggers.map((one) => one.sql), ...grants])
    await knex.raw(sql);
}

/** Waits for appends under way and lets none begin; what follows may take as long as it takes. */
async function takeTable(knex: Knex): Promise<void> {
  await knex.raw('LOCK TABLE records IN ACCESS EXCLUSIVE MODE');
  await knex.raw('SET LOCAL statement_timeout = 0');
}

/** Of the rows there are, whose last month is this one at the earliest; months of Asia/Ho_Chi_Minh. */
interface Stretch {
  /** Milliseconds since the epoch: the first moment of a month. */
  readonly from: string;
  /** The first moment past this month. */
  readonly to: string;
  readonly name: string;
}

/** From the month of the oldest row to the end of this one. Rows of later months were written by a clock that was wrong. */
async function stretchOf(knex: Knex): Promise<Stretch> {
  const month = (moment: string): string =>
    `date_trunc('month', (${moment}) AT TIME ZONE 'UTC' + ${UTC_PLUS_7})`;
  const ms = (local: string): string =>
    `(extract(epoch FROM (${local} - ${UTC_PLUS_7}) AT TIME ZONE 'UTC') * 1000)::bigint::text`;
  const [stretch] = await rows<Stretch>(
    knex,
    `WITH months AS (
      SELECT ${month('now()')} AS this, ${month('to_timestamp(min(received_at) / 1000.0)')} AS oldest FROM records
    )
    SELECT ${ms('least(oldest, this)')} AS "from", ${ms(`this + interval '1 month'`)} AS "to",
      CASE WHEN oldest < this THEN 'records_to_' ELSE 'records_' END || to_char(this, 'YYYY_MM') AS name
    FROM months`,
  );
  if (stretch === undefined) throw new Error('the database does not tell the time');
  return stretch;
}

/** Takes the name from the table, its indexes and its constraints, and the triggers that partitions get from their parent. */
async function standAside(knex: Knex, { indexes, triggers }: Furnishing, name: string): Promise<void> {
  for (const trigger of triggers.filter(({ row }) => row))
    await knex.raw('DROP TRIGGER ?? ON records', [trigger.name]);
  for (const index of indexes)
    await knex.raw('ALTER INDEX ?? RENAME TO ??', [index.name, index.name.replace(/^records/, name)]);
  await knex.raw('ALTER TABLE records RENAME CONSTRAINT records_pkey TO ??', [`${name}_pkey`]);
  await knex.raw('ALTER TABLE records RENAME CONSTRAINT records_id_unique TO ??', [`${name}_id_unique`]);
  await knex.raw('ALTER TABLE records RENAME TO ??', [name]);
}

/**
 * For times that no month is there for: a record can always be written. It is also what each new month is made like:
 * with a key and unique ids of its own, which a partitioned table cannot have over all its months, and with the triggers
 * for statements that name the partition itself.
 */
async function createDefault(
  knex: Knex,
  { triggers }: Furnishing,
  [stretch, to]: [string, string],
): Promise<void> {
  await knex.raw('CREATE TABLE records_default PARTITION OF records DEFAULT');
  await knex.raw(`ALTER TABLE records_default ADD CONSTRAINT records_default_pkey PRIMARY KEY (seq),
    ADD CONSTRAINT records_default_id_unique UNIQUE (id)`);
  for (const { sql, row } of triggers)
    if (!row)
      await knex.raw(
        sql.replace(/ ON (\S+\.)?records /, (_, schema = '') => ` ON ${schema}records_default `),
      );
  await knex.raw('INSERT INTO records_default SELECT * FROM ?? WHERE received_at >= ?', [stretch, to]);
  await knex.raw('DELETE FROM ?? WHERE received_at >= ?', [stretch, to]);
}

/**
 * The log lies in one partition for each month of `received_at`, so that a month that was sealed and archived leaves as a
 * whole. The table that was there becomes the partition of all months up to this one: nothing of it is written anew.
 */
export async function up(knex: Knex): Promise<void> {
  if (!isPostgres(knex)) return;
  await takeTable(knex);
  const furnishing = await furnishingOf(knex);
  const { name, from, to } = await stretchOf(knex);
  await standAside(knex, furnishing, name);
  await knex.raw(
    `CREATE TABLE records (LIKE ?? INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)
      PARTITION BY RANGE (received_at)`,
    [name],
  );
  await furnish(knex, furnishing);
  await createDefault(knex, furnishing, [name, to]);
  await knex.raw(`ALTER TABLE records ATTACH PARTITION ?? FOR VALUES FROM (${from}) TO (${to})`, [name]);
}

/** One table again, of all rows that are there. */
export async function down(knex: Knex): Promise<void> {
  if (!isPostgres(knex)) return;
  await takeTable(knex);
  const furnishing = await furnishingOf(knex);
  await knex.raw('ALTER TABLE records RENAME TO records_by_month');
  await knex.raw(
    'CREATE TABLE records (LIKE records_by_month INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS)',
  );
  await knex.raw('INSERT INTO records SELECT * FROM records_by_month ORDER BY seq');
  await knex.raw('DROP TABLE records_by_month');
  await knex.raw(`ALTER TABLE records ADD CONSTRAINT records_pkey PRIMARY KEY (seq),
    ADD CONSTRAINT records_id_unique UNIQUE (id)`);
  await furnish(knex, furnishing);
}
