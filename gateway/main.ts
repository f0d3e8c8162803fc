import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Document } from 'openapi-backend';
import { createEgress } from '../connectors/allow-list.js';
import type { Egress } from '../connectors/egress.js';
import { closeInterrupted } from './audit/interrupted.js';
import { type Clock, systemClock } from './base/clock.js';
import { type Config, loadConfig } from './base/config.js';
import { createLog, type Logger } from './base/log.js';
import { Catalogue } from './catalogue/catalogue.js';
import { compileContract } from './catalogue/contract.js';
import { managementDocument } from './catalogue/management-document.js';
import { bootstrap } from './control/bootstrap.js';
import { fillRegistry } from './control/first-facts/fill.js';
import { createControl } from './control/index.js';
import { createApp } from './http/app.js';
import { Gate } from './http/gate.js';
import { Metrics } from './http/metrics.js';
import { ClientCertificates } from './http/client-certificate.js';
import { createListener, drain } from './http/server.js';
import { tlsMaterial } from './http/tls-material.js';
import type { AuthorizationServer } from './identity/authorization-server.js';
import { KeyRing } from './identity/key-ring.js';
import { dpopRules } from './identity/dpop-rules.js';
import { issuerOf } from './identity/resources.js';
import { assertClientIdsFree, signInClients } from './identity/sign-in-clients.js';
import { openSealing, type Sealing } from './identity/sealing.js';
import { createTokenVerifier } from './identity/token.js';
import { trustedIssuers } from './identity/trusted-issuers.js';
import { Limits } from './pipeline/limits.js';
import { createManagementApi } from './pipeline/management-api.js';
import { Quota } from './pipeline/quota.js';
import { corridors } from './pipeline/table.js';
import { createPortal, portalAssets } from './portal/portal.js';
import { openAuthorizationServer } from './wiring/authorization-server.js';
import { type Beside, besideGauges, startBeside } from './wiring/beside.js';
import { controlContext } from './wiring/control-context.js';
import { registerFeedMetrics } from './wiring/feed-metrics.js';
import { keyFetcher } from './wiring/key-fetcher.js';
import { startJobs } from './wiring/jobs.js';
import { type LogRooms, openLog } from './wiring/log.js';
import { readiness } from './wiring/readiness.js';
import { connectorOpener } from './wiring/sources.js';
import { deleteOldSignIns } from './store/sign-ins.js';
import { type Database, migrate, openDatabase } from './store/database.js';
import { openRedis } from './store/redis.js';

