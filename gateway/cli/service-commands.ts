import { readFileSync, statSync } from 'node:fs';
import type { Command } from 'commander';
import { createEgress } from '../../connectors/allow-list.js';
import { loadConfig } from '../base/config.js';
import { compareDocuments } from '../catalogue/comparison/compare.js';
import type { ContractChange } from '../catalogue/comparison/findings.js';
import { compareManifestTexts } from '../catalogue/comparison/manifests.js';
import { type ApiDocument, parseDocument } from '../catalogue/document.js';
import { majorOf, ManifestSchema, serviceId } from '../catalogue/manifest.js';
import { httpApi, type ManagementApi } from './api.js';
import { checkContract } from './check-contract.js';
import { clientOf, type ConnectionOptions, withConnection } from './connection.js';
import { CommandFailure } from './failure.js';
import { type Io, json } from './io.js';
import { refusal } from './refused.js';
import { loadSettings } from './settings.js';
import { loadContract, loadService, type TreeService } from './tree.js';

interface CheckFlags {
  readonly config?: string;
  readonly json?: boolean;
}

interface ImportFlags extends ConnectionOptions {
  readonly json?: boolean;
}

async function check(io: Io, path: string, flags: CheckFlags): Promise<void> {
  const contract = loadContract(path, io.env);
  const egress = flags.config === undefined ? null : createEgress(loadSettings(flags.config, io.env).egress);
  const { ok, faults, warnings = [], operations = [] } = await checkContract(contract, egress);
  const listed = operations.map(({ id, method, template }) => ({ id, method, template }));
  if (flags.json === true) io.out(json({ ok, faults, warnings, operations: listed }));
  else
    io.out(
      ok
        ? `holds: ${listed.length} operations`
        : faults.map(({ pointer, message }) => `${pointer} ${message.en}`).join('\n'),
    );
  if (flags.json !== true)
    for (const { pointer, message } of warnings) io.err(`warning: ${pointer} ${message.en}`);
  if (!ok) throw new CommandFailure(`${path}: ${faults.length} faults`);
}

function idOf({ manifest }: TreeService): string {
  const parsed = ManifestSchema.pick({ provider: true, slug: true, version: true }).safeParse({
    provider: manifest['provider'],
    slug: manifest['slug'],
    version: manifest['version'],
  });
  if (!parsed.success)
    throw new CommandFailure('manifest.yaml: provider, slug and version must say which service it is');
  const { provider, slug, version } = parsed.data;
  return serviceId(provider, slug, majorOf(version));
}

interface Imported {
  readonly id: string;
  readonly state: string;
  readonly latestRevision: number;
}

/** A new service becomes a draft; of one that is there a new revision is saved. Nothing is published. */
export async function importService(api: ManagementApi, service: TreeService): Promise<Imported> {
  const id = idOf(service);
  const { manifest, document, credentials } = service;
  const content = { manifest, document, credentials };
  const found = await api.request('GET', `/services/${id}`);
  if (found.status >= 400 && found.status !== 404) throw refusal(`service ${id}`, found);
  const answer =
    found.status === 404
      ? await api.request('POST', '/services', content)
      : await api.request('PUT', `/services/${id}/draft`, content);
  if (answer.status >= 400) throw refusal(`service ${id}`, answer);
  return answer.body as Imported;
}

async function importFrom(io: Io, path: string, flags: ImportFlags): Promise<void> {
  const service = loadService(path, io.env);
  const { id, state, latestRevision } = await importService(httpApi(clientOf(flags, io.env)), service);
  if (flags.json === true) io.out(json({ id, state, latestRevision }));
  else io.out(`${id}: revision ${latestRevision} saved; the service is ${state}`);
}

interface DiffFlags {
  readonly json?: boolean;
}

/** What callers go by: a document, and beside it a manifest where it is a folder. */
interface Version {
  readonly document: ApiDocument;
  readonly manifest: string | null;
}

/** The folder of a service, or a file that is its document. */
function versionAt(path: string, io: Io): Version {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const contract = isFolder ? loadContract(path, io.env) : null;
  const { document, faults } = parseDocument(contract?.document ?? readFileSync(path, 'utf8'));
  const manifest = contract === null ? null : JSON.stringify(contract.manifest);
  if (document !== null) return { document, manifest };
  throw new CommandFailure(`${path}: ${faults[0]?.message.en ?? 'is no OpenAPI document'}`, 2);
}

/** Two documents alone say nothing of the terms. */
function changesOf(before: Version, after: Version): readonly ContractChange[] {
  const documents = compareDocuments(before.document, after.document);
  if (before.manifest === null || after.manifest === null) return documents;
  return [...compareManifestTexts(before.manifest, after.manifest, loadConfig({}).limits), ...documents];
}

function changeLine({ part, breaking, pointer, message }: ContractChange): string {
  const place = part === 'manifest' ? `manifest ${pointer}` : pointer;
  return `${breaking ? 'breaking  ' : 'compatible'} ${place} ${message.en}`;
}

function diff(io: Io, before: string, after: string, flags: DiffFlags): void {
  const changes = changesOf(versionAt(before, io), versionAt(after, io));
  const breaking = changes.filter((change) => change.breaking);
  if (flags.json === true) io.out(json({ breaking: breaking.length > 0, changes }));
  else if (changes.length === 0) io.out('the same for callers');
  else io.out([...breaking, ...changes.filter((one) => !one.breaking)].map(changeLine).join('\n'));
  if (breaking.length === 0) return;
  const [what, them] = breaking.length === 1 ? ['change', 'it'] : ['changes', 'them'];
  throw new CommandFailure(`${breaking.length} breaking ${what}: publish ${them} as a new major version`);
}

/** `lgsp service …`: one service at a time. */
export function addServiceCommands(program: Command, io: Io): void {
  const service = program.command('service').description('check and import single services');
  service
    .command('check')
    .description('say everything that would keep a service from being published; needs no gateway')
    .argument('<path>', 'folder with manifest.yaml and openapi.yaml')
    .option('--config <file>', "judge addresses by this node's settings")
    .option('--json', 'for programs')
    .action((path: string, flags: CheckFlags) => check(io, path, flags));
  service
    .command('diff')
    .description('say what a new version changes for callers; exit 1 when it breaks them; needs no gateway')
    .argument('<old>', 'OpenAPI document, or folder of a service')
    .argument('<new>', 'the same of the new version')
    .option('--json', 'for programs')
    .action((before: string, after: string, flags: DiffFlags) => diff(io, before, after, flags));
  withConnection(service.command('import'))
    .description('save a service as a draft, or a new revision of it')
    .argument('<path>', 'folder with manifest.yaml and openapi.yaml, or a file in it')
    .option('--json', 'for programs')
    .action((path: string, flags: ImportFlags) => importFrom(io, path, flags));
}
