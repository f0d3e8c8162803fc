import { type Logger as Pino, pino } from 'pino';

export type Logger = Pino;

/** Names whose values never reach the operational log, at any of the depths that we write. */
const SECRET_NAMES = [
  'authorization',
  'secret',
  'client_secret',
  'password',
  'token',
  'access_token',
  'cookie',
  'masterKey',
  'credentials',
];

/**
 * The operational log: JSON lines on standard error. It tells what the process does; who called what is
 * in the record (`gateway/audit`), never here.
 */
export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      redact: {
        paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[removed]',
      },
    },
    pino.destination({ fd: 2, sync: false }),
  );
}
