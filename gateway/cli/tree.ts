import { X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { certificateThumbprint } from '../base/certificate.js';
import { AGENCY_LEVELS } from '../store/agencies.js';
import { DOCUMENT_KINDS } from '../store/documents.js';
import { CalendarSchema, LegalBasesSchema, type TreeCalendarDay, type TreeLegalBasis } from './tree-legal.js';
import { ChannelsSchema, type TreeChannel } from './tree-channels.js';
import { PeopleSchema, type TreePerson } from './tree-people.js';
import {
  SharingRequestsSchema,
  SubscriptionsSchema,
  type TreeSharingRequest,
  type TreeSubscription,
} from './tree-sharing.js';
import {
  type CertificateEntry,
  SystemsSchema,
  type TreeCredential,
  type TreeSystem,
} from './tree-systems.js';
import { readYaml, TreeError, type Values } from './substitute.js';

const AgencySchema = z.strictObject({
  code: z.string(),
  alias: z.string().optional(),
  name: z.string(),
  level: z.enum(AGENCY_LEVELS),
  parentCode: z.string().optional(),
  validFrom: z.iso.date(),
  validTo: z.iso.date().optional(),
  document: z.string().optional().describe('The document that entering or changing it rests on'),
});

const DocumentSchema = z.strictObject({
  id: z.string(),
  number: z.string(),
  kind: z.enum(DOCUMENT_KINDS),
  issuedOn: z.iso.date(),
  issuer: z.string(),
  signatory: z.string(),
  requestedBy: z.enum(['person', 'unit', 'owner']).optional(),
  summary: z.string().optional(),
  file: z
    .string()
    .regex(/^[^/\\.][^/\\]*$/)
    .optional()
    .describe('Its attachment, in documents/'),
  by: z.string().optional().describe('The client that enters it, so that it is its agency’s document'),
});

const CredentialsSchema = z.record(z.string(), z.strictObject({ env: z.string().min(1) }));

const StatesSchema = z.array(
  z
    .strictObject({
      service: z.string().describe('Name of the folder below services/'),
      state: z.enum(['draft', 'published', 'suspended', 'retired']),
      reason: z.string().min(1).optional(),
      sunsetOn: z.iso.date().optional().describe('Last day of a service that is to end'),
      successor: z.string().optional().describe('Id of the service to change over to'),
    })
    .refine(({ sunsetOn, reason }) => sunsetOn === undefined || reason !== undefined, {
      path: ['reason'],
      message: 'a service that is to end needs a reason',
    })
    .refine(({ state, reason }) => (state !== 'suspended' && state !== 'retired') || reason !== undefined, {
      path: ['reason'],
      message: 'a service that is suspended or retired needs a reason',
    }),
);

export type TreeAgency = z.infer<typeof AgencySchema>;
export type { TreeSystem } from './tree-systems.js';
export type TreeDocument = Omit<z.infer<typeof DocumentSchema>, 'file'> & {
  /** Name and bytes of its attachment. */
  readonly attachment: { readonly name: string; readonly bytes: Buffer } | null;
};
type TreeState = z.infer<typeof StatesSchema>[number];

export interface TreeService {
  /** Its folder, for messages. */
  readonly folder: string;
  readonly manifest: Readonly<Record<string, unknown>>;
  /** The OpenAPI document, byte for byte as in its file. */
  readonly document: string;
  readonly credentials: Readonly<Record<string, string>>;
  readonly state: TreeState['state'];
  readonly reason: string | null;
  /** When it is to end; absent where no end is planned. */
  readonly ending?: { readonly sunsetOn: string; readonly successor: string | null };
}

/** What a folder says there should be. */
export interface Tree {
  readonly documents: readonly TreeDocument[];
  readonly subscriptions?: readonly TreeSubscription[];
  readonly sharingRequests?: readonly TreeSharingRequest[];
  readonly legalBases?: readonly TreeLegalBasis[];
  readonly calendar?: readonly TreeCalendarDay[];
  readonly agencies: readonly TreeAgency[];
  readonly systems: readonly TreeSystem[];
  readonly people?: readonly TreePerson[];
  readonly channels?: readonly TreeChannel[];
  readonly services: readonly TreeService[];
}

function checked<T>(schema: z.ZodType<T>, value: unknown, file: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${file}: /${issue.path.join('/')} ${issue.message}`);
  throw new TreeError(faults.join('\n'));
}

function thumbprintOf(pem: string): string | null {
  try {
    return certificateThumbprint(new X509Certificate(pem));
  } catch {
    return null;
  }
}

/** Reads the files of one folder; messages name them as they lie below it. */
class Folder {
  readonly #root: string;
  readonly #values: Values;

  constructor(root: string, values: Values) {
    this.#root = root;
    this.#values = values;
  }

  has(name: string): boolean {
    return existsSync(join(this.#root, name));
  }

  text(name: string): string {
    const path = join(this.#root, name);
    if (!existsSync(path)) throw new TreeError(`${name} is missing`);
    return readFileSync(path, 'utf8');
  }

  bytes(name: string): Buffer {
    const path = join(this.#root, name);
    if (!existsSync(path)) throw new TreeError(`${name} is missing`);
    return readFileSync(path);
  }

  documents(): TreeDocument[] {
    return this.optional('documents.yaml', z.array(DocumentSchema), []).map(({ file, ...document }) => ({
      ...document,
      attachment: file === undefined ? null : { name: file, bytes: this.bytes(join('documents', file)) },
    }));
  }

  systems(): TreeSystem[] {
    return this.optional('systems.yaml', SystemsSchema, []).map((system, i) => ({
      ...system,
      credentials: system.credentials?.map((one, j) =>
        one.kind === 'certificate' ? this.#certificate(one, `systems.yaml: /${i}/credentials/${j}`) : one,
      ),
    }));
  }

  /** A file that is missing is missed once the certificate must be registered, and not before. */
  #certificate({ thumbprint, file }: CertificateEntry, where: string): TreeCredential {
    const path = join('certificates', file ?? '');
    if (file === undefined || (thumbprint !== undefined && !this.has(path)))
      return { kind: 'certificate', thumbprint: thumbprint ?? '', pem: null, file };
    const pem = this.text(path);
    const found = thumbprintOf(pem);
    if (found === null) throw new TreeError(`${where} ${path} is no certificate in PEM`);
    if (thumbprint !== undefined && thumbprint !== found)
      throw new TreeError(`${where} ${path} is another certificate: its thumbprint is ${found}`);
    return { kind: 'certificate', thumbprint: found, pem, file };
  }

  yaml<T>(name: string, schema: z.ZodType<T>): T {
    return checked(schema, readYaml(this.text(name), this.#values, name), name);
  }

  optional<T>(name: string, schema: z.ZodType<T>, otherwise: T): T {
    return this.has(name) ? this.yaml(name, schema) : otherwise;
  }

  folders(name: string): string[] {
    if (!this.has(name)) return [];
    const entries = readdirSync(join(this.#root, name), { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name)
      .sort();
  }

  /** Name of a credential → the variable that holds its value. */
  credentialVariables(name: string): [string, string][] {
    const named = this.optional(name, CredentialsSchema, {});
    return Object.entries(named).map(([credential, { env }]) => [credential, env]);
  }

  credentials(name: string): Record<string, string> {
    const values = this.credentialVariables(name).map(([credential, env]) => [
      credential,
      this.#secret(env, `${name}: /${credential}`),
    ]);
    return Object.fromEntries(values) as Record<string, string>;
  }

  channels(): TreeChannel[] {
    const entries = this.optional('channels.yaml', ChannelsSchema, []);
    return entries.map(({ secret, ...channel }, i) => ({
      ...channel,
      secret: secret === undefined ? null : this.#secret(secret.env, `channels.yaml: /${i}/secret`),
    }));
  }

  #secret(env: string, where: string): string {
    const value = Object.hasOwn(this.#values, env) ? this.#values[env] : undefined;
    if (value === undefined || value === '') throw new TreeError(`${where} the variable ${env} has no value`);
    return value;
  }

  service(folder: string, state: Omit<TreeState, 'service'>): TreeService {
    return {
      folder,
      manifest: this.yaml(join(folder, 'manifest.yaml'), z.record(z.string(), z.unknown())),
      document: this.text(join(folder, 'openapi.yaml')),
      credentials: this.credentials(join(folder, 'credentials.yaml')),
      state: state.state,
      reason: state.reason ?? null,
      ...endingOf(state),
    };
  }
}

function endingOf({ sunsetOn, successor }: Omit<TreeState, 'service'>): Pick<TreeService, 'ending'> {
  return sunsetOn === undefined ? {} : { ending: { sunsetOn, successor: successor ?? null } };
}

const PUBLISHED = { state: 'published' } as const;

/** @param path the folder of a service, or a file in it */
function serviceFolder(path: string, values: Values): Folder {
  const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  return new Folder(isFolder ? path : dirname(path), values);
}

/**
 * Reads one service's folder: `manifest.yaml`, `openapi.yaml`, and `credentials.yaml` where it has one.
 *
 * @throws TreeError with every fault, by file
 */
export function loadService(path: string, values: Values): TreeService {
  return serviceFolder(path, values).service('', PUBLISHED);
}

/** What can be checked of a service without its secrets: credentials by name only. */
export function loadContract(
  path: string,
  values: Values,
): Pick<TreeService, 'manifest' | 'document'> & { credentialNames: string[] } {
  const folder = serviceFolder(path, values);
  return {
    manifest: folder.yaml('manifest.yaml', z.record(z.string(), z.unknown())),
    document: folder.text('openapi.yaml'),
    credentialNames: folder.credentialVariables('credentials.yaml').map(([name]) => name),
  };
}

/**
 * Reads a folder: `legal-bases.yaml`, `calendar.yaml`, `documents.yaml` with `documents/`, `agencies.yaml`, `systems.yaml` with `certificates/`, `people.yaml`, `channels.yaml`, `services/<folder>/`,
 * `service-states.yaml`, `subscriptions.yaml` and `sharing-requests.yaml`, each of which may be missing. A service that `service-states.yaml` does not name is to be published.
 *
 * @param values what `${NAME}` and `credentials.yaml` take their values from: the environment
 * @throws TreeError with every fault, by file
 */
export function loadTree(path: string, values: Values): Tree {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new TreeError(`${relative('.', path) || path} is not a folder`);
  const folder = new Folder(path, values);
  const states = folder.optional('service-states.yaml', StatesSchema, []);
  const names = folder.folders('services');
  const stray = states.find(({ service }) => !names.includes(service));
  if (stray !== undefined) throw new TreeError(`service-states.yaml: there is no services/${stray.service}`);
  const stateOf = (name: string) => states.find(({ service }) => service === name) ?? PUBLISHED;
  return {
    documents: folder.documents(),
    subscriptions: folder.optional('subscriptions.yaml', SubscriptionsSchema, []),
    sharingRequests: folder.optional('sharing-requests.yaml', SharingRequestsSchema, []),
    legalBases: folder.optional('legal-bases.yaml', LegalBasesSchema, []),
    calendar: folder.optional('calendar.yaml', CalendarSchema, []),
    agencies: folder.optional('agencies.yaml', z.array(AgencySchema), []),
    systems: folder.systems(),
    people: folder.optional('people.yaml', PeopleSchema, []),
    channels: folder.channels(),
    services: names.map((name) => folder.service(join('services', name), stateOf(name))),
  };
}
