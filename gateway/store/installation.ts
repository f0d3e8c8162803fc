import type { Knex } from 'knex';

interface InstallationRow {
  name: string;
  value: string;
}

/** A fact about this installation as a whole, the same for all of its nodes. */
export async function findInstallationValue(knex: Knex, name: string): Promise<string | undefined> {
  const row = await knex<InstallationRow>('installation').where({ name }).first();
  return row?.value;
}

/**
 * Writes a fact that must never change once it is there.
 *
 * @returns the value that stands: another node may have been first
 */
export async function keepInstallationValue(knex: Knex, name: string, value: string): Promise<string> {
  await knex<InstallationRow>('installation').insert({ name, value }).onConflict('name').ignore();
  return (await findInstallationValue(knex, name)) ?? value;
}
