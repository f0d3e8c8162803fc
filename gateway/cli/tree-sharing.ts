import { z } from 'zod';
import { REQUEST_STATES } from '../store/sharing-requests.js';

/** Who may suspend: either agency, or the platform that runs the exchange. */
export const SIDES = ['consumer', 'provider', 'platform'] as const;
export type SharingSide = (typeof SIDES)[number];

const Ground = z.strictObject({ reason: z.string().min(1), document: z.string().optional() });

const Suspended = z
  .strictObject({ consumer: Ground.optional(), provider: Ground.optional(), platform: Ground.optional() })
  .describe('Which sides suspended it, and on what; each resumes only its own');

const SubscriptionSchema = z
  .strictObject({
    service: z.string(),
    system: z.string(),
    purpose: z.string(),
    state: z
      .enum(['requested', 'active', 'suspended'])
      .optional()
      .describe('Default: as the gateway has it, or makes it'),
    by: z
      .union([z.string(), z.strictObject({ consumer: z.string(), provider: z.string().optional() })])
      .describe(
        'The client of the consumer agency that subscribes, and of the provider where it takes a step',
      ),
    suspended: Suspended.optional(),
    reason: z.string().optional().describe('For the step that leads to the state'),
    document: z.string().optional().describe('The document that this step rests on'),
  })
  .refine(({ state, suspended }) => suspended === undefined || state === 'suspended', {
    path: ['suspended'],
    message: 'only with state: suspended',
  })
  .refine(({ state, suspended, reason }) => state !== 'suspended' || (suspended ?? reason) !== undefined, {
    path: ['suspended'],
    message: 'a suspension needs a reason',
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
export const WANTED_STATES = REQUEST_STATES.filter((state) => state !== 'expired');

const RequestSchema = z
  .strictObject({
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
    document: z
      .string()
      .optional()
      .describe('The document that this step rests on; default: that of its side'),
    endedBy: z.enum(SIDES).optional().describe('Who terminated it; default: the consumer'),
    suspended: Suspended.optional(),
    refusalBasis: z.string().optional().describe('The legal basis of a refusal'),
    quota: z
      .strictObject({ perDay: z.int().min(0), perMinute: z.int().min(1).nullable().optional() })
      .optional()
      .describe('What is in force of the approved quota, once it is active'),
    tryCalls: z
      .array(z.string().startsWith('/'))
      .default([])
      .describe('Paths below the service that the receiving system calls in the sandbox'),
  })
  .refine(({ state, suspended }) => suspended === undefined || state === 'suspended', {
    path: ['suspended'],
    message: 'only with state: suspended',
  });

/** `subscriptions.yaml` and `sharing-requests.yaml` of a folder. */
export const SubscriptionsSchema = z.array(SubscriptionSchema);
export const SharingRequestsSchema = z.array(RequestSchema);

export type TreeSubscription = z.infer<typeof SubscriptionSchema>;
export type TreeSharingRequest = z.infer<typeof RequestSchema>;
export type TreeSuspended = z.infer<typeof Suspended>;
