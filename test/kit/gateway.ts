import type { AuditRecord } from '../../gateway/audit/record.js';
import { loadConfig } from '../../gateway/base/config.js';
import { createLog } from '../../gateway/base/log.js';
import { type Gateway, type StartOptions, startGateway } from '../../gateway/main.js';
import type { Database } from '../../gateway/store/database.js';
import type { TestDatabase } from './databases.js';
import { freePort } from './ports.js';
import { secretOf } from './province.js';

export interface TestGateway {
  readonly url: string;
  readonly gateway: Gateway;
  /** An access token of a client whose secret is `secretOf(id)`. */
  token(client: string, resource?: 'data' | 'api'): Promise<string>;
  /** A call with a token of `client`; null sends none. */
  call(client: string | null, path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

const quiet = createLog('silent');

/** The settings of a gateway over a test database, on a port of this machine. */
export function testSettings(
  test: Pick<TestDatabase, 'database' | 'dataDir'>,
  port: number,
): Record<string, unknown> {
  return {
    dataDir: test.dataDir,
    host: '127.0.0.1',
    port,
    logLevel: 'silent',
    refreshMs: 50,
    drainMs: 500,
    // An idle gateway of a test should cost its neighbours little.
    schedule: { everyMs: 100 },
    // Who may call what is the business of the tests of sharing.
    sharing: { defaultSharing: 'open' },
    fourEyes: false,
    // A verification at every start is the business of its own tests.
    verification: { everyHours: 0 },
    // So is sealing what is old: some tests live years ahead.
    retention: { folder: '' },
    egress: { addresses: ['127.0.0.0/8'], folders: [test.dataDir] },
    ...(test.database.engine === 'postgres'
      ? { databaseUrl: test.database.location, masterKey: Buffer.alloc(32, 7).toString('base64') }
      : {}),
  };
}

/** Calls the gateway at `url`, which is known to the world as `publicUrl`, with tokens that are asked for once. */
export function testClient(url: string, publicUrl: string): Pick<TestGateway, 'token' | 'call'> {
  const tokens = new Map<string, Promise<string>>();
  const token = async (client: string, resource?: 'data' | 'api'): Promise<string> => {
    const response = await fetch(`${url}/oidc/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${client}:${secretOf(client)}`).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        ...(resource === undefined ? {} : { resource: `${publicUrl}/${resource}` }),
      }),
    });
    const body = (await response.json()) as { access_token?: string };
    if (body.access_token === undefined) throw new Error(`no token for ${client}: ${JSON.stringify(body)}`);
    return body.access_token;
  };
  const kept = (client: string, path: string): Promise<string> => {
    const resource = path.startsWith('/api') ? 'api' : 'data';
    const key = `${client} ${resource}`;
    const known = tokens.get(key) ?? token(client, resource);
    tokens.set(key, known);
    return known;
  };
  return {
    token,
    async call(client, path, init = {}) {
      const headers = new Headers(init.headers);
      if (client !== null) headers.set('authorization', `Bearer ${await kept(client, path)}`);
      return await fetch(`${url}${path}`, { ...init, headers });
    },
  };
}

/** A whole gateway on a free port of this machine, over a test database. */
export async function startTestGateway(
  test: TestDatabase,
  settings: Record<string, unknown> = {},
  options: StartOptions = {},
): Promise<TestGateway> {
  const config = loadConfig({ ...testSettings(test, await freePort()), ...settings });
  const gateway = await startGateway(config, { log: quiet, ...options });
  const { publicUrl } = config;
  return {
    url: publicUrl,
    gateway,
    ...testClient(gateway.url, publicUrl),
    close: () => gateway.close(),
  };
}

/** Every record of the log, oldest first. */
export async function allRecords(database: Database): Promise<AuditRecord[]> {
  const rows = (await database.knex('records').select('leaf').orderBy('seq')) as { leaf: string }[];
  return rows.map(({ leaf }) => JSON.parse(leaf) as AuditRecord);
}

/** Waits for something that happens soon, by looking rather than by hoping. */
export async function eventually<T>(
  look: () => Promise<T | undefined> | T | undefined,
  what: string,
): Promise<T> {
  for (let tries = 0; tries < 600; tries += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`did not happen: ${what}`);
}
