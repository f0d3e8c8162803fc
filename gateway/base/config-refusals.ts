import { z } from 'zod';

/** What keeps refusals that nobody signed for from filling the disk. */
export const refusals = z
  .strictObject({
    perAddress: z
      .int()
      .min(1)
      .max(100_000)
      .default(100)
      .describe('Unauthenticated refusals of one address in a minute that get a record each'),
    inAll: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(3000)
      .describe('The same of all addresses together, on this node'),
    addresses: z
      .int()
      .min(1)
      .max(100_000)
      .default(2000)
      .describe('Addresses that are counted apart in a minute; the rest is counted as one'),
  })
  .prefault({});
