import type { Knex } from 'knex';
import type { Database, Engine } from '../store/database.js';
import { followRecord } from './follow.js';

const DAY_MS = 86_400_000;
const UTC_PLUS_7_MS = 7 * 3_600_000;
const BATCH = 20_000;

/** The calls that were counted together. */
export type CallsOfDay<Column extends string> = Readonly<Record<Column, string>> & {
  /** In Vietnam; `dayOf` makes a date of it. */
  readonly day: number;
  /** JSON of the fields that left, where a grant narrowed the answer. */
  readonly disclosed: string | null;
  readonly calls: number;
  /** When the last of them was received, milliseconds since the epoch. */
  readonly last: number;
};

/** SQL for the calendar day in Vietnam on which a record was received, as a number that an engine may give as a fraction. */
const DAY_SQL = `(received_at + ${UTC_PLUS_7_MS}) / ${DAY_MS}`;

/** yyyy-MM-dd of such a number. */
export function dayOf(day: number): string {
  return new Date(Math.floor(day) * DAY_MS).toISOString().slice(0, 10);
}

/** SQL for the fields that left; only where a grant narrows the answer is the leaf looked into. */
function disclosedSql(engine: Engine): string {
  const inside =
    engine === 'postgres' ? `(leaf::json -> 'disclosed')::text` : `json_extract(leaf, '$.disclosed')`;
  return `CASE WHEN leaf LIKE '%"disclosed":%' THEN ${inside} END`;
}

export interface UseAsk<Column extends string> {
  /** Under what name it is kept how far the record was followed. */
  readonly name: string;
  /** What calls are told apart by, beside the day and the fields; a call that lacks one of them does not count. */
  readonly columns: readonly Column[];
  /** Only calls that ended so. */
  readonly outcome?: string;
  readonly add: (trx: Knex.Transaction, calls: CallsOfDay<Column>) => Promise<void>;
}

/** Follows the record of the data plane, and adds up its calls by day. */
export async function followUse<Column extends string>(
  database: Database,
  { name, columns, outcome, add }: UseAsk<Column>,
): Promise<void> {
  const look = async (trx: Knex.Transaction, from: number, to: number): Promise<void> => {
    const rows = trx('records')
      .select(columns)
      .select(trx.raw(`${DAY_SQL} AS day`), trx.raw(`${disclosedSql(database.engine)} AS disclosed`))
      .count({ calls: '*' })
      .max({ last: 'received_at' })
      .where('seq', '>', from)
      .where('seq', '<=', to)
      .where({ kind: 'closing', plane: 'data', ...(outcome === undefined ? {} : { outcome }) })
      .groupBy([...columns, 'day', 'disclosed']);
    for (const column of columns) void rows.whereNotNull(column);
    for (const row of (await rows) as unknown as CallsOfDay<Column>[]) await add(trx, row);
  };
  await followRecord(database, { name, batch: BATCH, look });
}
