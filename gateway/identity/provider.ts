import type { EventEmitter } from 'node:events';
import type { AdapterPayload, Configuration, KoaContextWithOIDC } from 'oidc-provider';
import { InvalidClientAuth, InvalidTarget } from 'oidc-provider/lib/helpers/errors.js';
import { Provider } from 'oidc-provider/lib/provider.js';
import { type Clock, seconds } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Database } from '../store/database.js';
import { createAdapterFactory } from './adapter.js';
import type { ClientAuthentication } from './client-authentication.js';
import type { OAuthClient } from './client-directory.js';
import { currentOf, type KeyRing } from './key-ring.js';
import { languageOf, peopleFlow, type PeopleFlowParts, signOut } from './people-flow.js';
import { CREDENTIAL_CLAIM, issuerOf, resourcesOf, SESSION_CLAIM } from './resources.js';
import { DPOP_ALGORITHMS } from './dpop-proof.js';
import { AUTH_METHODS, AUTH_SIGNING_ALGORITHMS } from './server-metadata.js';

export interface ProviderParts extends PeopleFlowParts {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly authentication: ClientAuthentication;
  /** Ids of the applications in which people sign in. */
  readonly signIn: ReadonlyMap<string, AdapterPayload>;
  readonly log: Logger;
  readonly clock: Clock;
  /** 32 bytes. */
  readonly nonceSecret: Buffer;
}

const CLOCK_TOLERANCE_SECONDS = 30;
/** Longer assertions would have to be remembered longer, for nobody's good. */
const MAX_ASSERTION_SECONDS = 3600;

/** The resource of a plain request: data, unless the system does nothing but manage. */
export function defaultResourceOf(client: OAuthClient | undefined, publicUrl: string): string {
  const { data, api } = resourcesOf(publicUrl);
  const manages = client?.roles.some((role) => role !== 'consumer') === true;
  return manages && !client.roles.includes('consumer') ? api : data;
}

/**
 * Every lifetime, in seconds: what is not set is announced on the console. Those that are short here are of grants
 * that are not offered.
 */
function lifetimes(ttlSeconds: number, people: Configuration['ttl']): NonNullable<Configuration['ttl']> {
  const short = 60;
  return {
    AccessToken: ttlSeconds,
    ClientCredentials: ttlSeconds,
    BackchannelAuthenticationRequest: short,
    DeviceCode: short,
    PreAuthorizedCode: short,
    ...people,
  };
}

function checkAssertion(_ctx: KoaContextWithOIDC, claims: Record<string, unknown>): void {
  const { exp } = claims;
  const latest = Date.now() / 1000 + MAX_ASSERTION_SECONDS + CLOCK_TOLERANCE_SECONDS;
  if (typeof exp !== 'number' || exp > latest)
    throw new InvalidClientAuth(`exp must be at most ${MAX_ASSERTION_SECONDS} s ahead`);
}

function resourceIndicators(
  parts: ProviderParts,
): NonNullable<NonNullable<Configuration['features']>['resourceIndicators']> {
  const { config, keyRing, authentication, signIn, clock } = parts;
  const { api } = resourcesOf(config.publicUrl);
  const known = Object.values<string>({ ...resourcesOf(config.publicUrl) });
  const keys = keyRing.tokenKeys();
  return {
    enabled: true,
    defaultResource: (ctx, client) =>
      signIn.has(client?.clientId ?? '')
        ? api
        : defaultResourceOf(authentication.clientOf(ctx), config.publicUrl),
    useGrantedResource: () => true,
    getResourceServerInfo(_ctx, resource, client) {
      // People manage; data are called by systems, each under its own grant.
      if (signIn.has(client.clientId) && resource !== api)
        throw new InvalidTarget(`people get tokens for ${api} only`);
      if (!known.includes(resource)) throw new InvalidTarget(`resource must be one of ${known.join(', ')}`);
      return {
        audience: resource,
        // Rights are asked of the catalogue on every call, never of scopes: whatever is asked for is left out.
        scope: '',
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256', kid: currentOf(keys, clock.now()).kid } },
      };
    },
  };
}

function features(parts: ProviderParts): NonNullable<Configuration['features']> {
  return {
    clientCredentials: { enabled: true },
    resourceIndicators: resourceIndicators(parts),
    devInteractions: { enabled: false },
    dPoP: {
      enabled: true,
      nonceSecret: parts.nonceSecret,
      requireNonce: () => parts.config.dpop.requireNonce,
    },
    introspection: { enabled: false },
    mTLS: {
      enabled: true,
      certificateBoundAccessTokens: true,
      selfSignedTlsClientAuth: true,
      getCertificate: (ctx) => parts.authentication.certificateOf(ctx) ?? undefined,
    },
    pushedAuthorizationRequests: { enabled: false },
    revocation: { enabled: false },
    rpInitiatedLogout: signOut(parts),
    userinfo: { enabled: false },
  };
}

