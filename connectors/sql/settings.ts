import { z } from 'zod';
import { ConversionsSchema } from '../mapping/conversion.js';
import { TemplateSchema } from '../mapping/template.js';

const readOnly = z.boolean().default(true).describe('false allows bindings with write: true');
const maxConnections = z.int().min(1).max(50).default(4);

const Server = z.strictObject({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535).optional(),
  database: z.string().min(1).max(128),
  user: TemplateSchema,
  password: TemplateSchema.describe('From a credential: {credential.name}'),
});

const Ssl = z.strictObject({ ca: z.string().max(65_536).optional().describe('PEM text') });

/** Where the database is. A password comes from a credential only. */
export const SqlSettingsSchema = z.discriminatedUnion('engine', [
  z.strictObject({
    engine: z.literal('sqlite'),
    connection: z.strictObject({ file: z.string().min(1).max(4096) }),
    readOnly,
    maxConnections: z.int().min(1).max(4).default(1).describe('Worker threads'),
  }),
  z.strictObject({
    engine: z.enum(['postgres', 'mysql']),
    connection: Server,
    readOnly,
    maxConnections,
    ssl: Ssl.optional().describe('TLS with the certificate verified'),
  }),
]);

const Column = z.string().min(1).max(128);

const Param = z.union([
  z
    .string()
    .max(1024)
    .describe('One source (query.ten), or a template when it has braces ({query.ho} {query.ten})'),
  z.strictObject({
    from: z.string().max(512),
    as: ConversionsSchema.optional(),
    default: z.union([z.string(), z.number(), z.boolean(), z.null()]).optional(),
  }),
]);

/** One statement and what it publishes. A parameter without a value is bound as NULL. */
export const SqlBindingSchema = z.strictObject({
  sql: z.string().min(1).max(65_536).describe('One statement with :name parameters'),
  params: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), Param).default({}),
  rowLimit: z
    .int()
    .min(1)
    .max(10_000)
    .default(1000)
    .describe('More rows are cut off, said by lgsp-truncated: true'),
  one: z.boolean().default(false).describe('One object instead of a list; no row is 404'),
  fields: z
    .record(
      z.string(),
      z.union([Column, z.strictObject({ column: Column, as: ConversionsSchema.optional() })]),
    )
    .optional()
    .describe('Published field → column; without it, every column under its own name'),
  wrap: z
    .strictObject({
      items: z.string().min(1).max(128),
      total: z.string().min(1).max(128).optional(),
      totalColumn: Column.optional().describe('Column that carries the total, e.g. count(*) OVER ()'),
    })
    .optional()
    .describe('An envelope around the list'),
  write: z.boolean().default(false),
});

export type SqlSettings = z.infer<typeof SqlSettingsSchema>;
export type SqlBinding = z.infer<typeof SqlBindingSchema>;
export type SqlParam = z.infer<typeof Param>;