/** A gateway that runs. */
export interface Gateway {
  /** The address it listens on, e.g. `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  /** Stops taking calls, lets open ones end, closes everything. */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Settings from a file's content and the environment: the only place, with the command line, that reads it. */
export function configured(file: unknown): Config {
  return loadConfig(file, process.env);
}

/** The first start creates an administrator; its secret is shown in one file that only its owner may read. */
async function firstStart(database: Database, config: Config, clock: Clock, log: Logger): Promise<void> {
  const admin = await bootstrap(database, config.platform, clock);
  await fillRegistry(database, clock);
  if (admin === null) return;
  const file = join(config.dataDir, 'admin.json');
  writeFileSync(
    file,
    `${JSON.stringify({ ...admin, tokenEndpoint: `${config.publicUrl}/oidc/token` }, null, 2)}\n`,
    { mode: 0o600, flag: 'w' },
  );
  log.info({ file }, 'the bootstrap administrator was created; its credentials are in this file');
}

async function listen(server: Server, config: Config): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(config.port, config.host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
  const scheme = config.tls === undefined ? 'http' : 'https';
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SWEEP_MS = 60_000;
const SWEEP_BATCH = 1000;

/** What the authorization server kept for a while goes when its time is over; what else ended by itself is noted. */
function sweep({ authorizationServer, database, clock, log }: OpenRooms): NodeJS.Timeout {
  const failed = (error: unknown): void => log.warn({ err: error }, 'sweep failed');
  return setInterval(() => {
    authorizationServer.deleteExpired(clock.now(), SWEEP_BATCH).catch(failed);
    deleteOldSignIns(database.knex, clock.now()).catch(failed);
  }, SWEEP_MS).unref();
}

interface Node {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Logger;
  readonly database: Database;
}

interface OpenRooms extends Node, LogRooms {
  readonly sealing: Sealing;
  readonly keyRing: KeyRing;
  readonly egress: Egress;
  readonly catalogue: Catalogue;
  readonly authorizationServer: AuthorizationServer;
  readonly certificates: ClientCertificates;
}

/** The rooms that hold something, lowest first. A wrong master key is refused before anything is written. */
async function openRooms(node: Node): Promise<OpenRooms> {
  const { config, clock, log, database } = node;
  await migrate(database);
  const sealing = await openSealing({ ...config, database });
  await firstStart(database, config, clock, log);
  await assertClientIdsFree(database.knex, signInClients(config).keys());
  const keyRing = await KeyRing.open({ ...node, sealing, tokenTtlSeconds: config.tokens.ttlSeconds });
  const egress = createEgress(config.egress);
  const logRooms = await openLog({ ...node, keyRing });
  const openConnector = connectorOpener({ database, sealing, egress, log });
  let server: AuthorizationServer | null = null;
  const alongside = async (): Promise<void> => server?.reload();
  const catalogue = await Catalogue.open({ ...node, refreshMs: config.refreshMs, openConnector, alongside });
  const certificates = new ClientCertificates(config);
  const rooms = { ...node, ...logRooms, sealing, keyRing, egress, catalogue, certificates };
  server = openAuthorizationServer(rooms);
  return { ...rooms, authorizationServer: server };
}

interface ServerRooms extends OpenRooms, Beside {
  readonly quota: Quota;
}

/** The corridor over those rooms, and what stands before it. */
async function buildServer(rooms: ServerRooms, redis: Redis | null): Promise<Server> {
  const { config, clock, log, recorder, catalogue, authorizationServer, certificates } = rooms;
  const limits = new Limits({ config, redis, log });
  const dpop = dpopRules({ ...rooms, redis });
  const issuer = issuerOf(config.publicUrl);
  const trusted = trustedIssuers(config, { clock, log, fetchKeys: keyFetcher(rooms.egress) });
  const tokens = createTokenVerifier({ keyRing: rooms.keyRing, issuer, clock, dpop, trusted });
  const { root } = managementDocument();
  const handlers = createControl(controlContext(rooms));
  const api = await createManagementApi(structuredClone(root) as Document, compileContract(root), handlers);
  let gate: Gate | null = null;
  const metrics = new Metrics({
    lgsp_records_waiting: { help: 'Records waiting for the disk', read: () => recorder.waiting },
    ...besideGauges(rooms),
    lgsp_calls_in_progress: { help: 'Calls in progress on this node', read: () => gate?.inProgress ?? 0 },
  });
  registerFeedMetrics(metrics.registry, rooms.feed);
  gate = new Gate({
    ...rooms,
    corridors: corridors({ ...rooms, tokens, limits, api }),
    metrics,
    certificates,
  });
  const app = createApp({
    config,
    log,
    gate,
    limits,
    metrics,
    portal: createPortal({ catalogue, config, metadata: () => authorizationServer.metadata() }),
    assets: portalAssets(),
    authorizationServer: (request, response, next) => authorizationServer.handler(request, response, next),
    readiness: readiness({ ...rooms, redis }),
  });
  const onError = (error: unknown): void => log.error({ err: error }, 'a call failed outside the corridor');
  return createListener({ gate, app, certificates, tls: tlsMaterial(config), onError });
}

/** With several nodes, a call that was opened longer ago than any call may last has lost its node. */
const INTERRUPTED_AFTER_MS = 300_000;

/** Brings up everything, lowest first, and listens. What was opened is closed again when a step fails. */
export async function startGateway(config: Config, options: StartOptions = {}): Promise<Gateway> {
  const log = options.log ?? createLog(config.logLevel);
  const clock = options.clock ?? systemClock;
  const closers: (() => unknown)[] = [];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer();
    log.info('closed');
  };
  try {
    const database = openDatabase(config);
    closers.push(() => database.close());
    const rooms = await openRooms({ config, clock, log, database });
    const { recorder, catalogue, keyRing } = rooms;
    closers.push(
      () => rooms.closeLog(),
      () => catalogue.close(),
    );
    const redis = openRedis(config, log);
    closers.push(() => redis?.disconnect());
    const beside = await startBeside(rooms);
    closers.push(() => beside.closeBeside());
    const quota = new Quota(database, clock);
    closers.push(() => quota.close());
    const server = await buildServer({ ...rooms, ...beside, quota }, redis);
    const olderThanMs = database.engine === 'sqlite' ? 0 : INTERRUPTED_AFTER_MS;
    await closeInterrupted(database, recorder, { olderThanMs, clock });
    const jobs = startJobs({ ...rooms, context: controlContext(rooms) });
    closers.push(() => jobs.close());
    const sweeping = sweep(rooms);
    closers.push(() => clearInterval(sweeping));
    const url = await listen(server, config);
    closers.push(() => drain(server, config.drainMs));
    log.info({ url }, 'listening');
    return { url, config, database, keyRing, close };
  } catch (error) {
    await close();
    throw error;
  }
}
