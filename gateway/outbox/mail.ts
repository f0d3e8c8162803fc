import { createTransport, type SendMailOptions } from 'nodemailer';
import type { MailSettings } from './mail-settings.js';
import { failed, type Message, nameOf, type Outcome } from './message.js';

const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

export interface MailParts {
  readonly settings: MailSettings;
  /** Who runs the gateway, as the reader sees it. */
  readonly senderName: string;
  /** The right-hand side of message ids. */
  readonly domain: string;
  readonly timeoutMs: number;
  readonly stopping: AbortSignal;
}

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

/** One line, whatever it was: nothing in a title can begin another header. */
export function oneLine(text: string): string {
  return text.replace(CONTROL, ' ').trim().slice(0, 200);
}

/** Text of a mail: lines and tabs, no other control characters. */
function plain(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '');
}

export function mailText({ notice, id }: Pick<Message, 'notice' | 'id'>, senderName: string): string {
  return [
    oneLine(notice.title_vi),
    '',
    plain(notice.text_vi),
    '',
    '---',
    oneLine(notice.title_en),
    '',
    plain(notice.text_en),
    '',
    '---',
    `${oneLine(senderName)} · ${notice.kind} · ${id}`,
    'Thư tự động, xin không trả lời. / This is an automatic message; please do not reply.',
    '',
  ].join('\n');
}

function mailOf(message: Message, { settings, senderName, domain }: MailParts): SendMailOptions {
  return {
    from: { name: oneLine(senderName), address: settings.from },
    // An object, not text: text would be read as a list of addresses.
    to: { name: '', address: message.channel.target },
    subject: oneLine(message.notice.title_vi),
    text: mailText(message, senderName),
    date: new Date(message.at),
    messageId: `<${message.id}@${domain}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

/** An address that the server says does not exist; a fault of ours, such as a wrong password, may be mended. */
function isUnknownAddress(error: unknown): boolean {
  const { command, responseCode } = error as { command?: unknown; responseCode?: unknown };
  return command === 'RCPT TO' && typeof responseCode === 'number' && [550, 551, 553].includes(responseCode);
}

/** The server's number, and nothing of what it said: it may repeat what it was sent. */
function reason(error: unknown): string {
  const { responseCode } = error as { responseCode?: unknown };
  return typeof responseCode === 'number' ? `SMTP ${responseCode}` : nameOf(error);
}

/** One attempt to hand a message to the mail server. It never throws. */
export async function sendMail(message: Message, parts: MailParts): Promise<Outcome> {
  const { settings } = parts;
  const late = AbortSignal.timeout(parts.timeoutMs);
  const transport = createTransport({
    host: settings.host,
    port: settings.port,
    secure: settings.secure,
    requireTLS: !settings.secure && settings.requireTls,
    ...(settings.auth === undefined ? {} : { auth: settings.auth }),
    ...(settings.ca === undefined ? {} : { tls: { ca: settings.ca } }),
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
  });
  const mail: SendMailOptions & { signal: AbortSignal } = {
    ...mailOf(message, parts),
    signal: AbortSignal.any([late, parts.stopping]),
  };
  try {
    await transport.sendMail(mail);
    return { kind: 'sent' };
  } catch (error) {
    if (parts.stopping.aborted) return { kind: 'interrupted' };
    if (late.aborted) return failed(`no answer within ${parts.timeoutMs} ms`);
    if (isUnknownAddress(error)) return { kind: 'refused', error: reason(error) };
    return failed(reason(error));
  } finally {
    transport.close();
  }
}
