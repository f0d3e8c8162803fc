import { z } from 'zod';

export const documents = z
  .strictObject({
    attachmentsDir: z
      .string()
      .optional()
      .describe('Folder of the attachments, shared by all nodes; default: attachments in the data folder'),
    attachmentBytes: z.int().min(1).max(104_857_600).default(20_971_520).describe('Size of one attachment'),
    debtWorkingDays: z
      .int()
      .min(0)
      .max(60)
      .default(3)
      .describe('Working days until an emergency lock must have its document'),
    remindHours: z.int().min(1).max(240).default(24).describe('How long before that the reminder comes'),
  })
  .prefault({});

export const sharing = z
  .strictObject({
    defaultSharing: z
      .enum(['open', 'subscribe', 'confirm'])
      .default('subscribe')
      .describe(
        'Default services: open to every account; or after one subscription, at once; or once an operator confirmed it',
      ),
    accountWorkingDays: z
      .int()
      .min(1)
      .max(60)
      .default(2)
      .describe('Working days to create a connection account or refuse it with a reason'),
    receiveWorkingDays: z.int().min(1).max(60).default(2).describe('Working days to take up a request'),
    reviewWorkingDays: z.int().min(1).max(240).default(5).describe('Working days to decide on a request'),
    settleWorkingDays: z.int().min(1).max(240).default(10).describe('Working days to settle a difficulty'),
    reviewMonths: z
      .int()
      .min(1)
      .max(24)
      .default(6)
      .describe('Months between two reviews of the default list'),
    reviewRemindDays: z.int().min(0).max(90).default(14).describe('Days before a review that it is told of'),
    sunsetDays: z
      .int()
      .min(0)
      .max(1096)
      .default(90)
      .describe('Days between the word that a service ends and its end'),
    maxTermDays: z.int().min(1).max(3660).default(1827).describe('The longest term of an approval, days'),
  })
  .prefault({});
