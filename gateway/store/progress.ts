import type { Knex } from 'knex';

interface ProgressRow {
  readonly name: string;
  readonly value: number;
}

export async function readProgress(knex: Knex, name: string): Promise<number> {
  const row = await knex<ProgressRow>('progress').where({ name }).first('value');
  if (row === undefined) throw new Error(`no progress is kept for ${name}`);
  return row.value;
}

/** Where a job stands that goes through something in order; taken for the time of the transaction. */
export async function takeProgress(trx: Knex.Transaction, name: string): Promise<number> {
  // An update rather than a look: it makes other nodes wait, on either engine.
  const [row] = await trx<ProgressRow>('progress')
    .where({ name })
    .update({ value: trx.raw('value') as unknown as number })
    .returning('value');
  if (row === undefined) throw new Error(`no progress is kept for ${name}`);
  return row.value;
}

export async function setProgress(trx: Knex.Transaction, name: string, value: number): Promise<void> {
  await trx<ProgressRow>('progress').where({ name }).update({ value });
}
