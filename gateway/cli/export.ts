import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ManagementApi } from './api.js';
import { legalFiles } from './export-legal.js';
import { documentFiles } from './export-documents.js';
import { channelFiles } from './export-channels.js';
import { peopleFiles } from './export-people.js';
import { all, ask, present, read, yaml } from './export-reading.js';
import { sharingFiles } from './export-sharing.js';
import { readSystems, systemFiles } from './export-systems.js';
import { CommandFailure } from './failure.js';

interface Agency {
  readonly code: string;
  readonly alias: string | null;
  readonly name: string;
  readonly level: string;
  readonly parentCode: string | null;
  readonly validFrom: string;
  readonly validTo: string | null;
  readonly stateDocument: string | null;
}

interface Service {
  readonly id: string;
  readonly provider: string;
  readonly slug: string;
  readonly version: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly deprecation: {
    readonly sunsetOn: string;
    readonly successor: string | null;
    readonly reason: string;
  } | null;
  readonly publishedRevision: number | null;
}

/** Path below the folder → text, or bytes. */
export type ExportedFiles = Readonly<Record<string, string | Buffer>>;

function agencyEntry({ code, alias, name, level, parentCode, validFrom, validTo, ...agency }: Agency) {
  const { stateDocument: document } = agency;
  return present({ code, alias, name, level, parentCode, validFrom, validTo, document });
}

/** `services/{slug}`, and longer only where two services have the same slug. */
function folderOf(service: Service, services: readonly Service[]): string {
  const alone = services.filter(({ slug }) => slug === service.slug).length === 1;
  return alone ? service.slug : `${service.slug}-${service.version}-${service.provider}`;
}

const variableOf = (folder: string, credential: string): string =>
  `${folder}_${credential}`.toUpperCase().replace(/[^A-Z0-9]+/g, '_');

async function serviceFiles(
  api: ManagementApi,
  service: Service,
  folder: string,
): Promise<Record<string, string>> {
  const path = `/services/${service.id}`;
  // The revision in force; what was never published is exported as it stands.
  const revision = service.publishedRevision === null ? '' : `?revision=${service.publishedRevision}`;
  const { manifest, credentialNames } = await read<{ manifest: object; credentialNames: string[] }>(
    api,
    `${path}/manifest${revision}`,
  );
  const { text } = await ask(api, `${path}/document${revision}`);
  const credentials = Object.fromEntries(
    credentialNames.map((name) => [name, { env: variableOf(folder, name) }]),
  );
  return {
    [`services/${folder}/manifest.yaml`]: yaml(manifest),
    [`services/${folder}/openapi.yaml`]: text,
    ...(credentialNames.length === 0 ? {} : { [`services/${folder}/credentials.yaml`]: yaml(credentials) }),
  };
}

function stateEntry({ state, stateReason, deprecation }: Service): object {
  if (deprecation === null || state === 'retired') return present({ state, reason: stateReason });
  const { sunsetOn, successor, reason } = deprecation;
  return present({ state, reason: stateReason ?? reason, sunsetOn, successor });
}

function stateEntries(services: readonly Service[]): object[] {
  return services
    .filter(({ state, deprecation }) => state !== 'published' || deprecation !== null)
    .map((service) => ({ service: folderOf(service, services), ...stateEntry(service) }));
}

/**
 * Everything that `lgsp apply` takes, as the gateway has it now. Secrets are not among it: the gateway does not
 * hold those of systems, and shows those of services to nobody; `credentials.yaml` names the variables instead.
 */
export async function exportTree(api: ManagementApi): Promise<ExportedFiles> {
  const systems = await readSystems(api);
  const services = await all<Service>(api, '/services');
  const files: Record<string, string | Buffer> = {
    ...(await documentFiles(api, systems)),
    ...(await sharingFiles(api, systems)),
    'agencies.yaml': yaml((await all<Agency>(api, '/agencies')).map(agencyEntry)),
    ...systemFiles(systems),
    ...(await peopleFiles(api)),
    ...(await channelFiles(api)),
    ...(await legalFiles(api)),
  };
  for (const service of services)
    Object.assign(files, await serviceFiles(api, service, folderOf(service, services)));
  const states = stateEntries(services);
  if (states.length > 0) files['service-states.yaml'] = yaml(states);
  return files;
}

/** @throws CommandFailure when the folder holds something already, unless `force` */
export function writeFiles(folder: string, files: ExportedFiles, force: boolean): void {
  if (!force && existsSync(folder) && readdirSync(folder).length > 0)
    throw new CommandFailure(`${folder} is not empty; --force writes into it all the same`, 2);
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
