import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/);
const from = z
  .enum(['beginning', 'now'])
  .default('beginning')
  .describe('Where a sink that was never fed begins: with the first record, or with what comes next');

const syslogSink = z.strictObject({
  kind: z.literal('syslog'),
  name: name.describe('Under this name its place in the record is kept'),
  host: z.string().min(1),
  port: z.int().min(1).max(65_535),
  tls: z
    .strictObject({
      caFile: z.string().optional().describe('PEM: the authority of the receiver; default: those of Node.js'),
      certFile: z.string().optional().describe('PEM: our certificate, where the receiver asks for one'),
      keyFile: z.string().optional().describe('PEM: its key'),
      serverName: z.string().optional().describe('The name in its certificate, where it is not `host`'),
    })
    .refine((one) => (one.certFile === undefined) === (one.keyFile === undefined), {
      message: 'certFile and keyFile go together',
    })
    .optional()
    .describe('RFC 5425; without it plain TCP (RFC 6587), for a network of its own'),
  format: z.enum(['json', 'cef', 'structured']).default('json').describe('What a message holds'),
  facility: z.int().min(0).max(23).default(13).describe('RFC 5424 facility; 13 is log audit'),
  enterpriseId: z
    .string()
    .regex(/^[1-9]\d{0,9}(?:\.\d{1,10}){0,4}$/)
    .default('32473')
    .describe('Private enterprise number in the names of structured data; 32473 is that of examples'),
  hostname: z
    .string()
    .regex(/^[!-~]{1,255}$/)
    .optional()
    .describe('Default: the name of this machine'),
  appName: z
    .string()
    .regex(/^[!-~]{1,48}$/)
    .default('lgsp'),
  bom: z.boolean().default(true).describe('RFC 5424: a body that is not ASCII begins with a byte order mark'),
  maxBytes: z.int().min(2048).max(1_048_576).default(65_536).describe('Longest message'),
  settleMs: z
    .int()
    .min(0)
    .max(60_000)
    .default(2000)
    .describe('How long the connection must stay sound before what was sent counts as received'),
  resendBytes: z
    .int()
    .min(0)
    .max(268_435_456)
    .default(10_485_760)
    .describe('How much of what was sent last is sent again after a connection was lost'),
  from,
});

const fileSink = z.strictObject({
  kind: z.literal('file'),
  name,
  path: z.string().min(1).describe('JSON lines are appended here; the folder must be there'),
  maxBytes: z.int().min(1024).default(104_857_600).describe('A file past this size is put aside'),
  daily: z.boolean().default(true).describe('So is one of yesterday (Asia/Ho_Chi_Minh)'),
  keep: z.int().min(0).max(100_000).default(0).describe('So many files put aside are kept; 0 keeps all'),
  from,
});

/** Where every record goes besides the database: to those who watch over the province's systems. */
export const feed = z
  .strictObject({
    sinks: z
      .array(z.discriminatedUnion('kind', [syslogSink, fileSink]))
      .max(8)
      .default([])
      .refine((sinks) => new Set(sinks.map((sink) => sink.name)).size === sinks.length, {
        message: 'two sinks have one name',
      }),
    batch: z.int().min(1).max(2000).default(200).describe('Records that are read and sent together'),
    retryMs: z
      .int()
      .min(10)
      .max(60_000)
      .default(1000)
      .describe('The first pause after a failure; it doubles up to a minute'),
    sendTimeoutMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(30_000)
      .describe('A receiver that takes nothing for so long is given up, and tried again'),
    alarmSeconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(300)
      .describe('Operators are told when a record waits longer than this'),
  })
  .prefault({});

export type Sink = z.infer<typeof syslogSink> | z.infer<typeof fileSink>;
export type SyslogSink = z.infer<typeof syslogSink>;
export type FileSink = z.infer<typeof fileSink>;
