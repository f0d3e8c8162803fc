import { z } from 'zod';
import { canonicalRange } from './address-set.js';
import { accounts, people, trustedIssuers } from './config-accounts.js';
import { record, retention, verification, witnesses } from './config-record.js';
import { feed } from './config-feed.js';
import { security } from './config-security.js';
import { documents, sharing } from './config-sharing.js';
import { smtp } from './config-smtp.js';

const limit = z.strictObject({
  calls: z.int().min(0).describe('Calls allowed per window; 0 allows none'),
  seconds: z.int().min(1).max(86_400).describe('Length of the window, seconds'),
});

const range = z
  .string()
  .refine((entry) => canonicalRange(entry) !== null, { message: 'neither an address nor a CIDR range' });

/** The whole configuration of a node. Unknown keys are refused: a misspelt key must not silently mean the default. */
export const ConfigSchema = z.strictObject({
  port: z.int().min(0).max(65_535).default(8080),
  host: z.string().default('0.0.0.0'),
  dataDir: z.string().default('./data').describe('Folder of the embedded database, keys and attachments'),
  publicUrl: z.url().optional().describe('The address callers use; default http://localhost:{port}'),
  databaseUrl: z
    .string()
    .optional()
    .describe('postgres://… for several nodes; default: SQLite in the data folder'),
  redisUrl: z.string().optional().describe('redis://… shares rate limits between nodes'),
  masterKey: z
    .string()
    .optional()
    .describe('Base64, 32 bytes: seals private keys and connector credentials at rest'),
  trustedProxies: z
    .array(range)
    .default([])
    .describe('Addresses or CIDR ranges whose X-Forwarded-For is believed'),
  tls: z
    .strictObject({
      certFile: z.string().describe('PEM: the certificate of the gateway and those that lead to its root'),
      keyFile: z.string().describe('PEM: its private key'),
      clientCaFile: z
        .string()
        .optional()
        .describe('PEM: certificates of callers are believed only from these issuers; default: any'),
    })
    .optional()
    .describe('HTTPS in this process, asking callers for their certificate; default: plain HTTP'),
  clientCertificateHeader: z
    .string()
    .regex(/^[A-Za-z0-9-]{1,64}$/)
    .optional()
    .describe('Header in which a trusted proxy hands over the certificate of the caller'),
  dpop: z
    .strictObject({
      requireNonce: z.boolean().default(false).describe('Every proof must carry a nonce of ours'),
      windowSeconds: z.int().min(5).max(300).default(60).describe('How far iat of a proof may be from now'),
    })
    .prefault({}),
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  platform: z
    .strictObject({
      agencyCode: z.string().default('H35'),
      agencyName: z.string().default('Ủy ban nhân dân tỉnh Lai Châu'),
    })
    .prefault({})
    .describe('The agency that runs the gateway; holds the bootstrap administrator'),
  egress: z
    .strictObject({
      addresses: z
        .array(z.string())
        .default([])
        .describe('host, host:port, CIDR or CIDR:port that connectors may call'),
      folders: z.array(z.string()).default([]).describe('Folders that file and SQLite sources may read'),
    })
    .prefault({}),
  limits: z
    .strictObject({
      system: limit.default({ calls: 6000, seconds: 60 }),
      service: limit.default({ calls: 60_000, seconds: 60 }),
      address: limit
        .default({ calls: 1200, seconds: 60 })
        .describe('Unauthenticated requests of one address'),
      requestBytes: z.int().min(1).default(1_048_576),
      responseBytes: z.int().min(1).default(16_777_216),
      timeoutMs: z.int().min(1).max(120_000).default(15_000),
      concurrentCalls: z
        .int()
        .min(1)
        .default(2000)
        .describe('Calls in progress on this node before it answers overloaded'),
    })
    .prefault({}),
  record,
  witnesses,
  verification,
  retention,
  documents,
  sharing,
  grantReview: z
    .strictObject({
      dormantDays: z
        .int()
        .min(1)
        .max(730)
        .default(90)
        .describe(
          'Without a call for so many days a grant is dormant; what it allows and never used is over-broad',
        ),
      quotaPercent: z
        .int()
        .min(0)
        .max(100)
        .default(10)
        .describe('A quota of which the highest day took no more than this share is over-broad'),
      askDormant: z.boolean().default(true).describe('Dormant grants are to be confirmed by their consumers'),
      everyMonths: z
        .int()
        .min(0)
        .max(60)
        .default(12)
        .describe('Months after which every grant is to be confirmed again; 0: never'),
      answerWorkingDays: z.int().min(1).max(240).default(15).describe('Working days to answer'),
      remindWorkingDays: z.int().min(0).max(60).default(5).describe('Working days before the end to remind'),
      lapse: z.boolean().default(false).describe('Whether a grant whose consumer does not answer ends'),
    })
    .prefault({})
    .describe('Grants held against their use'),
  accounts,
  trustedIssuers,
  people,
  fourEyes: z
    .boolean()
    .default(true)
    .describe('Who made a revision does not publish it; false only for trying out'),
  tokens: z.strictObject({ ttlSeconds: z.int().min(30).max(3600).default(600) }).prefault({}),
  schedule: z
    .strictObject({
      everyMs: z
        .int()
        .min(20)
        .max(600_000)
        .default(15_000)
        .describe('How often a node looks for what fell due'),
    })
    .prefault({}),
  notices: z
    .strictObject({
      keepDays: z.int().min(30).max(3660).default(400).describe('How long a notice stays in an inbox'),
    })
    .prefault({}),
  feed: feed.describe('Where every record goes as it is written: syslog, files'),
  security: security.describe('What in the record is told to the operators'),
  smtp: smtp.prefault({}).describe('Where notices leave as e-mail'),
  refreshMs: z
    .int()
    .min(20)
    .max(1000)
    .default(250)
    .describe('How often a node looks for changes made elsewhere'),
  drainMs: z.int().min(0).max(120_000).default(10_000).describe('How long open calls may finish at shutdown'),
  metricsAddresses: z
    .array(range)
    .default(['127.0.0.1/32', '::1/128'])
    .describe('Addresses that may read /metrics and the details of /readyz'),
});

