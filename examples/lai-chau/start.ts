import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type HttpApi, httpApi, type ManagementApi } from '../../gateway/cli/api.js';
import { applyTree, loadTree, type MadeCredential } from '../../gateway/cli/apply.js';
import { isOfSystem, proofOf } from '../../gateway/cli/credential-file.js';
import { ConfigError } from '../../gateway/base/config.js';
import { configured, type Gateway, startGateway } from '../../gateway/main.js';
import { newSecret } from '../../gateway/base/ids.js';
import { exampleCalls } from './calls.js';
import { REVOKED } from './sample-call.js';
import { buildAdministrativeUnits, buildAgencyList } from './data/build.js';
import { SAMPLE_FOLDER } from './folder.js';
import { sampleSystems } from './read-yaml.js';
import { sampleValues } from './services.js';
import {
  DEPARTMENT_SYSTEMS,
  type DepartmentSystemName,
  type DepartmentSystems,
  startDepartmentSystems,
} from './systems/index.js';
import { sampleTokens } from './tokens.js';
import { type SampleUser, signInSampleUsers } from './users.js';

/** What the sample keeps between two starts, beside the gateway's own database. Readable by its owner alone. */
interface Kept {
  readonly apiKeys: Record<DepartmentSystemName, string>;
  ports: Partial<Record<DepartmentSystemName, number>>;
  readonly credentials: MadeCredential[];
  /** How the sample's people sign in; absent in what an older start kept. */
  users?: SampleUser[];
}

const config = configured({
  dataDir: process.env['LGSP_DATA_DIR'] ?? './data',
  // The sample's sources run on this machine and nowhere else.
  egress: {
    addresses: ['127.0.0.1/32'],
    folders: [join(resolve(process.env['LGSP_DATA_DIR'] ?? './data'), 'lai-chau')],
  },
  logLevel: 'warn',
});
const folder = join(resolve(config.dataDir), 'lai-chau');
const keptFile = join(folder, 'kept.json');

function readKept(): Kept {
  if (existsSync(keptFile)) return JSON.parse(readFileSync(keptFile, 'utf8')) as Kept;
  const apiKeys = Object.fromEntries(
    DEPARTMENT_SYSTEMS.map((name) => [name, newSecret()]),
  ) as Kept['apiKeys'];
  return { apiKeys, ports: {}, credentials: [] };
}

