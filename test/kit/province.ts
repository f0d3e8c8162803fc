import { createHash } from 'node:crypto';
import { type AgencyRow, insertAgency } from '../../gateway/store/agencies.js';
import type { Database } from '../../gateway/store/database.js';
import { insertDocument } from '../../gateway/store/documents.js';
import { insertRevision, insertService, type ServiceState } from '../../gateway/store/services.js';
import { insertCredential, insertSystem, type Role, type SystemState } from '../../gateway/store/systems.js';

/** Held still: well after every date that the rows below begin on. */
const AT = Date.parse('2025-08-01T00:00:00Z');

export async function addAgency(
  database: Database,
  code: string,
  more: Partial<AgencyRow> = {},
): Promise<void> {
  await insertAgency(database.knex, {
    code,
    alias: null,
    name: `Cơ quan ${code}`,
    level: 'department',
    parent_code: null,
    valid_from: '2000-01-01',
    valid_to: null,
    created_at: AT,
    updated_at: AT,
    ...more,
  });
}

export interface SystemOptions {
  readonly roles?: readonly Role[];
  readonly state?: SystemState;
  readonly limit?: { calls: number; seconds: number };
}

/** The document that acts of tests rest on. */
export const PAPER = 'vb-mau';

export async function addPaper(database: Database, agency: string, id = PAPER): Promise<void> {
  await insertDocument(database.knex, {
    id,
    number: '12/SKHCN-BĐCN',
    kind: 'written_request',
    issued_on: '2025-07-01',
    issuer: 'Sở Khoa học và Công nghệ',
    signatory: 'Nguyễn Văn Mẫu',
    requested_by: 'unit',
    summary: null,
    agency_code: agency,
    attachment_sha256: null,
    attachment_name: null,
    attachment_type: null,
    attachment_bytes: null,
    created_by: 'test',
    created_at: AT,
    updated_at: AT,
  });
}

export const secretOf = (id: string): string => `secret-of-${id}-that-nobody-could-guess`;

/** A system whose client secret is `secretOf(id)`. */
export async function addSystem(
  database: Database,
  id: string,
  agency: string,
  options: SystemOptions = {},
): Promise<void> {
  const { roles = ['consumer'], state = 'active', limit } = options;
  await insertSystem(database.knex, {
    id,
    agency_code: agency,
    name: id,
    roles: JSON.stringify(roles),
    state,
    state_since: AT,
    state_reason: null,
    limit_calls: limit?.calls ?? null,
    limit_seconds: limit?.seconds ?? null,
    created_at: AT,
    updated_at: AT,
  });
  await insertCredential(database.knex, {
    id: `${id}-secret`,
    system_id: id,
    kind: 'secret',
    secret_sha256: createHash('sha256').update(secretOf(id)).digest('hex'),
    public_jwk: null,
    created_at: AT,
    expires_at: null,
    revoked_at: null,
  });
}

export interface ServiceOptions {
  readonly provider?: string;
  readonly slug?: string;
  readonly sharing?: 'default' | 'special';
  readonly state?: ServiceState;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly document?: unknown;
  readonly settings?: Readonly<Record<string, unknown>>;
}

const UNIT = {
  type: 'object',
  required: ['code', 'name'],
  additionalProperties: false,
  properties: { code: { type: 'string', pattern: '^[0-9]{5}$' }, name: { type: 'string' } },
};

const answer = (status: string) => ({
  [status]: { description: 'đơn vị', content: { 'application/json': { schema: UNIT } } },
});

/** One operation for each way a source can behave (`test/kit/source.ts`), and one that writes. */
export const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Dịch vụ thử', version: '1.0.0' },
  paths: {
    '/{act}': {
      get: {
        operationId: 'read',
        parameters: [
          { name: 'act', in: 'path', required: true, schema: { type: 'string' } },
          { name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 10 } },
          { name: 'x-mode', in: 'header', schema: { enum: ['a', 'b'] } },
          { name: 'session', in: 'cookie', schema: { type: 'string', maxLength: 8 } },
        ],
        responses: answer('200'),
      },
    },
    '/{act}/write': {
      post: {
        operationId: 'write',
        parameters: [{ name: 'act', in: 'path', required: true, schema: { type: 'string' } }],
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { ...UNIT, properties: { ...UNIT.properties, note: {} } } },
          },
        },
        responses: { ...answer('200'), ...answer('201') },
      },
    },
  },
};

/** Publishes a service bound to `sourceUrl`. @returns its path under `/data/` */
export async function addService(
  database: Database,
  sourceUrl: string,
  options: ServiceOptions = {},
): Promise<string> {
  const {
    provider = 'H35.11',
    slug = 'thu',
    sharing = 'default',
    state = 'published',
    document = DOCUMENT,
  } = options;
  const manifest = {
    provider,
    slug,
    version: '1.0.0',
    title: 'Dịch vụ thử',
    sharing,
    classification: 'internal',
    direction: 'provide',
    connector: { kind: 'http', settings: { baseUrl: sourceUrl, ...options.settings } },
    operations: { read: { path: '/{path.act}' }, write: { path: '/{path.act}/write' } },
    limits: {},
    responseCheck: 'enforce',
    ...options.manifest,
  };
  const id = `${provider}/${slug}/v1`;
  await insertService(database.knex, {
    id,
    provider,
    slug,
    major: 1,
    title: manifest.title,
    sharing,
    classification: 'internal',
    state,
    state_since: AT,
    state_reason: null,
    published_revision: 1,
    latest_revision: 1,
    created_at: AT,
    updated_at: AT,
  });
  await insertRevision(database.knex, {
    service_id: id,
    revision: 1,
    manifest: JSON.stringify(manifest),
    document: JSON.stringify(document),
    sha256: '',
    created_by: 'test',
    created_at: AT,
    published_at: AT,
  });
  return `/data/${id}`;
}
