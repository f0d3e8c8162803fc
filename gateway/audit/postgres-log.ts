import pg from 'pg';
import { LogError } from './log-error.js';
import type { LogSigners } from './log-signers.js';
import { addRows, ANY_TIME, type Bounds, readEnd, readMonths } from './postgres-append.js';
import {
  type Appended,
  CATCH_UP_LIMIT,
  checkHead,
  extend,
  type Found,
  type LogEnd,
  type LogStore,
  type Row,
  restoreTree,
  type StoredHead,
} from './log-store.js';
import { type LogTree, type PendingRange, pendingRanges } from './tree.js';

// Nodes take turns: the lock is the table's own, so that installations in other schemas are not waited for, and
// ends with the transaction. READ COMMITTED gives the statement after it a view of all that was committed before.
// This lock is what makes `seq` unique over all months, for no key of the database spans them. How far the log has come
// is taken from its head, which lies in one table; that the records end there too, the INSERT says.
const TURN = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SELECT pg_advisory_xact_lock((1279742288::bigint << 32) | 'records'::regclass::oid::bigint);
  SELECT coalesce(max(tree_size), 0)::bigint AS size FROM log_checkpoints`;

/** The log in PostgreSQL, shared by all nodes of an installation. */
export class PostgresLog implements LogStore {
  readonly #url: string;
  readonly #signers: LogSigners;
  readonly #timeoutMs: number;
  #client: pg.Client | undefined;
  #end: LogEnd | undefined;
  /** When the last record was received, as far as this node knows: it lies in a month from then on. */
  #lastAt = ANY_TIME;
  #months: readonly Bounds[] = [];

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
      this.#lastAt = await addRows(client, rows, extension, {
        at,
        lastAt: this.#lastAt,
        months: await this.#monthsWith(client, rows),
      });
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
    this.#lastAt = ANY_TIME;
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
    // Planned once: what a statement touches depends on its values at the time it runs, in each of many months.
    await client.query(`SET plan_cache_mode = force_generic_plan`);
    return client;
  }

  /** Those known, read anew for a time in none of them: most probably a month has begun. */
  async #monthsWith(client: pg.Client, rows: readonly Row[]): Promise<readonly Bounds[]> {
    const at = rows.at(-1)?.columns.received_at ?? 0;
    if (!this.#months.some(({ from, to }) => at >= from && at < to)) this.#months = await readMonths(client);
    return this.#months;
  }

  async #caughtUp(client: pg.Client, covered: number): Promise<LogEnd> {
    const end = this.#end;
    if (end?.tree.size === covered) return end;
    const head = await readHead(client);
    const { size, lastAt } = await readEnd(client);
    this.#lastAt = lastAt;
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