/** Whole or not at all: half a file of secrets would lock the sample out of its own gateway. */
function writePrivate(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The ports of the last start, so that the manifests stay as they are; any free ones when those are taken. */
async function startDepartments(kept: Kept): Promise<DepartmentSystems> {
  const { apiKeys } = kept;
  const systems = await startDepartmentSystems({ apiKeys, ports: kept.ports }).catch(() =>
    startDepartmentSystems({ apiKeys }),
  );
  kept.ports = { ...systems.ports };
  writePrivate(keptFile, kept);
  return systems;
}

const MANAGER = 'quan-tri-quan-ly';

/** Who publishes what the administrator saved. It is itself made by the same run, before any service. */
function sampleManager(kept: Kept): ManagementApi {
  let known: ManagementApi | null = null;
  return {
    async request(method, path, body) {
      const found = kept.credentials.find(({ id }) => id === MANAGER);
      if (found?.auth !== 'secret') throw new Error(`no secret of ${MANAGER} in ${keptFile}`);
      const proof = { kind: 'secret', secret: found.secret } as const;
      known ??= httpApi({ url: config.publicUrl, clientId: MANAGER, proof });
      return await known.request(method, path, body);
    },
  };
}

/** Each system takes its own steps: asks, agrees, tries in the sandbox. */
function sampleActors(kept: Kept): (clientId: string) => HttpApi | undefined {
  const known = new Map<string, HttpApi>();
  return (clientId) => {
    const found = known.get(clientId);
    const credential = kept.credentials.filter(isOfSystem).find(({ id }) => id === clientId);
    if (found !== undefined || credential === undefined) return found;
    const api = httpApi({ url: config.publicUrl, clientId, proof: proofOf(credential) });
    known.set(clientId, api);
    return api;
  };
}

/**
 * Nobody waits a year to see a grant that has expired. No request can ask for a term that is over, the shortest one ends
 * at midnight, and all of the sample stands by one clock: so the end of this one is moved in the store, and the gateway
 * does the rest as ever, the record and the notices included.
 */
async function endOneGrant({ database }: Gateway): Promise<void> {
  const { knex } = database;
  const past = Date.now() - 1000;
  const grant = await knex<{ id: string; system_id: string; state: string; valid_until: number }>('grants')
    .where({ system_id: 'thanh-tra-khai-thac', state: 'active' })
    .first('id');
  if (grant === undefined) return;
  await knex('grants').where({ id: grant.id }).update({ valid_until: past });
  await knex('changes').insert({ noun: 'grant', key: grant.id, at: past });
}

/** Applies the folder through the management API, as `lgsp apply` does. */
async function applySample(gateway: Gateway, kept: Kept, systems: DepartmentSystems): Promise<void> {
  const sources = {
    administrativeUnits: join(folder, 'don-vi-hanh-chinh.sqlite'),
    agencyList: join(folder, 'co-quan.json'),
  };
  buildAdministrativeUnits(sources.administrativeUnits);
  buildAgencyList(sources.agencyList);
  const tree = loadTree(
    SAMPLE_FOLDER,
    sampleValues({ ...sources, ports: systems.ports, apiKeys: kept.apiKeys }),
  );
  const admin = JSON.parse(readFileSync(join(config.dataDir, 'admin.json'), 'utf8')) as {
    clientId: string;
    secret: string;
  };
  const api = httpApi({
    url: config.publicUrl,
    clientId: admin.clientId,
    proof: { kind: 'secret', secret: admin.secret },
  });
  await applyTree(
    { api, approver: sampleManager(kept), tree },
    {
      actAs: sampleActors(kept),
      onCredential(credential) {
        kept.credentials.push(credential);
        writePrivate(keptFile, kept);
      },
    },
  );
  const users = (kept.users ??= []);
  const parts = { url: config.publicUrl, api, credentials: kept.credentials };
  await signInSampleUsers(parts, users, (user) => {
    users.push(user);
    writePrivate(keptFile, kept);
  });
  await endOneGrant(gateway);
}

const MANAGEMENT_ROLES = new Set(['owner', 'manager', 'operator', 'provider', 'auditor']);

/** `sample.json`: all that a script needs to drive the sample. */
function writeSample(gateway: Gateway, kept: Kept): void {
  const rolesOf = new Map(sampleSystems().map((system) => [system.id, system.roles]));
  const clients = kept.credentials.filter(isOfSystem).map((credential) => {
    const role = rolesOf.get(credential.id)?.find((one) => MANAGEMENT_ROLES.has(one)) ?? 'consumer';
    const { id, agency } = credential;
    return credential.auth === 'secret'
      ? { id, role, agency, auth: 'client_secret_basic', secret: credential.secret }
      : { id, role, agency, auth: 'private_key_jwt', jwk: credential.jwk };
  });
  const calls = exampleCalls(sampleTokens(gateway, REVOKED, Date.now()));
  const sample = {
    baseUrl: config.publicUrl,
    tokenEndpoint: `${config.publicUrl}/oidc/token`,
    clients,
    users: kept.users ?? [],
    calls,
  };
  writePrivate(join(config.dataDir, 'sample.json'), sample);
}

function greet(kept: Kept): void {
  const client = kept.credentials.find((one) => one.auth === 'secret' && one.id === 'mot-cua-pu-sam-cap');
  const secret = client?.auth === 'secret' ? client.secret : '';
  const url = config.publicUrl;
  process.stdout.write(`
  Nền tảng chia sẻ dữ liệu — tỉnh mẫu Lai Châu đã sẵn sàng

  Danh mục dịch vụ, tài liệu     ${url}/docs/
  API quản trị                   ${url}/docs/api
  Các từ chối được giải thích    ${url}/problems/
  Mã khách, người dùng, lời gọi  ${join(config.dataDir, 'sample.json')}

  Thử ngay (dán vào cửa sổ lệnh khác):

  TOKEN=$(curl -s -u '${client?.id ?? ''}:${secret}' -d grant_type=client_credentials ${url}/oidc/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s -H "Authorization: Bearer $TOKEN" '${url}/data/H35.11/don-vi-hanh-chinh/v1/don-vi/03532?ngay=2025-08-01'

  Ctrl-C để dừng. / Ctrl-C stops it; the data stay in ${config.dataDir}.
`);
}

async function main(): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const kept = readKept();
  const departments = await startDepartments(kept);
  const gateway = await startGateway(config).catch(async (error: unknown) => {
    await departments.stop();
    throw error;
  });
  let closing: Promise<void> | null = null;
  const close = (): void => {
    closing ??= gateway
      .close()
      .then(() => departments.stop())
      .then(
        () => process.exit(0),
        (error: unknown) => {
          process.stderr.write(`${String(error)}\n`);
          process.exit(1);
        },
      );
  };
  process.on('SIGINT', close);
  process.on('SIGTERM', close);
  await applySample(gateway, kept, departments);
  writeSample(gateway, kept);
  greet(kept);
}

main().catch((error: unknown) => {
  const known = error instanceof ConfigError || (error instanceof Error && 'code' in error);
  process.stderr.write(`${known ? (error as Error).message : String((error as Error).stack ?? error)}\n`);
  process.exit(1);
});
