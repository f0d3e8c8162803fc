import type { Database } from '../store/database.js';
import { owedRecords, recordPaid } from '../store/owed-records.js';
import type { AuditRecord, Recorder } from './record.js';

const BATCH = 200;

/**
 * Moves records that were noted with their changes into the log. A stop in between only delays them: a record that is
 * in the log already is not written again, since its id is.
 */
export async function writeOwed(database: Database, recorder: Recorder): Promise<void> {
  for (;;) {
    const owed = await owedRecords(database.knex, BATCH);
    for (const { id, record } of owed) {
      const known = await database.knex<{ id: string }>('records').where({ id }).first('id');
      if (known === undefined) await recorder.write(JSON.parse(record) as AuditRecord);
      await recordPaid(database.knex, id);
    }
    if (owed.length < BATCH) return;
  }
}
