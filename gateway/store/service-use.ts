import type { Knex } from 'knex';

/** What one system called of one operation on one day. */
export interface ServiceUseRow {
  service_id: string;
  /** Calendar day in Asia/Ho_Chi_Minh. */
  day: string;
  operation: string;
  system_id: string;
  agency_code: string;
  calls: number;
  /** Milliseconds since the epoch. */
  last_at: number;
  /** JSON array of the fields that left; null where all did at least once. */
  fields: string | null;
}

/** One system's use of one operation over many days. */
export interface OperationUse {
  readonly system: string;
  readonly agency: string;
  readonly operation: string;
  readonly calls: number;
  readonly lastAt: number;
  /** Null where all fields of an answer left. */
  readonly fields: readonly string[] | null;
}

const fieldsOf = (text: string | null): readonly string[] | null =>
  text === null ? null : (JSON.parse(text) as string[]);

function union(a: readonly string[] | null, b: readonly string[] | null): readonly string[] | null {
  return a === null || b === null ? null : [...new Set([...a, ...b])].sort();
}

/** Adds to what is known of a day. */
export async function addUse(trx: Knex, row: ServiceUseRow): Promise<void> {
  const { service_id, day, operation, system_id } = row;
  const key = { service_id, day, operation, system_id };
  const known = await trx<ServiceUseRow>('service_use').where(key).first();
  if (known === undefined) {
    await trx<ServiceUseRow>('service_use').insert(row);
    return;
  }
  const fields = union(fieldsOf(known.fields), fieldsOf(row.fields));
  await trx<ServiceUseRow>('service_use')
    .where(key)
    .update({
      calls: known.calls + row.calls,
      last_at: Math.max(known.last_at, row.last_at),
      fields: fields === null ? null : JSON.stringify(fields),
    });
}

/** Who used a service since a day, by system and operation. */
export async function useSince(knex: Knex, service: string, day: string): Promise<OperationUse[]> {
  const rows = await knex<ServiceUseRow>('service_use')
    .where({ service_id: service })
    .where('day', '>=', day)
    .orderBy(['system_id', 'operation', 'day']);
  const found = new Map<string, OperationUse>();
  for (const row of rows) {
    const key = `${row.system_id} ${row.operation}`;
    const known = found.get(key);
    found.set(key, {
      system: row.system_id,
      agency: row.agency_code,
      operation: row.operation,
      calls: row.calls + (known?.calls ?? 0),
      lastAt: Math.max(row.last_at, known?.lastAt ?? 0),
      fields: known === undefined ? fieldsOf(row.fields) : union(known.fields, fieldsOf(row.fields)),
    });
  }
  return [...found.values()];
}

export async function deleteUseBefore(knex: Knex, day: string): Promise<void> {
  await knex<ServiceUseRow>('service_use').where('day', '<', day).delete();
}
