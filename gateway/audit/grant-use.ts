import type { Knex } from 'knex';
import type { Database } from '../store/database.js';
import { addGrantUse, type UseOutcome } from '../store/grant-use.js';
import { readProgress, setProgress, takeProgress } from '../store/service-use.js';

/** So many records are counted in one transaction; what is left follows in the next. */
const BATCH = 20_000;
const DAY_MS = 86_400_000;
const UTC_PLUS_7_MS = 7 * 3_600_000;
const NAME = 'grant-use';

interface Counted {
  grant_id: string;
  operation: string;
  outcome: UseOutcome;
  day: number;
  disclosed: string | null;
  calls: number;
  last: number;
}

const MEMBERS = {
  sqlite: { grant: `json_extract(leaf, '$.grant')`, disclosed: `json_extract(leaf, '$.disclosed')` },
  postgres: { grant: `leaf::json ->> 'grant'`, disclosed: `(leaf::json -> 'disclosed')::text` },
} as const;

async function countRange(
  trx: Knex,
  engine: Database['engine'],
  from: number,
  to: number,
): Promise<Counted[]> {
  const { grant, disclosed } = MEMBERS[engine];
  const rows: unknown = await trx('records')
    .select('operation', 'outcome')
    .select(trx.raw(`${grant} AS grant_id`))
    .select(trx.raw(`(received_at + ${UTC_PLUS_7_MS}) / ${DAY_MS} AS day`))
    .select(trx.raw(`CASE WHEN leaf LIKE '%"disclosed":%' THEN ${disclosed} END AS disclosed`))
    .count({ calls: '*' })
    .max({ last: 'received_at' })
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .where({ kind: 'closing', plane: 'data' })
    .whereNotNull('operation')
    .whereNotNull('outcome')
    // Only then is the leaf looked into.
    .whereRaw(`leaf LIKE '%"grant":%'`)
    .groupBy('grant_id', 'operation', 'outcome', 'day', 'disclosed');
  return rows as Counted[];
}

/** Nothing left with a call that was not answered. */
function fieldsOf({ outcome, disclosed }: Counted): string | null {
  return outcome === 'answered' ? disclosed : '[]';
}

async function newestRecord(knex: Knex): Promise<number> {
  const row = (await knex('records').max({ seq: 'seq' }).first()) as { seq: number | null } | undefined;
  return row?.seq ?? -1;
}

async function countBatch({ knex, engine }: Database): Promise<boolean> {
  return await knex.transaction(async (trx) => {
    const from = await takeProgress(trx, NAME);
    const to = Math.min(await newestRecord(trx), from + BATCH);
    if (to <= from) return false;
    for (const row of await countRange(trx, engine, from, to))
      await addGrantUse(trx, {
        grant_id: row.grant_id,
        // The engine may divide into fractions of a day.
        day: new Date(Math.floor(row.day) * DAY_MS).toISOString().slice(0, 10),
        operation: row.operation,
        ...{ answered: 0, refused: 0, failed: 0, aborted: 0 },
        [row.outcome]: row.calls,
        last_at: row.last,
        fields: fieldsOf(row),
      });
    await setProgress(trx, NAME, to);
    return to - from === BATCH;
  });
}

/**
 * Counts from the record what was called under each grant on which day, how it ended and which fields left. Each record
 * is counted once, as `countServiceUse` does it.
 */
export async function countGrantUse({ knex, ...rest }: Database): Promise<void> {
  // Looked at before it is written: an idle node must not take SQLite's one write lock again and again.
  if ((await newestRecord(knex)) <= (await readProgress(knex, NAME))) return;
  while (await countBatch({ knex, ...rest }));
}

/** Whether the counts have come as far as the record: who acts on them must not act on old ones. */
export async function isCounted({ knex }: Database): Promise<boolean> {
  return (await newestRecord(knex)) <= (await readProgress(knex, NAME));
}
