import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from '../base/config.js';

/** A mail server and how to sign in there, complete. */
export interface MailSettings {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly requireTls: boolean;
  readonly ca?: string;
  readonly auth?: { readonly user: string; readonly pass: string };
  readonly from: string;
}

function fileText(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ConfigError(`${key}: the file cannot be read`, { cause });
  }
}

type Smtp = Config['smtp'];

function passwordOf({ password, passwordFile }: Smtp): string | undefined {
  if (passwordFile === undefined) return password;
  return fileText(passwordFile, 'smtp.passwordFile').replace(/\r?\n$/, '');
}

function server(smtp: Smtp): Pick<MailSettings, 'host' | 'port' | 'secure'> & { user: string; pass: string } {
  const { url, host = '', port, secure, user = '' } = smtp;
  if (url === undefined) return { host, port: port ?? (secure ? 465 : 587), secure, user, pass: '' };
  if (!URL.canParse(url)) throw new ConfigError('smtp.url is not a URL');
  const parsed = new URL(url);
  const tls = parsed.protocol === 'smtps:';
  return {
    host: parsed.hostname,
    port: parsed.port === '' ? (tls ? 465 : 587) : Number(parsed.port),
    secure: tls,
    user: decodeURIComponent(parsed.username),
    pass: decodeURIComponent(parsed.password),
  };
}

/**
 * The mail server of the configuration; null where there is none.
 *
 * @throws ConfigError when a file it names cannot be read, or the password is missing
 */
export function mailSettings(smtp: Smtp): MailSettings | null {
  const { from } = smtp;
  if ((smtp.url ?? smtp.host) === undefined || from === undefined) return null;
  const { user, pass, ...where } = server(smtp);
  const password = passwordOf(smtp) ?? pass;
  if (user !== '' && password === '')
    throw new ConfigError('smtp.user needs a password: smtp.passwordFile or LGSP_SMTP_PASSWORD');
  return {
    ...where,
    requireTls: smtp.requireTls,
    from,
    ...(smtp.caFile === undefined ? {} : { ca: fileText(smtp.caFile, 'smtp.caFile') }),
    ...(user === '' ? {} : { auth: { user, pass: password } }),
  };
}
