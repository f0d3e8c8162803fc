import { z } from 'zod';
import { ROLES } from '../store/systems.js';

const Jwk = z.record(z.string(), z.unknown());

const CredentialSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('secret') }),
  z.strictObject({
    kind: z.literal('key'),
    jwk: Jwk.optional().describe('The public key; default: one is made'),
  }),
  z
    .strictObject({
      kind: z.literal('certificate'),
      thumbprint: z.string().optional().describe('SHA-256 of the certificate, base64url (x5t#S256)'),
      file: z
        .string()
        .regex(/^[^/\\.][^/\\]*$/)
        .optional()
        .describe('Its PEM, in certificates/; needed where the gateway does not know the certificate yet'),
    })
    .refine(({ thumbprint, file }) => thumbprint !== undefined || file !== undefined, {
      path: ['file'],
      message: 'a certificate needs its file, or its thumbprint where it is registered already',
    }),
]);

const SystemSchema = z
  .strictObject({
    id: z.string(),
    agency: z.string(),
    name: z.string(),
    roles: z.array(z.enum(ROLES)).min(1),
    auth: z.enum(['secret', 'key', 'certificate']).optional().describe('How it proves itself'),
    publicJwk: Jwk.optional(),
    credentials: z
      .array(CredentialSchema)
      .min(1)
      .max(10)
      .optional()
      .describe('All that it proves itself with, where that is more than one secret or one key'),
    state: z.enum(['active', 'locked', 'revoked']).default('active'),
    reason: z.string().min(1).optional(),
    emergency: z.literal(true).optional().describe('Locked at once, so that its document is owed'),
    document: z.string().optional().describe('The document that registration and state rest on'),
    validTo: z.iso.date().optional(),
    limit: z.strictObject({ calls: z.int().min(0), seconds: z.int().min(1) }).optional(),
    requireBoundTokens: z.boolean().optional(),
    addresses: z.array(z.string()).min(1).max(64).optional().describe('From where it may call'),
    hours: z
      .strictObject({
        days: z.array(z.int().min(1).max(7)).min(1).max(7).describe('1 is Monday'),
        from: z.string().regex(/^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/),
        to: z
          .string()
          .regex(/^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/)
          .describe('Exclusive; not after `from`: past midnight'),
      })
      .optional()
      .describe('When it says that it calls, in Asia/Ho_Chi_Minh'),
  })
  .refine((system) => system.state === 'active' || system.reason !== undefined, {
    path: ['reason'],
    message: 'a system that is locked or revoked needs a reason',
  })
  .refine((system) => system.emergency === undefined || system.state === 'locked', {
    path: ['emergency'],
    message: 'only what is locked is locked in an emergency',
  })
  .refine((system) => system.publicJwk === undefined || system.auth === 'key', {
    path: ['publicJwk'],
    message: 'only with auth: key',
  })
  .refine((system) => system.publicJwk === undefined || system.credentials === undefined, {
    path: ['publicJwk'],
    message: 'either publicJwk or credentials',
  })
  .refine(
    ({ auth, credentials }) => credentials !== undefined || (auth !== undefined && auth !== 'certificate'),
    {
      path: ['credentials'],
      message: 'a system needs auth: secret, auth: key, or credentials',
    },
  )
  .refine(
    ({ auth, credentials }) => auth === undefined || (credentials?.some(({ kind }) => kind === auth) ?? true),
    {
      path: ['auth'],
      message: 'is none of its credentials',
    },
  );

export const SystemsSchema = z.array(SystemSchema);

type CredentialEntry = z.infer<typeof CredentialSchema>;
export type CertificateEntry = Extract<CredentialEntry, { kind: 'certificate' }>;
/** With the certificate itself in place of the name of its file; null where the folder does not hold it. */
export type TreeCredential =
  | Exclude<CredentialEntry, CertificateEntry>
  | {
      readonly kind: 'certificate';
      readonly thumbprint: string;
      readonly pem: string | null;
      readonly file?: string | undefined;
    };
export type TreeSystem = Omit<z.infer<typeof SystemSchema>, 'credentials'> & {
  readonly credentials?: readonly TreeCredential[] | undefined;
};
