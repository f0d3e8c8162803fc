import knexModule, { type Knex } from 'knex';
import { type ConnectorContext, SourceError, type SourceFault, type EndSignal } from '../connector.js';
import type { Driver, DriverConnection, ServerAddress } from './driver.js';
import type { Query, Rows, SqlSource } from './source.js';

const { knex: createKnex } = knexModule;

/** knex keeps the pool; its own query path would rewrite `?` inside quotations, so statements go to the driver. */
interface ConnectionPool {
  acquireConnection(): Promise<DriverConnection>;
  releaseConnection(connection: DriverConnection): Promise<void>;
  destroyRawConnection(connection: DriverConnection): Promise<void>;
}

/** How long a name's address is believed; then connections are made anew, and the address is vetted again. */
const ADDRESS_MS = 300_000;
const ACQUIRE_MS = 10_000;
const CLEANUP_MS = 5000;

const codeOf = (error: unknown): string => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : null;
  if (typeof code === 'string') return code;
  return error instanceof Error ? error.name : 'unknown';
};

/** Rejects as soon as the signal does; the promise itself goes on, and whoever started it cleans up. */
function orEnded<T>(work: Promise<T>, signal: EndSignal, ended: () => SourceError): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(ended());
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function settles(work: Promise<unknown>, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), withinMs);
    work
      .then(
        () => resolve(true),
        () => resolve(true),
      )
      .finally(() => clearTimeout(timer));
  });
}

const endFault = (signal: EndSignal): SourceFault => (signal.reason === 'caller' ? 'aborted' : 'timeout');

/** PostgreSQL or MySQL behind a pool of knex: a transaction for each statement, cancelled when nobody waits. */
export class ServerSource implements SqlSource {
  readonly #driver: Driver;
  readonly #knex: Knex;
  readonly #address: () => Promise<ServerAddress>;

  constructor(
    driver: Driver,
    address: () => Promise<ServerAddress>,
    maxConnections: number,
    log: ConnectorContext['log'],
  ) {
    this.#driver = driver;
    this.#address = address;
    const quiet = (): void => log.debug('a database connection failed');
    this.#knex = createKnex({
      client: driver.client,
      connection: async () => {
        const until = Date.now() + ADDRESS_MS;
        return { ...driver.settings(await address()), expirationChecker: () => Date.now() > until };
      },
      pool: { min: 0, max: maxConnections, propagateCreateError: true },
      acquireConnectionTimeout: ACQUIRE_MS,
      // What knex would print names hosts and users.
      log: { warn: quiet, error: quiet, deprecate: quiet, debug: quiet },
    });
  }

  async query(query: Query, signal: EndSignal): Promise<Rows> {
    const connection = await this.#acquire(signal);
    const progress = { committing: false };
    const work = this.#driver.run(connection, query, progress);
    try {
      const rows = await orEnded(work, signal, () => this.#ended(signal, query, progress));
      await this.#pool.releaseConnection(connection);
      return rows;
    } catch (error) {
      void this.#cleanUp(connection, work, signal.aborted);
      throw error instanceof SourceError ? error : this.#fault(error, query, progress);
    }
  }

  async ping(signal: EndSignal): Promise<void> {
    const connection = await this.#acquire(signal);
    const work = this.#driver.ping(connection);
    try {
      await orEnded(work, signal, () => new SourceError(endFault(signal), 'the probe has ended'));
    } finally {
      void this.#cleanUp(connection, work, signal.aborted);
    }
  }

  async close(): Promise<void> {
    await this.#knex.destroy();
  }

  get #pool(): ConnectionPool {
    return this.#knex.client as ConnectionPool;
  }

  async #acquire(signal: EndSignal): Promise<DriverConnection> {
    const waiting = this.#pool.acquireConnection();
    try {
      return await orEnded(waiting, signal, () => new SourceError(endFault(signal), 'no connection in time'));
    } catch (error) {
      waiting.then(
        (connection) => this.#pool.releaseConnection(connection),
        () => undefined,
      );
      if (error instanceof SourceError) throw error;
      const code = codeOf(error);
      if (code === 'KnexTimeoutError')
        throw new SourceError('busy', 'all connections are in use', { retryAfter: 1 });
      throw new SourceError('unreachable', `no connection to the database: ${code}`);
    }
  }

  #ended(signal: EndSignal, query: Query, progress: { committing: boolean }): SourceError {
    const mayHaveActed = query.statement.writes && progress.committing;
    return new SourceError(endFault(signal), 'the call has ended', { mayHaveActed });
  }

  /** Only the code: a database's message may quote the values of the call. */
  #fault(error: unknown, query: Query, progress: { committing: boolean }): SourceError {
    const code = codeOf(error);
    const fault = this.#driver.isTimeout(code) ? 'timeout' : 'failed';
    const mayHaveActed = query.statement.writes && progress.committing;
    return new SourceError(fault, `the statement failed: ${code}`, { mayHaveActed });
  }

  /** Calls the statement back at the server; a connection that does not come to rest is closed. */
  async #cleanUp(connection: DriverConnection, work: Promise<unknown>, cancel: boolean): Promise<void> {
    if (cancel) await this.#cancel(connection).catch(() => undefined);
    const rested = (await settles(work, CLEANUP_MS)) && (await settles(this.#reset(connection), CLEANUP_MS));
    if (!rested || connection.__knex__disposed !== undefined) connection.__knex__disposed ??= 'not at rest';
    if (!rested) this.#driver.destroy(connection);
    await this.#pool.releaseConnection(connection);
  }

  async #reset(connection: DriverConnection): Promise<void> {
    try {
      await this.#driver.rollback(connection);
    } catch {
      connection.__knex__disposed = 'could not roll back';
    }
  }

  async #cancel(connection: DriverConnection): Promise<void> {
    await this.#driver.cancel(connection, await this.#address());
  }
}
