import type { Knex } from 'knex';
import { vietnamDay } from '../base/calendar.js';
import type { Database } from '../store/database.js';
import { addUse, deleteUseBefore } from '../store/service-use.js';
import { followRecord } from './follow.js';
import { DAY_SQL, dayOf, disclosedSql } from './use-by-day.js';

const BATCH = 20_000;
const DAY_MS = 86_400_000;
/** Longer than anybody asks for, so that a late record still falls into its day. */
const KEPT_DAYS = 120;
const NAME = 'service-use';

interface Counted {
  provider: string;
  service: string;
  version: string;
  operation: string;
  system: string;
  agency: string;
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
    .select('provider', 'service', 'version', 'operation', 'system', 'agency')
    .select(trx.raw(`${DAY_SQL} AS day`))
    .select(trx.raw(`${disclosedSql(engine)} AS disclosed`))
    .count({ calls: '*' })
    .max({ last: 'received_at' })
    .where('seq', '>', from)
    .where('seq', '<=', to)
    .where({ kind: 'closing', plane: 'data', outcome: 'answered' })
    .whereNotNull('operation')
    .whereNotNull('system')
    .groupBy('provider', 'service', 'version', 'operation', 'system', 'agency', 'day', 'disclosed');
  return rows as Counted[];
}

async function count(
  trx: Knex.Transaction,
  engine: Database['engine'],
  from: number,
  to: number,
): Promise<void> {
  for (const row of await countRange(trx, engine, from, to))
    await addUse(trx, {
      service_id: `${row.provider}/${row.service}/${row.version}`,
      day: dayOf(row.day),
      operation: row.operation,
      system_id: row.system,
      agency_code: row.agency,
      calls: row.calls,
      last_at: row.last,
      fields: row.disclosed,
    });
}

/** Counts from the record who called which operation on which day. */
export async function countServiceUse(database: Database, now: number): Promise<void> {
  const look = (trx: Knex.Transaction, from: number, to: number) => count(trx, database.engine, from, to);
  await followRecord(database, { name: NAME, batch: BATCH, look });
  await deleteUseBefore(database.knex, vietnamDay(now - KEPT_DAYS * DAY_MS));
}
