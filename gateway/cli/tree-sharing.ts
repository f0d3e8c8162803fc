import { z } from 'zod';

const SubscriptionSchema = z.strictObject({
  service: z.string(),
  system: z.string(),
  purpose: z.string(),
  by: z.string().describe('The client of the consumer agency that subscribes'),
});

const Agreement = z.strictObject({
  data: z.string(),
  place: z.string(),
  term: z.string(),
  method: z.string(),
  processing: z.string(),
  conditions: z.string(),
  commitments: z.string(),
  security: z.string(),
  storage: z.string(),
  deletion: z.string(),
});

/** The states that a file may ask for; the others are passed through, or come by themselves. */
export const WANTED_STATES = [
  'draft',
  'submitted',
  'in_review',
  'needs_changes',
  'refused',
  'withdrawn',
  'agreed',
  'preparing',
  'testing',
  'active',
  'suspended',
  'terminated',
] as const;

const RequestSchema = z.strictObject({
  service: z.string(),
  system: z.string(),
  state: z.enum(WANTED_STATES),
  by: z
    .strictObject({ consumer: z.string(), provider: z.string() })
    .describe('The clients through which the two agencies act'),
  purpose: z.string().describe('With service and system it tells one request from another'),
  legalBasis: z.string().optional(),
  operations: z.array(z.string()).default([]),
  fields: z.record(z.string(), z.array(z.string())).nullable().default(null),
  perDay: z.int().min(1).optional(),
  perMinute: z.int().min(1).nullable().optional(),
  from: z.iso.date().optional(),
  until: z.iso.date().optional(),
  afterUse: z.strictObject({ storage: z.string(), deletion: z.string() }).optional(),
  agreement: Agreement.optional(),
  documents: z
    .strictObject({
      consumer: z.string().optional(),
      provider: z.string().optional(),
      manager: z.string().optional(),
    })
    .default({}),
  reason: z.string().optional().describe('For the step that leads to the state, where it needs one'),
  refusalBasis: z.string().optional().describe('The legal basis of a refusal'),
  quota: z
    .strictObject({ perDay: z.int().min(0), perMinute: z.int().min(1).nullable().optional() })
    .optional()
    .describe('What is in force of the approved quota, once it is active'),
  tryCalls: z
    .array(z.string().startsWith('/'))
    .default([])
    .describe('Paths below the service that the receiving system calls in the sandbox'),
});

/** `subscriptions.yaml` and `sharing-requests.yaml` of a folder. */
export const SubscriptionsSchema = z.array(SubscriptionSchema);
export const SharingRequestsSchema = z.array(RequestSchema);

export type TreeSubscription = z.infer<typeof SubscriptionSchema>;
export type TreeSharingRequest = z.infer<typeof RequestSchema>;
