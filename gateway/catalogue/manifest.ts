import { z } from 'zod';
import { fold } from '../base/fold.js';

/** QĐ 20/2020/QĐ-TTg: groups of digits and capitals between dots, 35 characters at most. */
export const AGENCY_CODE = /^(?=.{1,35}$)[0-9A-Z]+(\.[0-9A-Z]+)*$/;
export const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/;

export const SECRET_CLASSIFICATIONS = [
  'mat',
  'toi_mat',
  'tuyet_mat',
  'secret',
  'top_secret',
  'confidential',
] as const;

/** Whether a classification names a degree of secrecy, in any spelling: `Tuyệt mật`, `TOI MAT`, `top-secret`. */
export function isStateSecret(classification: string): boolean {
  const word = fold(classification)
    .replaceAll(/[^a-z]+/g, '_')
    .replaceAll(/^_|_$/g, '');
  return (SECRET_CLASSIFICATIONS as readonly string[]).includes(word);
}

const limit = z.strictObject({ calls: z.int().min(0), seconds: z.int().min(1).max(86_400) });

const successRule = z.strictObject({
  pointer: z.string().startsWith('/').describe('RFC 6901 pointer into the JSON answer of the source'),
  equals: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).min(1),
});

/** Pointer into a message by the sections that faults name; `*` stands for every item of a list. */
const markPointer = (sections: string) =>
  z
    .string()
    .max(512)
    .regex(new RegExp(`^/(?:body(?:/[^/]+)*|(?:${sections})/[^/]+)$`));

const secrecyMarks = z.strictObject({
  request: z
    .array(markPointer('path|query|header'))
    .max(32)
    .default([])
    .describe('Fields of requests that declare a degree of secrecy, e.g. /body/hoSo/*/doMat'),
  response: z.array(markPointer('header')).max(32).default([]).describe('The same of answers'),
  values: z
    .array(z.string().min(1).max(64))
    .max(64)
    .default([])
    .describe('What such a field says, beyond Mật, Tối mật, Tuyệt mật in any spelling: codes of the source'),
});

/** What an identifier identifies; the same word in every service, or nobody finds across them. */
export const SUBJECT_KINDS = ['citizen', 'insurance', 'enterprise', 'other'] as const;
export type SubjectKind = (typeof SUBJECT_KINDS)[number];

const subjectPointer = (sections: string | null) =>
  z.strictObject({
    pointer:
      sections === null
        ? z
            .string()
            .max(512)
            .regex(/^\/body(?:\/[^/]+)*$/)
        : markPointer(sections),
    kind: z.enum(SUBJECT_KINDS),
    operations: z
      .array(z.string().min(1).max(128))
      .min(1)
      .max(100)
      .optional()
      .describe('Only in messages of these operations; in all unless told'),
  });

const subjects = z.strictObject({
  request: z
    .array(subjectPointer('path|query'))
    .max(32)
    .default([])
    .describe('Where requests name the person or enterprise concerned, e.g. /path/soDinhDanh'),
  response: z
    .array(subjectPointer(null))
    .max(32)
    .default([])
    .describe('The same of answers, e.g. /body/duLieu/*/soDinhDanh'),
});

/**
 * What a provider says of a service beside its OpenAPI document: who provides it, on which terms it is shared,
 * where it comes from and how each operation is bound to the source.
 */
export const ManifestSchema = z.strictObject({
  provider: z.string().regex(AGENCY_CODE),
  slug: z.string().regex(SLUG),
  version: z
    .string()
    .regex(/^[0-9]+\.[0-9]+\.[0-9]+$/)
    .describe('Semantic version; its major number is the vN of the path'),
  title: z.string().min(1).max(255),
  description: z.string().max(4000).optional(),
  sharing: z.enum(['default', 'special']),
  classification: z.enum(['open', 'internal', 'restricted']),
  direction: z.enum(['provide', 'collect']).default('provide'),
  contact: z.string().max(255).optional(),
  connector: z.strictObject({ kind: z.string(), settings: z.record(z.string(), z.unknown()) }),
  operations: z
    .record(z.string(), z.record(z.string(), z.unknown()))
    .default({})
    .describe('Operation id → binding; an operation may carry its own as x-lgsp-binding'),
  limits: z.strictObject({ service: limit.optional(), system: limit.optional() }).default({}),
  timeoutMs: z.int().min(1).max(120_000).optional(),
  requestBytes: z.int().min(1).max(104_857_600).optional(),
  responseBytes: z.int().min(1).max(104_857_600).optional(),
  responseCheck: z.enum(['enforce', 'report']).default('enforce'),
  senderConstrained: z
    .boolean()
    .default(false)
    .describe('Only tokens bound to a key (DPoP) or a certificate (mTLS) are accepted'),
  secrecyMarks: secrecyMarks
    .optional()
    .describe('A message that declares itself a state secret in one of these fields is stopped'),
  subjects: subjects
    .optional()
    .describe('Whose data the messages carry: recorded as keyed digests, never as they are'),
  success: successRule
    .optional()
    .describe('Success where the HTTP status does not tell; a binding may have its own'),
});

export type Manifest = z.infer<typeof ManifestSchema>;

/** The `vN` of a service's path. */
export function majorOf(version: string): number {
  return Number(version.slice(0, version.indexOf('.')));
}

export function serviceId(provider: string, slug: string, major: number): string {
  return `${provider}/${slug}/v${major}`;
}
