import { z } from 'zod';

const ChannelSchema = z
  .strictObject({
    id: z.string(),
    agency: z.string(),
    kind: z.enum(['webhook', 'email']),
    target: z.string(),
    kinds: z.array(z.string().min(1)).min(1).optional().describe('Only these kinds of notice; default: all'),
    active: z.boolean().default(true),
    secret: z
      .strictObject({ env: z.string().min(1) })
      .optional()
      .describe('The variable that holds what a webhook’s messages are signed with; default: one is made'),
  })
  .refine(({ kind, secret }) => kind === 'webhook' || secret === undefined, {
    path: ['secret'],
    message: 'only of a webhook',
  });

export const ChannelsSchema = z.array(ChannelSchema);
/** With the secret itself in place of the name of its variable. */
export type TreeChannel = Omit<z.infer<typeof ChannelSchema>, 'secret'> & { readonly secret: string | null };
