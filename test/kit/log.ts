import assert from 'node:assert/strict';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { verifyInstallation } from '../../gateway/cli/verify-log.js';
import type { Database } from '../../gateway/store/database.js';
import { allRecords } from './gateway.js';

/** Fails unless the log is contiguous and verifies against its signed checkpoints. */
export async function assertSound(database: Database): Promise<void> {
  const rows = (await database.knex('records').select('seq').orderBy('seq')) as { seq: number }[];
  assert.deepEqual(
    rows.map(({ seq }) => seq).find((seq, index) => seq !== index),
    undefined,
    'the log has a gap',
  );
  const verified = await verifyInstallation(database);
  assert.deepEqual([verified.ok, verified.fault, verified.size], [true, undefined, rows.length]);
}

/** @returns the records of a log that is sound; see `assertSound` */
export async function soundLog(database: Database): Promise<AuditRecord[]> {
  await assertSound(database);
  return await allRecords(database);
}
