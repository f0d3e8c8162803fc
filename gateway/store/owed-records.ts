import type { Knex } from 'knex';

interface OwedRow {
  id: string;
  /** JSON of the record. */
  record: string;
}

/** Notes a record in the transaction of the change that it tells of, so that neither can be without the other. */
export async function oweRecord(trx: Knex, record: { readonly id: string }): Promise<void> {
  await trx<OwedRow>('owed_records').insert({ id: record.id, record: JSON.stringify(record) });
}

export async function owedRecords(knex: Knex, limit: number): Promise<OwedRow[]> {
  return await knex<OwedRow>('owed_records').orderBy('id').limit(limit);
}

export async function recordPaid(knex: Knex, id: string): Promise<void> {
  await knex<OwedRow>('owed_records').where({ id }).delete();
}
