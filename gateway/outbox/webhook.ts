import { createHmac } from 'node:crypto';
import { request } from 'undici';
import { EgressDenied } from '../../connectors/allow-list.js';
import { egressAgent, portOf } from '../../connectors/egress-agent.js';
import type { Egress } from '../../connectors/egress.js';
import { failed, type Message, nameOf, type Outcome } from './message.js';

const SECRET_PREFIX = 'whsec_';
/** More of an answer is not even read. */
const ANSWER_BYTES = 65_536;

/**
 * Signs as Standard Webhooks asks: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
 *
 * @param secret `whsec_` and base64
 * @param timestamp seconds since the epoch
 * @see https://www.standardwebhooks.com
 */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}

/** What a receiver is sent. */
export function webhookBody({ notice }: Message): string {
  return JSON.stringify({
    type: notice.kind,
    timestamp: new Date(notice.created_at).toISOString(),
    data: {
      id: notice.id,
      agency: notice.agency,
      role: notice.role,
      user: notice.user,
      noun: notice.noun,
      key: notice.key,
      title: { vi: notice.title_vi, en: notice.title_en },
      text: { vi: notice.text_vi, en: notice.text_en },
    },
  });
}

export interface WebhookParts {
  readonly egress: Egress;
  readonly timeoutMs: number;
  readonly secret: string;
  /** Ends when the node stops. */
  readonly stopping: AbortSignal;
}

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return { kind: 'sent' };
  if (status === 410) return { kind: 'gone', error: 'HTTP 410' };
  return failed(`HTTP ${status}`);
}

/** Whether the allow-list lets the gateway call there now, by what the name resolves to. */
export async function mayCall(egress: Egress, url: URL): Promise<boolean> {
  try {
    await egress.resolve(url.hostname, portOf(url));
    return true;
  } catch {
    return false;
  }
}

async function post(url: URL, message: Message, parts: WebhookParts, signal: AbortSignal): Promise<Outcome> {
  const { egress, secret, timeoutMs } = parts;
  const agent = egressAgent(egress, url, timeoutMs);
  const timestamp = Math.floor(message.at / 1000);
  const body = webhookBody(message);
  try {
    // A redirect is not followed: where it leads, nobody has allowed.
    const answer = await request(url, {
      dispatcher: agent,
      method: 'POST',
      signal,
      body,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'lgsp-gateway',
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureOf(secret, message.id, timestamp, body),
      },
    });
    // The status is all that counts; what follows it may be cut off.
    await answer.body.dump({ limit: ANSWER_BYTES, signal }).catch(() => undefined);
    return outcomeOf(answer.statusCode);
  } finally {
    await agent.destroy();
  }
}

/** One attempt to hand a message to a webhook. It never throws. */
export async function sendWebhook(message: Message, parts: WebhookParts): Promise<Outcome> {
  const late = AbortSignal.timeout(parts.timeoutMs);
  try {
    return await post(
      new URL(message.channel.target),
      message,
      parts,
      AbortSignal.any([late, parts.stopping]),
    );
  } catch (error) {
    if (parts.stopping.aborted) return { kind: 'interrupted' };
    if (late.aborted) return failed(`no answer within ${parts.timeoutMs} ms`);
    if (error instanceof EgressDenied) return failed('not on the egress allow-list');
    return failed(nameOf(error));
  }
}
