import type pg from 'pg';
import { COLUMN_NAMES, type Columns } from './columns.js';
import { PARTITIONS, partitionOf } from './partition-bounds.js';
import { LogError } from './log-error.js';
import type { Extension, Row } from './log-store.js';

const COLUMN_TYPES: Partial<Record<keyof Columns, string>> = { received_at: 'bigint', status: 'integer' };
const FIRST_COLUMN = 4;

/** From which on all months are looked into. */
export const ANY_TIME = Number.MIN_SAFE_INTEGER;

const AFTER_COLUMNS = FIRST_COLUMN + COLUMN_NAMES.length;
const parameter = (offset: number): string => `$${AFTER_COLUMNS + offset}`;

// Adds the rows, and tells of the moment before: where the records ended, looked for in the months from that of the last one
// on, and which ids lie between the first and the last of those added, but in the month that these go to. Its own key looks
// after that one, and in the others there are none: one look into each index, not one for each id.
const INSERT = `WITH tiles AS (
    INSERT INTO log_tiles (level, tile_index, hashes, root)
    SELECT * FROM unnest(${parameter(0)}::integer[], ${parameter(1)}::bigint[], ${parameter(2)}::bytea[],
      ${parameter(3)}::bytea[])
  ), head AS (
    INSERT INTO log_checkpoints (tree_size, root_hash, at, note)
    VALUES (${parameter(4)}, ${parameter(5)}, ${parameter(6)}, ${parameter(7)})
  ), added AS (
    INSERT INTO records (seq, leaf, leaf_hash, ${COLUMN_NAMES.map((name) => `"${name}"`).join(', ')})
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[],
      ${COLUMN_NAMES.map((name, i) => `$${FIRST_COLUMN + i}::${COLUMN_TYPES[name] ?? 'text'}[]`).join(', ')})
  )
  SELECT coalesce(greatest((SELECT max(seq) + 1 FROM records WHERE received_at >= ${parameter(8)}),
      (SELECT max(to_seq) FROM log_segments)), 0)::bigint AS "end",
    ARRAY(SELECT id FROM records WHERE id BETWEEN ${parameter(9)} AND ${parameter(10)}
      AND (received_at < ${parameter(11)} OR received_at >= ${parameter(12)})) AS known`;

const KNOWN = 'SELECT id FROM records WHERE id = ANY($1)';

const BEGINS_WITH_TIME = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/;

const timeIn = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** The ids of a group, by how they are looked for in other months than their own. */
interface Ids {
  /** The month that most go to, as the database bounds it. */
  readonly month: Bounds;
  /** Of records of that month, and made in it, in order: they lie together, and apart from those of other months. */
  readonly together: readonly string[];
  readonly others: readonly string[];
}

function idsOf(rows: readonly Row[], months: readonly Bounds[]): Ids {
  const last = rows.at(-1)?.columns.received_at ?? 0;
  const within = ({ from, to }: Bounds, time: number): boolean => time >= from && time < to;
  const month = months.find((one) => within(one, last)) ?? { from: 0, to: 0 };
  const [together, others]: [string[], string[]] = [[], []];
  for (const { columns } of rows) {
    const { id, received_at } = columns;
    const regular = BEGINS_WITH_TIME.test(id) && within(month, received_at) && within(month, timeIn(id));
    (regular ? together : others).push(id);
  }
  return { month, together: together.sort(), others };
}

function parametersOf(
  rows: readonly Row[],
  extension: Extension,
  { at, lastAt }: Surroundings,
  { together, month }: Ids,
): unknown[] {
  return [
    rows.map((_, i) => extension.first + i),
    rows.map((row) => row.leaf),
    rows.map((row) => row.hash),
    ...COLUMN_NAMES.map((name) => rows.map((row) => row.columns[name])),
    extension.tiles.map((tile) => tile.level),
    extension.tiles.map((tile) => tile.index),
    extension.tiles.map((tile) => tile.hashes),
    extension.tiles.map((tile) => tile.root),
    extension.treeSize,
    extension.root,
    at,
    extension.note,
    lastAt,
    together[0] ?? null,
    together.at(-1) ?? null,
    month.from,
    month.to,
  ];
}

