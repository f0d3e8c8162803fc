import { z } from 'zod';

const times = (count: number, minutes: number, what: string) =>
  z
    .strictObject({
      count: z.int().min(1).max(1_000_000).default(count).describe(what),
      minutes: z.int().min(1).max(1440).default(minutes).describe('Within so many minutes'),
    })
    .prefault({});

/** From when on something in the record is worth a word to the operators. */
export const security = z
  .strictObject({
    guessing: times(20, 10, 'Refused tokens, sign-ins and token requests of one address or account'),
    foreign: times(5, 10, 'Tokens of unknown issuers or keys from one address'),
    flood: times(500, 5, 'Refusals of one address or system'),
    volume: z
      .strictObject({
        factor: z.number().min(1).max(1000).default(5).describe('So many times the median of the same hours'),
        floor: z.int().min(1).default(500).describe('Calls of an hour below which nothing is unusual'),
        weeks: z.int().min(2).max(12).default(4).describe('Weeks that are looked back on'),
        minWeeks: z
          .int()
          .min(1)
          .max(12)
          .default(2)
          .describe('Weeks that must be known before anything is judged'),
      })
      .prefault({}),
    hours: z
      .strictObject({
        count: z.int().min(1).default(1).describe('Calls outside the declared hours of a system in one hour'),
      })
      .prefault({}),
    quietMinutes: z
      .int()
      .min(1)
      .max(10_080)
      .default(60)
      .describe('The same event about the same subject comes once in so many minutes'),
  })
  .prefault({});

export type SecuritySettings = z.infer<typeof security>;
