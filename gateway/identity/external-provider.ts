import { readFileSync } from 'node:fs';
import * as client from 'openid-client';
import { type Config, ConfigError } from '../base/config.js';

type Settings = NonNullable<Config['people']['identityProvider']>;

/** `fetch`, as far as it is needed, through the allow-list. */
export type ExternalFetch = (
  url: string,
  options: { method: string; headers: Record<string, string>; body: string | undefined },
) => Promise<{ status: number; contentType: string; text: string }>;

/** What is remembered of a person who was sent away, until they come back. */
export interface Departure {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** Who came back, as the provider says. */
export interface Arrival {
  /** The account here; null where no account belongs to what was claimed. */
  readonly account: string | null;
}

/** Another OpenID provider at which people prove themselves. */
export interface ExternalProvider {
  readonly label: string;
  /** Whether it asks for a second factor itself, so that ours is not asked for. */
  readonly secondFactor: boolean;
  depart(uid: string): Promise<{ readonly url: string; readonly departure: Departure }>;
  /** @throws Error when what came back is not what was asked for */
  arrive(query: URLSearchParams, departure: Departure): Promise<Arrival>;
}

/** How long what the provider says of itself is believed. */
const FRESH_MS = 600_000;

/** `state` begins with the attempt, so that whoever comes back is brought to it. */
export function attemptOfState(state: string | null): string | undefined {
  return /^([\w-]{1,64})\.[\w-]{20,}$/.exec(state ?? '')?.[1];
}

function secretOf({ clientSecretFile: file }: Settings): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new ConfigError('people.identityProvider.clientSecretFile: the file cannot be read', { cause });
  }
}

/** openid-client asks for a `fetch`; ours never leaves the allow-list, and follows no redirect. */
function fetchOver(external: ExternalFetch): client.CustomFetch {
  return async (url, { method, headers, body }) => {
    const text = body === undefined || body === null ? undefined : String(body as string | URLSearchParams);
    const answer = await external(url, { method, headers, body: text });
    return new Response(answer.text, {
      status: answer.status,
      headers: { 'content-type': answer.contentType },
    });
  };
}

/** @throws ConfigError when the secret cannot be read */
export function externalProvider(
  settings: Settings,
  { publicUrl, fetch, now }: { publicUrl: string; fetch: ExternalFetch; now: () => number },
): ExternalProvider {
  const secret = secretOf(settings);
  const redirectUri = `${publicUrl}/oidc/external`;
  let known: { readonly at: number; readonly configuration: client.Configuration } | null = null;
  const configuration = async (): Promise<client.Configuration> => {
    if (known !== null && now() - known.at < FRESH_MS) return known.configuration;
    const authentication = secret === undefined ? client.None() : client.ClientSecretBasic(secret);
    const found = await client.discovery(
      new URL(settings.issuer),
      settings.clientId,
      undefined,
      authentication,
      {
        [client.customFetch]: fetchOver(fetch),
        // Only where the settings themselves name an address without TLS.
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out, and it should
        execute: settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : [],
      },
    );
    known = { at: now(), configuration: found };
    return found;
  };
  return {
    label: settings.label,
    secondFactor: settings.secondFactor,
    async depart(uid) {
      const departure = {
        state: `${uid}.${client.randomState()}`,
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
      };
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: settings.scope,
        ...{ state: departure.state, nonce: departure.nonce },
        code_challenge: await client.calculatePKCECodeChallenge(departure.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, departure };
    },
    async arrive(query, { state, nonce, verifier }) {
      const came = new URL(redirectUri);
      came.search = query.toString();
      const tokens = await client.authorizationCodeGrant(await configuration(), came, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      });
      const value = tokens.claims()?.[settings.claim];
      return { account: accountOf(settings, value) };
    },
  };
}

/** The account that belongs to a claim: by the settings' list where there is one, else of the same name. */
function accountOf({ accounts }: Settings, value: unknown): string | null {
  if (typeof value !== 'string') return null;
  if (accounts === undefined) return value.toLowerCase();
  return Object.hasOwn(accounts, value) ? (accounts[value] ?? null) : null;
}