type Parsed = z.infer<typeof ConfigSchema>;
/** Checked, with defaults filled in, and frozen. */
export type Config = Readonly<Omit<Parsed, 'publicUrl'> & { publicUrl: string }>;

export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const ENVIRONMENT: Readonly<Record<string, string>> = {
  LGSP_PORT: 'port',
  LGSP_DATA_DIR: 'dataDir',
  LGSP_PUBLIC_URL: 'publicUrl',
  LGSP_DATABASE_URL: 'databaseUrl',
  LGSP_REDIS_URL: 'redisUrl',
  LGSP_MASTER_KEY: 'masterKey',
  LGSP_TRUSTED_PROXIES: 'trustedProxies',
  LGSP_LOG_LEVEL: 'logLevel',
  LGSP_SMTP_PASSWORD: 'smtp.password',
};

function fromEnvironment(env: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [variable, value] of Object.entries(env)) {
    if (
      !variable.startsWith('LGSP_') ||
      variable.startsWith('LGSP_TEST_') ||
      value === undefined ||
      value === ''
    )
      continue;
    const key = ENVIRONMENT[variable];
    if (key === undefined) throw new ConfigError(`unknown environment variable ${variable}`);
    found[key] =
      key === 'port'
        ? Number(value)
        : key === 'trustedProxies'
          ? value.split(',').map((s) => s.trim())
          : value;
  }
  return found;
}

/** Variables on top of the file; `a.b` goes into the section `a`. */
function withEnvironment(
  file: Readonly<Record<string, unknown>>,
  env: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...file };
  for (const [path, value] of Object.entries(env)) {
    const [section = '', key] = path.split('.');
    if (key === undefined) merged[section] = value;
    else merged[section] = { ...(merged[section] as object | undefined), [key]: value };
  }
  return merged;
}

function freeze<T extends object>(value: T): T {
  for (const part of Object.values(value))
    if (typeof part === 'object' && part !== null) freeze(part as object);
  return Object.freeze(value);
}

/**
 * Settings from a file, then `LGSP_*` variables on top.
 *
 * @throws ConfigError naming every key that is unknown or wrong
 */
export function loadConfig(file: unknown, env: Readonly<Record<string, string | undefined>> = {}): Config {
  const base = typeof file === 'object' && file !== null ? (file as Record<string, unknown>) : {};
  const parsed = ConfigSchema.safeParse(withEnvironment(base, fromEnvironment(env)));
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`,
    );
    throw new ConfigError(`configuration refused:\n  ${faults.join('\n  ')}`);
  }
  const scheme = parsed.data.tls === undefined ? 'http' : 'https';
  const publicUrl = (parsed.data.publicUrl ?? `${scheme}://localhost:${parsed.data.port}`).replace(/\/$/, '');
  return freeze({ ...parsed.data, publicUrl });
}
