import { z } from 'zod';

export const accounts = z
  .strictObject({
    warnDays: z
      .array(z.int().min(0).max(366))
      .max(10)
      .default([30, 7, 1])
      .describe('How many days before a credential or an account ends its agency is told'),
  })
  .prefault({});

export const trustedIssuers = z
  .array(
    z.strictObject({
      issuer: z.string().min(1).describe('`iss`, character by character'),
      jwksUri: z.url({ protocol: /^https?$/ }).describe('Where its keys are; the egress list must allow it'),
      audience: z.string().optional().describe('`aud` of its tokens; default: the resource that is called'),
      algorithms: z
        .array(z.enum(['ES256', 'RS256', 'PS256']))
        .min(1)
        .default(['ES256', 'RS256', 'PS256']),
      // What is only called JWT may be an ID token: that speaks of somebody, and calls nothing.
      types: z
        .array(z.string())
        .min(1)
        .default(['at+jwt'])
        .describe('`typ` of its access tokens; JWT only for an issuer whose ID tokens have another audience'),
      claim: z.string().min(1).default('client_id').describe('The claim that names the system'),
      systems: z.record(z.string(), z.string()).describe('Value of the claim → id of the system here'),
      maxTtlSeconds: z.int().min(30).max(86_400).default(3600).describe('A longer-lived token is refused'),
    }),
  )
  .default([])
  .describe('Other authorization servers whose tokens for systems are accepted');

export const people = z
  .strictObject({
    passwordMinLength: z.int().min(8).max(64).default(12).describe('Characters of a password, at least'),
    passwordHistory: z.int().min(0).max(24).default(5).describe('Earlier passwords that are not taken again'),
    temporaryHours: z.int().min(1).max(720).default(72).describe('How long a temporary password works'),
    secondFactorRoles: z
      .array(z.enum(['owner', 'manager', 'operator', 'provider', 'consumer', 'auditor']))
      .default(['owner', 'manager', 'operator', 'provider', 'auditor'])
      .describe('People with one of these roles sign in with a one-time code too'),
    guesses: z.int().min(3).max(100).default(5).describe('Wrong sign-ins in a row before a name is locked'),
    lockMinutes: z.int().min(1).max(1440).default(15).describe('For how long it is locked then'),
    sessionHours: z.int().min(1).max(24).default(8).describe('How long a person stays signed in, at most'),
    idleMinutes: z.int().min(5).max(1440).default(60).describe('And without doing anything'),
    rulesFile: z.string().optional().describe('Text of the rules of use; default: those that come along'),
    identityProvider: z
      .strictObject({
        issuer: z.url({ protocol: /^https?$/ }).describe('The egress list must allow it'),
        clientId: z.string().min(1),
        clientSecretFile: z.string().optional().describe('File that holds the secret; none: a public client'),
        label: z.string().min(1).max(100).describe('How the sign-in page calls it'),
        scope: z.string().default('openid'),
        claim: z.string().min(1).default('sub').describe('The claim of its ID token that names the account'),
        accounts: z
          .record(z.string(), z.string())
          .optional()
          .describe('Value of the claim → user name here; left out: they are the same'),
        secondFactor: z
          .boolean()
          .default(false)
          .describe('It asks for a second factor itself, so that ours is not asked for'),
        secondFactorAmr: z
          .array(z.string())
          .min(1)
          .optional()
          .describe('…as far as `amr` of its ID token names one of these; default: its settings are trusted'),
        secondFactorAcr: z
          .array(z.string())
          .min(1)
          .optional()
          .describe('…as far as `acr` of its ID token is one of these, which are then asked for'),
        maxAgeSeconds: z
          .int()
          .min(0)
          .max(86_400)
          .nullable()
          .default(0)
          .describe('How long ago people may have proved themselves there; null: as long as it likes'),
      })
      .optional()
      .describe('Another OpenID provider at which people may prove themselves'),
    clients: z
      .array(
        z.strictObject({
          id: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?$/),
          name: z.string().min(1).max(100),
          redirectUris: z.array(z.url()).min(1),
          postLogoutRedirectUris: z.array(z.url()).default([]),
        }),
      )
      .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, {
        message: 'each id names one application',
      })
      .refine((all) => all.every(({ id }) => id !== 'console'), { message: 'console is the gateway’s own' })
      .default([])
      .describe('Further applications in which people sign in, beside the console; public, with PKCE'),
  })
  .prefault({});
