import type { Knex } from 'knex';

/** One artefact of the authorization server. Times are milliseconds since the epoch, UTC. */
export interface OidcPayloadRow {
  model: string;
  id: string;
  /** JSON, as the authorization server gave it. */
  payload: string;
  grant_id: string | null;
  uid: string | null;
  user_code: string | null;
  /** The person whose it is. */
  account_id?: string | null;
  expires_at: number | null;
  consumed_at: number | null;
}

type Key = Partial<Pick<OidcPayloadRow, 'id' | 'uid' | 'user_code'>>;

/** The artefact, unless its time is over. */
export async function findPayload(
  knex: Knex,
  model: string,
  key: Key,
  now: number,
): Promise<OidcPayloadRow | undefined> {
  return await knex<OidcPayloadRow>('oidc_payloads')
    .where({ model, ...key })
    .where((live) => void live.whereNull('expires_at').orWhere('expires_at', '>', now))
    .first();
}

/** Writes the artefact, over an earlier state of it where there is one. */
export async function upsertPayload(knex: Knex, row: OidcPayloadRow): Promise<void> {
  await knex<OidcPayloadRow>('oidc_payloads').insert(row).onConflict(['model', 'id']).merge();
}

async function insertIfAbsent(knex: Knex, row: OidcPayloadRow): Promise<boolean> {
  const inserted: unknown[] = await knex<OidcPayloadRow>('oidc_payloads')
    .insert(row)
    .onConflict(['model', 'id'])
    .ignore()
    .returning('id');
  return inserted.length === 1;
}

/**
 * Writes an artefact that may exist only once: of any number of writers, on any node, exactly one is told true.
 * One whose time is over makes room for the next.
 */
export async function insertPayloadOnce(knex: Knex, row: OidcPayloadRow, now: number): Promise<boolean> {
  if (await insertIfAbsent(knex, row)) return true;
  const removed = await knex<OidcPayloadRow>('oidc_payloads')
    .where({ model: row.model, id: row.id })
    .where('expires_at', '<=', now)
    .delete();
  return removed > 0 && (await insertIfAbsent(knex, row));
}

/** Uses an artefact up. @returns false when it was used before, or is gone: of several at once exactly one is told true */
export async function consumePayload(knex: Knex, model: string, id: string, now: number): Promise<boolean> {
  const used = await knex<OidcPayloadRow>('oidc_payloads')
    .where({ model, id })
    .whereNull('consumed_at')
    .update({ consumed_at: now });
  return used === 1;
}

/** Writes over an artefact, unless it was taken away meanwhile. @returns false when there is none */
export async function replacePayload(knex: Knex, { model, id, ...row }: OidcPayloadRow): Promise<boolean> {
  return (await knex<OidcPayloadRow>('oidc_payloads').where({ model, id }).update(row)) === 1;
}

/** @returns false when there was none any more */
export async function deletePayload(knex: Knex, model: string, id: string): Promise<boolean> {
  return (await knex<OidcPayloadRow>('oidc_payloads').where({ model, id }).delete()) === 1;
}

/** Everything of the model that rests on the grant. */
export async function deletePayloadsOfGrant(knex: Knex, model: string, grantId: string): Promise<void> {
  await knex<OidcPayloadRow>('oidc_payloads').where({ model, grant_id: grantId }).delete();
}

/**
 * Removes artefacts whose time is over, at most `batch` of them, so that no single statement holds the
 * database for long.
 *
 * @returns how many were removed; less than `batch` means that none is left
 */
export async function deleteExpired(knex: Knex, now: number, batch: number): Promise<number> {
  const expired = await knex<OidcPayloadRow>('oidc_payloads')
    .select('model', 'id')
    .where('expires_at', '<=', now)
    .orderBy('expires_at')
    .limit(batch);
  if (expired.length === 0) return 0;
  return await knex<OidcPayloadRow>('oidc_payloads')
    .whereIn(
      ['model', 'id'],
      expired.map((row) => [row.model, row.id]),
    )
    .where('expires_at', '<=', now)
    .delete();
}
