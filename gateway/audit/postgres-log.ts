import pg from 'pg';
import { COLUMN_NAMES, type Columns } from './columns.js';
import { LogError } from './log-error.js';
import type { LogSigners } from './log-signers.js';
import {
  type Appended,
  CATCH_UP_LIMIT,
  checkHead,
  type Extension,
  extend,
  type Found,
  type LogEnd,
  type LogStore,
  type Row,
  restoreTree,
  type StoredHead,
} from './log-store.js';
import { type LogTree, type PendingRange, pendingRanges } from './tree.js';

const COLUMN_TYPES: Partial<Record<keyof Columns, string>> = { received_at: 'bigint', status: 'integer' };
const FIRST_COLUMN = 4;

// Nodes take turns: the lock is the table's own, so that installations in other schemas are not waited for, and
// ends with the transaction. READ COMMITTED gives the statement after it a view of all that was committed before.
const TURN = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SELECT pg_advisory_xact_lock((1279742288::bigint << 32) | 'records'::regclass::oid::bigint);
  SELECT coalesce(max(seq) + 1, 0)::bigint AS size FROM records`;

const INSERT = `WITH tiles AS (
    INSERT INTO log_tiles (level, tile_index, hashes, root)
    SELECT * FROM unnest($${FIRST_COLUMN + COLUMN_NAMES.length}::integer[],
      $${FIRST_COLUMN + COLUMN_NAMES.length + 1}::bigint[], $${FIRST_COLUMN + COLUMN_NAMES.length + 2}::bytea[],
      $${FIRST_COLUMN + COLUMN_NAMES.length + 3}::bytea[])
  ), head AS (
    INSERT INTO log_checkpoints (tree_size, root_hash, at, note)
    VALUES ($${FIRST_COLUMN + COLUMN_NAMES.length + 4}, $${FIRST_COLUMN + COLUMN_NAMES.length + 5},
      $${FIRST_COLUMN + COLUMN_NAMES.length + 6}, $${FIRST_COLUMN + COLUMN_NAMES.length + 7})
  )
  INSERT INTO records (seq, leaf, leaf_hash, ${COLUMN_NAMES.map((name) => `"${name}"`).join(', ')})
  SELECT * FROM unnest($1::bigint[], $2::text[], $3::bytea[],
    ${COLUMN_NAMES.map((name, i) => `$${FIRST_COLUMN + i}::${COLUMN_TYPES[name] ?? 'text'}[]`).join(', ')})`;

function parametersOf(rows: readonly Row[], extension: Extension, at: number): unknown[] {
  return [
    rows.map((_, i) => extension.first + i),
    rows.map((row) => row.leaf),
    rows.map((row) => row.hash),
    ...COLUMN_NAMES.map((name) => rows.map((row) => row.columns[name])),
    extension.tiles.map((tile) => tile.level),
    extension.tiles.map((tile) => tile.index),
    extension.tiles.map((tile) => tile.hashes),
    extension.tiles.map((tile) => tile.root),
    extension.treeSize,
    extension.root,
    at,
    extension.note,
  ];
}

const INSERT_SUBJECTS = `INSERT INTO record_subjects (digest, received_at, seq)
  SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])`;

/** Most groups concern nobody who is named, and then cost nothing. */
async function insertSubjects(client: pg.Client, rows: readonly Row[], first: number): Promise<void> {
  const found = rows.flatMap(({ subjects, columns }, i) =>
    subjects.map((digest) => [digest, columns.received_at, first + i] as const),
  );
  if (found.length === 0) return;
  await client.query(
    INSERT_SUBJECTS,
    [0, 1, 2].map((at) => found.map((row) => row[at])),
  );
}

/** The log in PostgreSQL, shared by all nodes of an installation. */
export class PostgresLog implements LogStore {
  readonly #url: string;
  readonly #signers: LogSigners;
  readonly #timeoutMs: number;
  #client: pg.Client | undefined;
  #end: LogEnd | undefined;

  /** @param timeoutMs bound on every statement, and on waiting for a turn */
  constructor(url: string, signers: LogSigners, timeoutMs: number) {
    this.#url = url;
    this.#signers = signers;
    this.#timeoutMs = timeoutMs;
  }

  open(): Promise<number> {
    return this.#turn(
      async (client, size) => (await this.#caughtUp(client, size)).tree.size,
      () => true,
    );
  }

  append(rows: readonly Row[], at: number, mayCommit: () => boolean): Promise<Appended> {
    return this.#turn(async (client, size) => {
      const extension = extend(await this.#caughtUp(client, size), rows, this.#signers);
      await client.query(INSERT, parametersOf(rows, extension, at));
      await insertSubjects(client, rows, extension.first);
      return { first: extension.first, treeSize: extension.treeSize };
    }, mayCommit);
  }

  find(ids: readonly string[]): Promise<Map<string, Found>> {
    return this.#turn(
      async (client) => {
        const found = await client.query<{ id: string; index: number | string; leaf: string }>(
          'SELECT id, seq AS index, leaf FROM records WHERE id = ANY($1)',
          [ids],
        );
        return new Map(found.rows.map(({ id, index, leaf }) => [id, { index: Number(index), leaf }]));
      },
      () => true,
    );
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.end();
  }

  async #turn<T>(
    work: (client: pg.Client, size: number) => Promise<T>,
    mayCommit: () => boolean,
  ): Promise<T> {
    let committing = false;
    try {
      const client = (this.#client ??= await this.#connect());
      const answers = (await client.query(TURN)) as unknown as pg.QueryResult<{ size: number | string }>[];
      const result = await work(client, Number(answers.at(-1)?.rows[0]?.size));
      if (!mayCommit()) throw new LogError('late', 'the time for this record was up');
      committing = true;
      const end = await client.query('COMMIT');
      if (end.command !== 'COMMIT') throw new LogError('failed', 'the database took the transaction back');
      return result;
    } catch (fault) {
      throw await this.#giveUp(fault, committing);
    }
  }

  /** Leaves nothing half done: rolls back, or else drops the connection, which does the same. */
  async #giveUp(fault: unknown, committing: boolean): Promise<LogError> {
    this.#end = undefined;
    const error = asLogError(fault, committing);
    const gone = error.failure === 'lost' || error.failure === 'unknown';
    const rolledBack = !gone && (await this.#client?.query('ROLLBACK').then(Boolean, () => false)) === true;
    if (!rolledBack) this.#drop();
    return error;
  }

  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.end().catch(() => undefined);
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.#url,
      application_name: 'lgsp-gateway log',
      keepAlive: true,
      connectionTimeoutMillis: this.#timeoutMs,
      statement_timeout: this.#timeoutMs,
      // A node that is cut off must not keep the others waiting for its turn to end.
      idle_in_transaction_session_timeout: this.#timeoutMs,
      query_timeout: this.#timeoutMs + 500,
    });
    client.on('error', () => {
      if (this.#client === client) this.#drop();
    });
    await client.connect();
    // Whatever the server's habit is, an answered commit has to be on its disk.
    await client.query(`SELECT set_config('synchronous_commit', 'on', false)
      WHERE current_setting('synchronous_commit') = 'off'`);
    return client;
  }

  async #caughtUp(client: pg.Client, size: number): Promise<LogEnd> {
    const end = this.#end;
    if (end?.tree.size === size) return end;
    const head = await readHead(client);
    const tree = await grown(client, end?.tree, size, head);
    return (this.#end = { tree, signer: this.#signers.after(head?.note) });
  }
}

async function grown(
  client: pg.Client,
  tree: LogTree | undefined,
  size: number,
  head: StoredHead | undefined,
): Promise<LogTree> {
  if (tree === undefined || size < tree.size || size - tree.size > CATCH_UP_LIMIT)
    return await readTree(client, size, head);
  const leaves = await readLeaves(client, tree.size, size);
  // Some of them have left for a sealed segment.
  if (leaves.length < size - tree.size) return await readTree(client, size, head);
  for (const hash of leaves) tree.append(hash);
  tree.takeTiles();
  checkHead(tree, head);
  return tree;
}

async function readHead(client: pg.Client): Promise<StoredHead | undefined> {
  const head = await client.query<{ size: number | string; root: Buffer; note: string }>(
    'SELECT tree_size AS size, root_hash AS root, note FROM log_checkpoints ORDER BY tree_size DESC LIMIT 1',
  );
  const row = head.rows[0];
  return row === undefined ? undefined : { ...row, size: Number(row.size) };
}

async function readLeaves(client: pg.Client, from: number, to: number): Promise<Buffer[]> {
  const found = await client.query<{ hash: Buffer }>(
    'SELECT leaf_hash AS hash FROM records WHERE seq >= $1 AND seq < $2 ORDER BY seq',
    [from, to],
  );
  return found.rows.map((row) => row.hash);
}

async function readRoots(client: pg.Client, { level, from, to }: PendingRange): Promise<Buffer[]> {
  const found = await client.query<{ root: Buffer }>(
    `SELECT root FROM log_tiles WHERE level = $1 AND tile_index >= $2 AND tile_index < $3 ORDER BY tile_index`,
    [level - 1, from, to],
  );
  return found.rows.map((row) => row.root);
}

async function readTree(client: pg.Client, size: number, head: StoredHead | undefined): Promise<LogTree> {
  const read = new Map<number, Buffer[]>();
  for (const range of pendingRanges(size)) {
    const { level, from, to } = range;
    read.set(level, level === 0 ? await readLeaves(client, from, to) : await readRoots(client, range));
  }
  return restoreTree(size, head, (range) => read.get(range.level) ?? []);
}

// 08: connection · 57P: the server ends sessions · 25P03: idle too long in a transaction
const CONNECTION_LOST = /^(?:08|57P|25P03)/;
// 22: a value that does not fit · 23: a constraint
const ROW_REFUSED = /^2[23]/;

function asLogError(fault: unknown, committing: boolean): LogError {
  if (fault instanceof LogError) return fault;
  const message = fault instanceof Error ? fault.message : 'unknown fault';
  const state = fault instanceof pg.DatabaseError ? (fault.code ?? '') : '';
  if (state === '' || CONNECTION_LOST.test(state))
    return new LogError(committing ? 'unknown' : 'lost', message, fault);
  return new LogError(ROW_REFUSED.test(state) ? 'row' : 'failed', message, fault);
}
