import { z } from 'zod';
import { ConversionsSchema } from '../mapping/conversion.js';
import { MappingSchema } from '../mapping/mapping.js';
import { TemplateSchema } from '../mapping/template.js';
import { SuccessSchema } from '../success.js';

const HeaderName = z
  .string()
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/)
  .max(128);
const Headers = z.record(HeaderName, TemplateSchema);

const Auth = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('basic'), username: TemplateSchema, password: TemplateSchema }),
  z.strictObject({ type: z.literal('bearer'), token: TemplateSchema }),
]);

const Breaker = z.strictObject({
  calls: z.int().min(1).max(10_000).default(10).describe('Calls in 10 s before the error share counts'),
  percent: z
    .int()
    .min(1)
    .max(100)
    .default(50)
    .describe('Share of unreachable, late or 5xx answers that opens it'),
  resetMs: z.int().min(10).max(600_000).default(10_000).describe('Rest before one trial call'),
});

/** Where an HTTP source is and how the gateway signs in there. */
export const HttpSettingsSchema = z.strictObject({
  baseUrl: z
    .string()
    .max(2048)
    .describe('http:// or https:// address of the source; its path goes before every operation’s path'),
  headers: Headers.default({}).describe('Sent with every call'),
  auth: Auth.optional(),
  maxConnections: z.int().min(1).max(1024).default(64),
  maxConcurrent: z
    .int()
    .min(1)
    .max(10_000)
    .default(512)
    .describe('Calls in progress before the source counts as busy'),
  retries: z
    .int()
    .min(0)
    .max(3)
    .default(1)
    .describe('Further tries of GET, HEAD and OPTIONS when no answer began'),
  breaker: Breaker.prefault({}),
  tls: z
    .strictObject({ ca: z.string().max(65_536).optional() })
    .optional()
    .describe('ca: PEM text'),
});

const QueryValue = z.union([
  TemplateSchema,
  z.strictObject({
    from: z.string().max(512).describe('One source, e.g. query.ngay; an array repeats the parameter'),
    as: ConversionsSchema.optional(),
    default: z.union([z.string(), z.number(), z.boolean()]).optional(),
  }),
]);

/** How one operation is asked of the source; an empty binding passes everything on as it is. */
export const HttpBindingSchema = z.strictObject({
  method: z
    .enum(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE'])
    .optional()
    .describe('Default: the published operation’s'),
  path: TemplateSchema.optional().describe('Below baseUrl; default: the published path'),
  query: z.record(z.string().max(256), QueryValue).optional(),
  forwardQuery: z.boolean().optional().describe('Default: true unless `query` is given'),
  headers: Headers.optional(),
  body: z
    .union([z.enum(['none', 'pass']), MappingSchema])
    .optional()
    .describe('Default pass: the caller’s bytes; a mapping reads body, path, query, header, caller'),
  response: z
    .strictObject({
      body: MappingSchema.optional(),
      status: z.record(z.string().regex(/^[1-5]\d\d$/), z.int().min(200).max(599)).optional(),
      headers: z
        .array(HeaderName)
        .max(64)
        .optional()
        .describe('Only these and content-type are passed on; default: all that do not speak of the machine'),
    })
    .optional(),
  success: SuccessSchema.optional(),
  failure: z
    .enum(['pass', 'source_failed'])
    .default('pass')
    .describe('What an answer that is no success by the rule becomes'),
});

export type HttpSettings = z.infer<typeof HttpSettingsSchema>;
export type HttpBinding = z.infer<typeof HttpBindingSchema>;
export type QueryBinding = z.infer<typeof QueryValue>;
