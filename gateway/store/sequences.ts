import type { Knex } from 'knex';

/**
 * The next of the numbers that people quote, e.g. `yc-2026-0007`. Called inside `changing`, where writers take turns,
 * so that none is skipped or given twice.
 *
 * @param day calendar day; its year is part of the number, and each year begins anew
 */
export async function nextNumber(trx: Knex, prefix: string, day: string): Promise<string> {
  const name = `${prefix}-${day.slice(0, 4)}`;
  const row = await trx<{ name: string; last: number }>('sequences').where({ name }).first();
  const last = (row?.last ?? 0) + 1;
  await trx('sequences').insert({ name, last }).onConflict('name').merge();
  return `${name}-${String(last).padStart(4, '0')}`;
}
