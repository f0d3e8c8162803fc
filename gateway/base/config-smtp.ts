import { z } from 'zod';

export const smtp = z
  .strictObject({
    url: z
      .string()
      .regex(/^smtps?:\/\/[^/?#]+\/?$/)
      .optional()
      .describe('smtp://user@host:587 or smtps://host, in place of host, port, secure and user'),
    host: z.string().min(1).optional().describe('The server that takes e-mail; none: no e-mail is sent'),
    port: z.int().min(1).max(65_535).optional().describe('Default 587, or 465 with secure'),
    secure: z.boolean().default(false).describe('TLS from the first byte, rather than by STARTTLS'),
    requireTls: z.boolean().default(true).describe('Sends nothing to a server that offers no TLS'),
    caFile: z.string().optional().describe('PEM file of the authority that the server belongs to'),
    user: z.string().min(1).optional(),
    password: z.string().optional(),
    passwordFile: z.string().optional().describe('File that holds the password, in place of password'),
    from: z.email().optional().describe('The sender of e-mail'),
  })
  .refine((one) => one.url === undefined || one.host === undefined, {
    path: ['host'],
    message: 'either url or host',
  })
  .refine((one) => one.password === undefined || one.passwordFile === undefined, {
    path: ['passwordFile'],
    message: 'either password or passwordFile',
  })
  .refine((one) => (one.url ?? one.host) === undefined || one.from !== undefined, {
    path: ['from'],
    message: 'a sender is needed',
  });
