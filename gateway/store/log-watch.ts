import type { Knex } from 'knex';

/** How the last verification of the log beside the exchange ended, and which node is at it. */
export interface LogWatchRow {
  /** Of the last run that came to its end, milliseconds since the epoch. */
  started_at: number | null;
  finished_at: number | null;
  /** Records that it proved, and the root over them, base64. */
  size: number;
  root: string | null;
  ok: boolean | null;
  /** JSON of what is wrong. */
  fault: string | null;
  /** The largest head that was ever proved. */
  held_size: number;
  held_root: string | null;
  /** The fault that was told and is not repaired yet. */
  told: string | null;
  /** Why the log could not be read, where it could not. */
  error: string | null;
  next_at: number;
  retry_at: number;
  running_since: number | null;
  leased_by: string | null;
  lease_until: number | null;
}

export interface LogWatchTurn {
  readonly node: string;
  /** When this node started: whatever was found before that, it wants to know again. */
  readonly startedAt: number;
  readonly now: number;
  readonly leaseMs: number;
}

const ONE = { name: 'log' } as const;
const FREE = { leased_by: null, lease_until: null, running_since: null };

/** SQLite knows no booleans. */
const read = (row: LogWatchRow): LogWatchRow => ({
  ...row,
  ok: row.ok === null ? null : Number(row.ok) === 1,
});

/** The one row, which is entered where it is not there. */
export async function findLogWatch(knex: Knex): Promise<LogWatchRow> {
  const find = () => knex<LogWatchRow>('log_watch').where(ONE).first();
  const row = await find();
  if (row !== undefined) return read(row);
  await knex('log_watch').insert(ONE).onConflict('name').ignore();
  return read((await find()) as LogWatchRow);
}

/**
 * Takes the turn to verify, for as long as the lease runs; undefined when it is not due or another node has it. Looked
 * at before it is written: a node with nothing to do must not take SQLite's one write lock.
 */
export async function takeWatchTurn(
  knex: Knex,
  { node, startedAt, now, leaseMs }: LogWatchTurn,
): Promise<LogWatchRow | undefined> {
  const due = () =>
    knex<LogWatchRow>('log_watch')
      .where(ONE)
      .where('retry_at', '<=', now)
      .where(
        (wanted) =>
          void wanted
            .where('next_at', '<=', now)
            .orWhereNull('finished_at')
            .orWhere('finished_at', '<', startedAt),
      )
      .where((free) => void free.whereNull('lease_until').orWhere('lease_until', '<=', now));
  if ((await due().first('size')) === undefined) return undefined;
  const lease = { leased_by: node, lease_until: now + leaseMs, running_since: now };
  return (await due().update(lease)) === 0 ? undefined : await findLogWatch(knex);
}

/** @returns false when the lease has gone to another node */
export async function renewWatchTurn(knex: Knex, node: string, until: number): Promise<boolean> {
  return (
    (await knex<LogWatchRow>('log_watch')
      .where({ ...ONE, leased_by: node })
      .update({ lease_until: until })) > 0
  );
}

/** What became of a turn; nothing when the lease has gone to another node. @returns whether it was noted */
export async function endWatchTurn(trx: Knex, node: string, change: Partial<LogWatchRow>): Promise<boolean> {
  const row = trx<LogWatchRow>('log_watch').where({ ...ONE, leased_by: node });
  return (await row.update({ ...change, ...FREE })) > 0;
}
