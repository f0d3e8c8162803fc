import type { Knex } from 'knex';
import type { Database } from '../store/database.js';
import { addGrantUse, type UseOutcome } from '../store/grant-use.js';
import { followRecord, isCaughtUp } from './follow.js';
import { DAY_SQL, dayOf, disclosedSql } from './use-by-day.js';

const BATCH = 20_000;
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

async function countRange(
  trx: Knex,
  engine: Database['engine'],
  from: number,
  to: number,
): Promise<Counted[]> {
  const rows: unknown = await trx('records')
    .select('operation', 'outcome', { grant_id: 'grant_no' })
    .select(trx.raw(`${DAY_SQL} AS day`))
    .select(trx.raw(`${disclosedSql(engine)} AS disclosed`))
    .count({ calls: '*' })
    .max({ last: 'received_at' })
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .where({ kind: 'closing', plane: 'data' })
    .whereNotNull('operation')
    .whereNotNull('outcome')
    .whereNotNull('grant_no')
    .groupBy('grant_no', 'operation', 'outcome', 'day', 'disclosed');
  return rows as Counted[];
}

/** Nothing left with a call that was not answered. */
function fieldsOf({ outcome, disclosed }: Counted): string | null {
  return outcome === 'answered' ? disclosed : '[]';
}

async function count(
  trx: Knex.Transaction,
  engine: Database['engine'],
  from: number,
  to: number,
): Promise<void> {
  for (const row of await countRange(trx, engine, from, to))
    await addGrantUse(trx, {
      grant_id: row.grant_id,
      day: dayOf(row.day),
      operation: row.operation,
      ...{ answered: 0, refused: 0, failed: 0, aborted: 0 },
      [row.outcome]: row.calls,
      last_at: row.last,
      fields: fieldsOf(row),
    });
}

/** Counts from the record what was called under each grant on which day, how it ended and which fields left. */
export async function countGrantUse(database: Database): Promise<void> {
  const look = (trx: Knex.Transaction, from: number, to: number) => count(trx, database.engine, from, to);
  await followRecord(database, { name: NAME, batch: BATCH, look });
}

/** Whether the counts have come as far as the record: who acts on them must not act on old ones. */
export async function isCounted(database: Database): Promise<boolean> {
  return await isCaughtUp(database, NAME);
}
