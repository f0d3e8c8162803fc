import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider/lib/provider.js';
import { SessionNotFound } from 'oidc-provider/lib/helpers/errors.js';
import { type Clock, seconds } from '../base/clock.js';
import { AttemptOver, type SignInAttempt } from './sign-in.js';

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The attempt that this browser has begun under this name; null when there is none, or none any more. */
export async function attemptOf(
  provider: Provider,
  clock: Clock,
  asked: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly uid: string },
): Promise<SignInAttempt | null> {
  const { request, response, uid } = asked;
  const found = await provider.interactionDetails(request, response).catch(() => null);
  if (found === null || found.uid !== uid) return null;
  const { client_id: client, ui_locales: language } = found.params;
  const finish = (result: Parameters<Provider['interactionFinished']>[2]) =>
    provider
      .interactionFinished(request, response, result, { mergeWithLastSubmission: false })
      .catch((cause: unknown) => {
        throw cause instanceof SessionNotFound ? new AttemptOver('ended', { cause }) : cause;
      });
  return {
    uid,
    client: text(client) ?? '',
    language: text(language),
    expiresAt: found.exp * 1000,
    // Not remembered: the cookie ends with the browser, the session with its hours.
    finish: (accountId, amr) =>
      finish({ login: { accountId, amr: [...amr], remember: false, ts: seconds(clock) } }),
    giveUp: () => finish({ error: 'access_denied', error_description: 'the person did not sign in' }),
  };
}
