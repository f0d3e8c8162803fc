import {
  type Connector,
  type ConnectorAnswer,
  type ConnectorContext,
  type ConnectorKind,
  type ConnectorRequest,
  type ConnectorSetup,
  type ProbeResult,
  SourceError,
  type EndSignal,
} from '../connector.js';
import { credentialText, parseTemplate } from '../mapping/template.js';
import { checkSql, DEFAULT_PORTS } from './check.js';
import type { Driver, ServerAddress } from './driver.js';
import { mysqlDriver } from './mysql.js';
import { type ParamReader, paramReader } from './params.js';
import { postgresDriver } from './postgres.js';
import { publish } from './rows.js';
import { ServerSource } from './server.js';
import { type SqlBinding, SqlBindingSchema, type SqlSettings, SqlSettingsSchema } from './settings.js';
import type { SqlSource } from './source.js';
import { SqliteSource } from './sqlite.js';
import { parseStatement, type Statement } from './statement.js';

type ServerSettings = Exclude<SqlSettings, { engine: 'sqlite' }>;

function serverSource(settings: ServerSettings, context: ConnectorContext): SqlSource {
  const { connection, engine } = settings;
  const text = (template: string): string => credentialText(parseTemplate(template), context.credentials);
  const port = connection.port ?? DEFAULT_PORTS[engine];
  context.egress.assertHost(connection.host, port);
  const account = {
    database: connection.database,
    user: text(connection.user),
    password: text(connection.password),
  };
  const address = async (): Promise<ServerAddress> => ({
    host: connection.host,
    address: await context.egress.resolve(connection.host, port),
    port,
    tls: settings.ssl === undefined ? null : { ca: settings.ssl.ca },
    ...account,
  });
  const driver = (engine === 'postgres' ? postgresDriver : mysqlDriver) as Driver;
  return new ServerSource(driver, address, settings.maxConnections, context.log);
}

function openSource(settings: SqlSettings, context: ConnectorContext): SqlSource {
  if (settings.engine !== 'sqlite') return serverSource(settings, context);
  const { file } = settings.connection;
  context.egress.assertFile(file);
  return new SqliteSource(() => context.egress.assertFile(file), {
    write: !settings.readOnly,
    workers: settings.maxConnections,
  });
}

interface Operation {
  readonly binding: SqlBinding;
  readonly statement: Statement;
  readonly read: ParamReader;
}

/** A database: one declared statement for each operation, its values bound by the driver. */
class SqlConnector implements Connector {
  readonly #context: ConnectorContext;
  readonly #source: SqlSource;
  readonly #operations = new Map<string, Operation>();

  constructor(setup: ConnectorSetup<SqlSettings, SqlBinding>, context: ConnectorContext) {
    this.#context = context;
    for (const [id, binding] of Object.entries(setup.bindings)) {
      const statement = parseStatement(binding.sql, setup.settings.engine);
      if (statement.writes && (!binding.write || setup.settings.readOnly))
        throw new TypeError(`the statement of ${id} writes, which the settings do not allow`);
      this.#operations.set(id, {
        binding,
        statement,
        read: paramReader(binding, statement.order, context.credentials),
      });
    }
    this.#source = openSource(setup.settings, context);
  }

  async call(request: ConnectorRequest, signal: EndSignal): Promise<ConnectorAnswer> {
    const operation = this.#operations.get(request.operationId);
    if (operation === undefined) throw new SourceError('failed', 'the operation has no binding');
    const { binding, statement } = operation;
    const rows = await this.#source.query(
      {
        statement,
        values: operation.read(request),
        limit: binding.rowLimit,
        maxBytes: request.maxResponseBytes,
        deadline: request.deadline,
      },
      signal,
    );
    const { status, value, truncated } = publish(binding, rows);
    const body = Buffer.from(JSON.stringify(value));
    if (body.length > request.maxResponseBytes)
      throw new SourceError('failed', 'the rows are too many bytes', { mayHaveActed: statement.writes });
    const headers: Record<string, string> = { 'content-type': 'application/json; charset=utf-8' };
    if (truncated) headers['lgsp-truncated'] = 'true';
    return { status, headers, body, success: null };
  }

  async probe(signal: AbortSignal): Promise<ProbeResult> {
    const started = performance.now();
    const result = (ok: boolean, detail: string): ProbeResult => ({
      ok,
      detail,
      latencyMs: Math.round(performance.now() - started),
    });
    try {
      await this.#source.ping(signal);
      return result(true, 'reachable');
    } catch (error) {
      const fault = error instanceof SourceError ? error.fault : 'failed';
      this.#context.log.warn({ fault }, 'probe of a database failed');
      return result(false, 'the database cannot be reached');
    }
  }

  async close(): Promise<void> {
    await this.#source.close();
  }
}

export const sqlKind: ConnectorKind<SqlSettings, SqlBinding> = {
  kind: 'sql',
  settings: SqlSettingsSchema,
  binding: SqlBindingSchema,
  check: checkSql,
  create: (setup, context) => new SqlConnector(setup, context),
};
