import { canonicalRecord } from '../../gateway/audit/canonical.js';
import { COLUMN_NAMES, columnsOf } from '../../gateway/audit/columns.js';
import type { AuditRecord } from '../../gateway/audit/record.js';
import { leafHash } from '../../gateway/audit/tree.js';
import type { Database } from '../../gateway/store/database.js';

/** The row of a record, for tests of what does not look at the tree. */
export function recordRow(record: AuditRecord, seq: number): object {
  const leaf = canonicalRecord(record);
  const columns = columnsOf(record);
  return {
    seq,
    leaf,
    leaf_hash: leafHash(leaf),
    ...Object.fromEntries(COLUMN_NAMES.map((name) => [name, columns[name]])),
  };
}

/** Rows straight into the table. */
export async function insertRecords(
  { knex }: Database,
  records: readonly AuditRecord[],
  first: number,
): Promise<void> {
  await knex.batchInsert(
    'records',
    records.map((record, i) => recordRow(record, first + i)),
    30,
  );
}
