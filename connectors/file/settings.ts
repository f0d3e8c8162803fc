import { z } from 'zod';
import { MappingSchema } from '../mapping/mapping.js';

/** A data set in one file. */
export const FileSettingsSchema = z.strictObject({
  path: z.string().min(1).max(4096).describe('In a folder that the configuration allows'),
  format: z.enum(['json', 'csv']),
  delimiter: z.string().length(1).default(',').describe('CSV only'),
  encoding: z.literal('utf-8').default('utf-8'),
  rows: z.string().startsWith('/').optional().describe('JSON only: pointer to the list; default: the root'),
  maxBytes: z.int().min(1).max(268_435_456).default(33_554_432),
});

const Field = z.string().min(1).max(256);

const Filter = z.discriminatedUnion('match', [
  z.strictObject({
    match: z.enum(['equals', 'contains', 'prefix', 'contains-folded']),
    field: Field,
  }),
  z.strictObject({
    match: z.literal('valid-at'),
    from: Field.describe('First day in force; empty: always has been'),
    to: Field.describe('Last day in force; empty: still is'),
    end: z.enum(['inclusive', 'exclusive']).default('inclusive').describe('Whether `to` itself is in force'),
    default: z
      .literal('today')
      .optional()
      .describe('Without the parameter: in force today in Asia/Ho_Chi_Minh'),
  }),
]);

const Common = {
  filters: z.record(z.string(), Filter).default({}).describe('Query parameter → test'),
  fields: z.record(z.string(), MappingSchema).optional().describe('Published field ← field of the file'),
};

/** Which rows of the data set an operation publishes. */
export const FileBindingSchema = z.union([
  z.strictObject({
    list: z.literal(true),
    ...Common,
    sort: z.strictObject({ by: Field, order: z.enum(['asc', 'desc']).default('asc') }).optional(),
    page: z
      .strictObject({
        limit: z.string().describe('Query parameter with the number of rows'),
        offset: z.string().optional().describe('Query parameter with the rows to skip'),
        number: z.string().optional().describe('Query parameter with the page, from 1'),
        max: z.int().min(1).max(10_000).default(1000),
        default: z.int().min(1).max(10_000).default(100),
      })
      .optional(),
    wrap: z.strictObject({ items: z.string().min(1), total: z.string().min(1).optional() }).optional(),
  }),
  z.strictObject({
    one: z.strictObject({
      by: Field.describe('Field that is compared'),
      param: z.string().describe('Path or query parameter of the operation'),
    }),
    ...Common,
  }),
]);

export type FileSettings = z.infer<typeof FileSettingsSchema>;
export type FileBinding = z.infer<typeof FileBindingSchema>;
export type FileFilter = z.infer<typeof Filter>;
