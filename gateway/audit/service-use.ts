import { vietnamDay } from '../base/calendar.js';
import type { Database } from '../store/database.js';
import { addUse, deleteUseBefore } from '../store/service-use.js';
import { dayOf, followUse } from './use-by-day.js';

const DAY_MS = 86_400_000;
/** Longer than anybody asks for, so that a late record still falls into its day. */
const KEPT_DAYS = 120;

/** Counts from the record who called which operation on which day. */
export async function countServiceUse(database: Database, now: number): Promise<void> {
  await followUse(database, {
    name: 'service-use',
    columns: ['provider', 'service', 'version', 'operation', 'system', 'agency'],
    outcome: 'answered',
    async add(trx, { provider, service, version, operation, system, agency, day, disclosed, calls, last }) {
      await addUse(trx, {
        ...{ service_id: `${provider}/${service}/${version}`, day: dayOf(day), operation },
        ...{ system_id: system, agency_code: agency, calls, last_at: last, fields: disclosed },
      });
    },
  });
  await deleteUseBefore(database.knex, vietnamDay(now - KEPT_DAYS * DAY_MS));
}
