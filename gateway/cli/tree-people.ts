import { z } from 'zod';
import { ROLES } from '../store/systems.js';

const PersonSchema = z
  .strictObject({
    id: z.string().describe('The user name'),
    agency: z.string(),
    name: z.string(),
    email: z.email().optional(),
    roles: z.array(z.enum(ROLES)).min(1),
    state: z.enum(['active', 'locked', 'revoked']).default('active'),
    reason: z.string().min(1).optional(),
    emergency: z.literal(true).optional().describe('Locked at once, so that its document is owed'),
    document: z.string().optional().describe('The document that account and state rest on'),
    validFrom: z.iso.date().optional(),
    validTo: z.iso.date().optional(),
  })
  .refine((person) => person.state === 'active' || person.reason !== undefined, {
    path: ['reason'],
    message: 'a person who is locked or revoked needs a reason',
  })
  .refine((person) => person.emergency === undefined || person.state === 'locked', {
    path: ['emergency'],
    message: 'only what is locked is locked in an emergency',
  });

export const PeopleSchema = z.array(PersonSchema);
export type TreePerson = z.infer<typeof PersonSchema>;
