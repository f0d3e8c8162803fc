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
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** Who came back, as the provider says. */
export interface Arrival {
  /** The account here; null where no account belongs to what was claimed. */
  readonly account: string | null;
  /** Whether a second factor was asked for there, so that ours is not asked for. */
  readonly secondFactor: boolean;
}

/** Another OpenID provider at which people prove themselves. */
export interface ExternalProvider {
  readonly label: string;
  depart(uid: string): Promise<{ readonly url: string; readonly departure: Departure }>;
  /** @throws Error when what came back is not what was asked for */
  arrive(query: URLSearchParams, departure: Departure): Promise<Arrival>;
}

/** How long what the provider says of itself is believed. */
const FRESH_MS = 600_000;
const CLOCK_TOLERANCE_SECONDS = 30;

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
        execute: [
          // The signature of an ID token is checked, however it came.
          client.enableNonRepudiationChecks,
          // Only where the settings themselves name an address without TLS.
          // eslint-disable-next-line @typescript-eslint/no-deprecated -- marked so to stand out, and it should
          ...(settings.issuer.startsWith('http:') ? [client.allowInsecureRequests] : []),
        ],
      },
    );
    known = { at: now(), configuration: found };
    return found;
  };
  return {
    label: settings.label,
    async depart(uid) {
      const departure = {
        state: `${uid}.${client.randomState()}`,
        nonce: client.randomNonce(),
        verifier: client.randomPKCECodeVerifier(),
        at: now(),
      };
      const url = client.buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirectUri,
        scope: settings.scope,
        ...asking(settings),
        ...{ state: departure.state, nonce: departure.nonce },
        code_challenge: await client.calculatePKCECodeChallenge(departure.verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, departure };
    },
    async arrive(query, { state, nonce, verifier, at }) {
      const came = new URL(redirectUri);
      came.search = query.toString();
      const tokens = await client.authorizationCodeGrant(await configuration(), came, {
        ...{ expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier },
        idTokenExpected: true,
      });
      const claims: Claims = tokens.claims() ?? {};
      assertFresh(settings, claims, at);
      return { account: accountOf(settings, claims), secondFactor: provedTwice(settings, claims) };
    },
  };
}

type Claims = Readonly<Record<string, unknown>>;

/** What is asked for beyond who somebody is. */
function asking({ maxAgeSeconds, secondFactor, secondFactorAcr }: Settings): Record<string, string> {
  return {
    ...(maxAgeSeconds === null ? {} : { max_age: String(maxAgeSeconds) }),
    ...(secondFactor && secondFactorAcr !== undefined ? { acr_values: secondFactorAcr.join(' ') } : {}),
  };
}

/** At a computer that several people use, the one before must not be taken for the one who asks. */
function assertFresh({ maxAgeSeconds }: Settings, claims: Claims, departed: number): void {
  if (maxAgeSeconds === null) return;
  const at = claims['auth_time'];
  const earliest = departed / 1000 - maxAgeSeconds - CLOCK_TOLERANCE_SECONDS;
  if (typeof at !== 'number' || at < earliest)
    throw new Error('auth_time: they did not prove themselves anew');
}

/** Its word that there was a second factor, with what the settings want to see of it. */
function provedTwice({ secondFactor, secondFactorAmr, secondFactorAcr }: Settings, claims: Claims): boolean {
  const { amr, acr } = claims;
  const byMeans = Array.isArray(amr) && secondFactorAmr?.some((one) => amr.includes(one));
  const byClass = typeof acr === 'string' && secondFactorAcr?.includes(acr);
  const unasked = secondFactorAmr === undefined && secondFactorAcr === undefined;
  return secondFactor && (unasked || byMeans === true || byClass === true);
}

/**
 * The account that belongs to a claim: by the settings' list where there is one, else of the same name, letter by
 * letter. An address counts only when the provider says that it has verified it.
 */
function accountOf({ accounts, claim }: Settings, claims: Claims): string | null {
  const value = claims[claim];
  if (typeof value !== 'string') return null;
  if (claim === 'email' && claims['email_verified'] !== true) return null;
  if (accounts === undefined) return value;
  return Object.hasOwn(accounts, value) ? (accounts[value] ?? null) : null;
}
