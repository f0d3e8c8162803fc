import { z } from 'zod';
import { refusals } from './config-refusals.js';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
  .describe('How it is called: lower-case letters, digits and hyphens');

const to = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('folder'),
    name,
    path: z.string().min(1).describe('Folder that others mount or copy; heads of the log are written there'),
  }),
  z.strictObject({
    kind: z.literal('http'),
    name,
    url: z.url({ protocol: /^https?$/ }).describe('A C2SP tlog-witness; the egress list must allow it'),
    verifierKey: z.string().describe('Its vkey, name+hash+key, kind 4'),
  }),
  z.strictObject({
    kind: z.literal('tsa'),
    name,
    url: z
      .url({ protocol: /^https?$/ })
      .describe('A time-stamp authority, RFC 3161; the egress list must allow it'),
    caFile: z.string().describe('PEM file of the roots that its certificate leads to'),
  }),
]);

/** To whom the heads of the log are shown. */
export const witnesses = z
  .strictObject({
    everySeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .describe('Between two heads that one witness is shown'),
    alarmAfterSeconds: z.int().min(0).max(604_800).default(3600).describe('A longer outage is told'),
    to: z
      .array(to)
      .max(20)
      .default([])
      .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'names must differ'),
  })
  .prefault({})
  .describe('Who outside keeps signed heads of the log, so that nobody can rewrite it unnoticed');

/** Verification of the log beside the exchange. */
export const verification = z
  .strictObject({
    everyHours: z
      .number()
      .min(0)
      .max(8760)
      .default(24)
      .describe('Between two verifications of the whole log, the first when a node starts; 0: never'),
    share: z
      .number()
      .min(0.01)
      .max(1)
      .default(0.1)
      .describe('Share of one processor that a verification takes'),
  })
  .prefault({})
  .describe('The log is verified from its beginning again and again, with an alarm when it does not hold');

const period = z
  .strictObject({
    months: z
      .int()
      .min(1)
      .max(1200)
      .default(24)
      .describe('Whole months in the database, where records are searched; then they are in a sealed file'),
    fileMonths: z
      .int()
      .min(0)
      .max(1200)
      .default(0)
      .describe('Whole months after which that file is destroyed, and only hashes are left; 0: never'),
    legalBasis: z
      .string()
      .regex(/^[a-z0-9-]{1,64}(#[A-Za-z0-9.-]{1,32})?$/)
      .default('491-qd-ubnd')
      .describe('What this rests on: a reference into the registry of legal bases'),
  })
  .refine(({ months, fileMonths }) => fileMonths === 0 || fileMonths >= months, {
    message:
      'a file is not destroyed before its records are in it alone: fileMonths must not be below months',
  })
  .prefault({});

/** How long what is recorded is kept, by class. */
export const retention = z
  .strictObject({
    folder: z
      .string()
      .optional()
      .describe(
        'Where sealed segments are kept, a folder that every node reaches; empty: nothing is sealed; default: archive in the data folder with SQLite, and with PostgreSQL nothing is sealed until it is named',
      ),
    encryptTo: z
      .array(z.string().regex(/^age1[a-z0-9]{10,4000}$/, 'no age public key (age1…)'))
      .max(20)
      .default([])
      .describe(
        'age public keys: files of records are encrypted to them, and the gateway cannot read them again',
      ),
    everyHours: z.number().min(0.0001).max(720).default(6).describe('How often it looks for what is due'),
    calls: period.describe('Calls of shared data, in the sandbox too'),
    logins: period.describe('Sign-ins, tokens, and refusals of both'),
    acts: period.describe('What people and the platform itself did on the platform'),
  })
  .prefault({})
  .describe('How long records are kept, and why; what leaves the database is sealed and still proves itself');

export const record = z
  .strictObject({
    queue: z.int().min(1).default(20_000).describe('Records waiting for the disk before calls are refused'),
    timeoutMs: z.int().min(100).default(5000).describe('How long an answer waits for its record'),
    searchMs: z.int().min(100).max(60_000).default(5000).describe('How long a search of the record may take'),
    exportRows: z.int().min(1).max(1_000_000).default(500_000).describe('The most records of one export'),
    refusals,
    subjects: z
      .int()
      .min(1)
      .max(5000)
      .default(200)
      .describe('Persons that one record names; of more it says how many were left out'),
  })
  .prefault({});
