import { createHash } from 'node:crypto';
import { insertAgency } from '../gateway/store/agencies.js';
import type { Database } from '../gateway/store/database.js';
import { insertRevision, insertService } from '../gateway/store/services.js';
import { insertCredential, insertSystem } from '../gateway/store/systems.js';

export const CLIENT = { id: 'bench', secret: 'bench-secret-of-a-throw-away-database' };

const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'Đơn vị hành chính', version: '1.0.0' },
  paths: {
    '/don-vi': {
      get: {
        operationId: 'traCuu',
        parameters: [
          { name: 'ten', in: 'query', schema: { type: 'string', maxLength: 100 } },
          { name: 'trang', in: 'query', schema: { type: 'integer', minimum: 1 } },
        ],
        responses: {
          200: {
            description: 'Các đơn vị tìm thấy',
            content: { 'application/json': { schema: { $ref: '#/components/schemas/KetQua' } } },
          },
        },
      },
    },
  },
  components: {
    schemas: {
      KetQua: {
        type: 'object',
        required: ['data', 'total'],
        additionalProperties: false,
        properties: {
          data: { type: 'array', items: { $ref: '#/components/schemas/DonVi' } },
          total: { type: 'integer' },
        },
      },
      DonVi: {
        type: 'object',
        required: ['code', 'name', 'type', 'effective_from'],
        additionalProperties: false,
        properties: {
          code: { type: 'string', pattern: '^[0-9]{5}$' },
          name: { type: 'string', minLength: 1 },
          full_name: { type: 'string' },
          type: { enum: ['tinh', 'xa', 'phuong'] },
          parent_code: { type: ['string', 'null'] },
          effective_from: { type: 'string', format: 'date' },
        },
      },
    },
  },
};

export const servicePath = (i: number): string => `/data/H35.11/dich-vu-${i}/v1/don-vi?ten=pu%20sam&trang=1`;

const NO_LIMIT = { calls: 1_000_000_000, seconds: 60 };

function manifest(i: number, upstream: string) {
  return {
    provider: 'H35.11',
    slug: `dich-vu-${i}`,
    version: '1.0.0',
    title: `Dịch vụ ${i}`,
    sharing: 'default',
    classification: 'open',
    direction: 'provide',
    connector: { kind: 'http', settings: { baseUrl: upstream, maxConnections: 128 } },
    operations: { traCuu: {} },
    limits: { service: NO_LIMIT },
    responseCheck: 'enforce',
  } as const;
}

/** One agency, one system and as many published services as asked, straight into the store. */
export async function fill(database: Database, services: number, upstream: string): Promise<void> {
  const { knex } = database;
  const at = Date.now();
  const dates = { created_at: at, updated_at: at };
  await insertAgency(knex, {
    code: 'H35.11',
    alias: null,
    name: 'Sở Nội vụ',
    level: 'department',
    parent_code: null,
    valid_from: '2000-01-01',
    valid_to: null,
    ...dates,
  });
  await insertSystem(knex, {
    id: CLIENT.id,
    agency_code: 'H35.11',
    name: 'bench',
    roles: '["consumer"]',
    state: 'active',
    state_since: at,
    state_reason: null,
    limit_calls: NO_LIMIT.calls,
    limit_seconds: NO_LIMIT.seconds,
    ...dates,
  });
  await insertCredential(knex, {
    id: 'c1',
    system_id: CLIENT.id,
    kind: 'secret',
    secret_sha256: createHash('sha256').update(CLIENT.secret).digest('hex'),
    public_jwk: null,
    created_at: at,
    expires_at: null,
    revoked_at: null,
  });
  const document = JSON.stringify(DOCUMENT);
  await knex.transaction(async (trx) => {
    for (let i = 0; i < services; i += 1) {
      const made = manifest(i, upstream);
      const id = `H35.11/${made.slug}/v1`;
      const { provider, slug, title, sharing, classification } = made;
      await insertService(trx, {
        id,
        provider,
        slug,
        major: 1,
        title,
        sharing,
        classification,
        state: 'published',
        state_since: at,
        state_reason: null,
        published_revision: 1,
        latest_revision: 1,
        ...dates,
      });
      await insertRevision(trx, {
        service_id: id,
        revision: 1,
        manifest: JSON.stringify(made),
        document,
        sha256: '',
        created_by: 'bench',
        created_at: at,
        published_at: at,
      });
    }
  });
}