/** What the statement that adds rows says of the log before them. */
interface Before {
  readonly end: number | string;
  readonly known: readonly string[];
}

/**
 * The key of a month refuses an id that the same month holds. The same id in another month, which no key of the database
 * spans, is refused here: a record's month follows from `received`, so this takes two records that differ in it.
 */
function checkBefore({ end, known }: Before, ids: readonly string[], first: number): void {
  if (Number(end) !== first)
    throw new LogError('damaged', `the log holds ${end} records, its last checkpoint says ${first}`);
  const added = new Set(ids);
  if (known.some((id) => added.has(id))) throw new LogError('row', 'a record of another month has this id');
}

const INSERT_SUBJECTS = `INSERT INTO record_subjects (digest, received_at, seq)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])`;

/** Most groups concern nobody who is named, and then cost nothing. */
async function insertSubjects(client: pg.Client, rows: readonly Row[], first: number): Promise<void> {
  const found = rows.flatMap(({ subjects, columns }, i) =>
    subjects.map((digest) => [digest, columns.received_at, first + i] as const),
  );
  if (found.length === 0) return;
  await client.query(
    INSERT_SUBJECTS,
    [0, 1, 2].map((at) => found.map((row) => row[at])),
  );
}

/** What an append knows beside its rows; times in milliseconds since the epoch. */
export interface Surroundings {
  /** Kept with the checkpoint. */
  readonly at: number;
  /** When the last record of the log was received. */
  readonly lastAt: number;
  /** What `readMonths` gave: one that was made or dropped meanwhile changes nothing of what may be added. */
  readonly months: readonly Bounds[];
}

/** One month or more: where the database itself keeps ids unique. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
}

export async function readMonths(client: pg.Client): Promise<Bounds[]> {
  const answer = await client.query<{ name: string; bound: string }>(PARTITIONS);
  return answer.rows
    .map(partitionOf)
    .flatMap(({ from, to }) => (from === null || to === null ? [] : [{ from, to }]));
}

/**
 * Adds rows, their subjects, tiles and head, in the turn of one who appends.
 *
 * @returns when the last of them was received
 * @throws LogError `row` for an id that is in the log, `damaged` when the records end elsewhere than the head said
 */
export async function addRows(
  client: pg.Client,
  rows: readonly Row[],
  extension: Extension,
  around: Surroundings,
): Promise<number> {
  const ids = idsOf(rows, around.months);
  if (new Set(rows.map(({ columns }) => columns.id)).size < rows.length)
    throw new LogError('row', 'two records have the same id');
  if (ids.others.length > 0) {
    // Without a name: a plan that was kept from when the table was small reads all of it.
    const { rowCount } = await client.query(KNOWN, [ids.others]);
    if (rowCount !== 0) throw new LogError('row', 'a record has this id already');
  }
  const values = parametersOf(rows, extension, around, ids);
  const answer = await client.query<Before>({ name: 'append', text: INSERT, values });
  checkBefore(answer.rows[0] as Before, ids.together, extension.first);
  await insertSubjects(client, rows, extension.first);
  return rows.at(-1)?.columns.received_at ?? around.lastAt;
}

const LAST = `SELECT coalesce(greatest(last.seq + 1, sealed.end), 0)::bigint AS size, last.received_at
  FROM (SELECT max(to_seq) AS end FROM log_segments) sealed
  LEFT JOIN LATERAL (SELECT seq, received_at FROM records ORDER BY seq DESC LIMIT 1) last ON true`;

/** Where the records end, of which those of sealed segments may have left, and when the last of them was received. */
export async function readEnd(client: pg.Client): Promise<{ size: number; lastAt: number }> {
  type Last = { size: number | string; received_at: number | string | null };
  const answer = await client.query<Last>({ name: 'end', text: LAST });
  const last = answer.rows[0];
  return {
    size: Number(last?.size),
    lastAt: last?.received_at == null ? ANY_TIME : Number(last.received_at),
  };
}