/** Where a person looks at the answer. */
const BROWSER_ROUTES: ReadonlySet<string> = new Set([
  'authorization',
  'resume',
  'end_session',
  'end_session_confirm',
  'end_session_success',
]);

function ofPerson(
  { people }: ProviderParts,
  token: { accountId?: string | undefined; sessionUid?: string | undefined },
) {
  return { agency: people.find(token.accountId ?? '')?.agency, [SESSION_CLAIM]: token.sessionUid };
}

function configuration(parts: ProviderParts): Configuration {
  const { config, keyRing, authentication, clock } = parts;
  const origin = new URL(config.publicUrl).origin;
  const people = peopleFlow(parts);
  return {
    ...people,
    adapter: createAdapterFactory(parts),
    assertJwtClientAuthClaimsAndHeader: checkAssertion,
    clientAuthMethods: [...AUTH_METHODS],
    // An application of people may stand elsewhere: its own pages ask for its tokens.
    clientBasedCORS: (_ctx, from, client) =>
      from === origin || (client.redirectUris ?? []).some((uri) => new URL(uri).origin === from),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clockTolerance: CLOCK_TOLERANCE_SECONDS,
    cookies: { keys: keyRing.cookieSecrets() },
    enabledJWA: {
      clientAuthSigningAlgValues: [...AUTH_SIGNING_ALGORITHMS],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
      idTokenSigningAlgValues: ['ES256'],
    },
    extraTokenClaims: (ctx, token) => {
      if (token.kind === 'AccessToken') return ofPerson(parts, token);
      authentication.assertFromAllowed(ctx);
      const credential = authentication.credentialOf(ctx);
      return {
        agency: authentication.clientOf(ctx)?.agency,
        ...(credential === undefined ? {} : { [CREDENTIAL_CLAIM]: credential }),
      };
    },
    features: features(parts),
    formats: {
      customizers: {
        jwt(_ctx, _token, structured) {
          structured.payload['iat'] = seconds(clock);
          structured.payload['exp'] = seconds(clock) + config.tokens.ttlSeconds;
        },
      },
    },
    jwks: {
      keys: keyRing.tokenKeys().map((key) => ({
        ...key.privateKey.export({ format: 'jwk' }),
        kid: key.kid,
        use: 'sig',
        alg: 'ES256',
      })),
    },
    renderError(ctx, out) {
      const forReader = BROWSER_ROUTES.has(ctx.oidc?.route ?? '') && ctx.accepts('json', 'html') === 'html';
      ctx.type = forReader ? 'html' : 'json';
      ctx.body = forReader ? parts.pages.failed(out.error, out.error_description, languageOf(ctx)) : out;
    },
    ttl: lifetimes(config.tokens.ttlSeconds, people.ttl),
  };
}

function listen(provider: Provider, log: Logger): void {
  provider.on('grant.error', (ctx, error) => {
    const { message, error_detail: reason } = error as Error & { error_detail?: string };
    log.debug({ client: ctx.oidc.client?.clientId, error: message, reason }, 'no token issued');
    // What was not read of the request must not be waited for.
    if (!ctx.req.complete) ctx.set('Connection', 'close');
  });
  provider.on('server_error', (_ctx, error) => log.error({ err: error }, 'authorization server failed'));
  // Without a listener koa prints these itself: mostly callers that hung up.
  const application: EventEmitter = provider;
  application.on('error', (error: unknown) =>
    log.warn({ err: error }, 'a request of the authorization server failed'),
  );
}

/** oidc-provider with the keys of this moment; a changed ring needs a new one. */
export function buildProvider(parts: ProviderParts): Provider {
  const { config, authentication, log } = parts;
  const provider = new Provider(issuerOf(config.publicUrl), configuration(parts));
  // Whether a cookie needs TLS follows from the address that the world uses; the handler says which in the header.
  provider.proxy = true;
  provider.Client.prototype.compareClientSecret = (actual) => authentication.secretMatches(actual);
  // Its own would take the address from the Host header, which anyone can set.
  provider.OIDCContext.prototype.urlFor = (name, options) => provider.urlFor(name, options);
  listen(provider, log);
  return provider;
}
