import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import { findAgency, insertAgency } from '../store/agencies.js';
import { changing } from '../store/changes.js';
import type { Database } from '../store/database.js';
import { insertCredential, insertSystem, type SystemRow } from '../store/systems.js';
import { isUniqueViolation } from '../store/unique.js';
import { makeSecret } from './systems/credentials.js';

const ADMIN_ID = 'admin';
/** Before any date that a record or a register of the platform could bear. */
const SINCE = '2000-01-01';

function adminRow(agency: string, now: number): SystemRow {
  return {
    id: ADMIN_ID,
    agency_code: agency,
    name: 'Quản trị ban đầu',
    roles: JSON.stringify(['operator', 'manager']),
    state: 'active',
    state_since: now,
    state_reason: null,
    limit_calls: null,
    limit_seconds: null,
    created_at: now,
    updated_at: now,
  };
}

/**
 * The first start: while there is no system at all, makes the platform's agency and one administrator, through
 * whom everything else is entered. Of nodes that start together exactly one does it.
 *
 * @returns the administrator's client id and secret, this once; null on every later start
 */
export async function bootstrap(
  database: Database,
  platform: Config['platform'],
  clock: Clock,
): Promise<{ clientId: string; secret: string } | null> {
  const now = clock.now();
  if ((await database.knex('systems').first('id')) !== undefined) return null;
  const made = makeSecret(ADMIN_ID, now);
  try {
    await changing(database, { noun: 'system', key: ADMIN_ID, at: now }, async (trx) => {
      // Writing first takes SQLite's lock before anything is read; whoever comes second meets the unique key.
      await trx('installation').insert({ name: 'bootstrap', value: new Date(now).toISOString() });
      const { agencyCode: code, agencyName: name } = platform;
      const span = { alias: null, parent_code: null, valid_from: SINCE, valid_to: null };
      const dates = { created_at: now, updated_at: now };
      if ((await findAgency(trx, code)) === undefined)
        await insertAgency(trx, { code, name, level: 'province', ...span, ...dates });
      await trx('changes').insert({ noun: 'agency', key: code, at: now });
      await insertSystem(trx, adminRow(code, now));
      await insertCredential(trx, made.row);
    });
  } catch (error) {
    if (isUniqueViolation(error)) return null;
    throw error;
  }
  return { clientId: ADMIN_ID, secret: made.secret };
}
