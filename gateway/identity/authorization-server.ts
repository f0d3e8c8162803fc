import { randomBytes, type X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { KoaContextWithOIDC, Session } from 'oidc-provider';
import requestStorage from 'oidc-provider/lib/helpers/als.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Database } from '../store/database.js';
import { deleteExpired } from '../store/oidc-payloads.js';
import { ClientAuthentication } from './client-authentication.js';
import type { ClientDirectory } from './client-directory.js';
import type { KeyRing } from './key-ring.js';
import type { PersonDirectory } from './person-directory.js';
import { attemptOfState } from './external-provider.js';
import { attemptOf } from './interaction.js';
import { signInPath } from './people-flow.js';
import { buildProvider, type ProviderParts } from './provider.js';
import { type RefusedRequest, refusedRequest } from './refused-request.js';
import { pagePolicy } from './page-policy.js';
import { type ServerMetadata, serverMetadata } from './server-metadata.js';
import type { SignInPages } from './sign-in.js';
import { signInClients } from './sign-in-clients.js';

export interface AuthorizationServerOptions {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clients: ClientDirectory;
  readonly log: Logger;
  readonly clock: Clock;
  /** The certificate that the sender of a request proved to hold; default: nobody has one. */
  readonly certificateOf?: (request: IncomingMessage) => X509Certificate | null;
  /** Default: the address of the connection. */
  readonly addressOf?: (request: IncomingMessage) => string;
  /** Hears of every token request that was refused, before its answer leaves. */
  readonly refused?: (request: RefusedRequest) => Promise<void>;
  readonly people: PersonDirectory;
  readonly pages: SignInPages;
  /** 32 bytes, the same on every node: the nonces of DPoP proofs come from it. Default: of this process. */
  readonly nonceSecret?: Buffer;
}

export interface AuthorizationServer {
  /**
   * Answers below the issuer; mount it before any body parser: `app.use('/oidc', server.handler)`. A path that is
   * not its own goes to `next`.
   */
  readonly handler: (request: IncomingMessage, response: ServerResponse, next?: () => void) => void;
  /** RFC 8414, for `/.well-known/oauth-authorization-server/oidc` outside the mount. */
  metadata(): ServerMetadata;
  /** Reads the keys again and, when they changed, goes on with a new provider; requests in hand end on the old one. */
  reload(): Promise<void>;
  /** Removes artefacts whose time is over, `batch` at a time; call it every minute or so. */
  deleteExpired(now: number, batch: number): Promise<number>;
}

type Callback = (request: IncomingMessage, response: ServerResponse) => unknown;

const PATHS: readonly (readonly [path: RegExp, methods: readonly string[]])[] = [
  [/^\/token$/, ['POST', 'OPTIONS']],
  [/^\/jwks$/, ['GET', 'HEAD', 'OPTIONS']],
  [/^\/\.well-known\/(?:openid-configuration|oauth-authorization-server)$/, ['GET', 'HEAD', 'OPTIONS']],
  [/^\/auth$/, ['GET', 'POST']],
  [/^\/auth\/[\w-]{1,64}$/, ['GET']],
  [/^\/session\/end$/, ['GET', 'POST']],
  [/^\/session\/end\/confirm$/, ['POST']],
  [/^\/session\/end\/success$/, ['GET']],
  [/^\/sign-in\/[\w-]{1,64}$/, ['GET', 'POST']],
  [/^\/sign-in\/[\w-]{1,64}\/external$/, ['GET']],
  [/^\/external$/, ['GET']],
];

const FOR_BROWSERS = /^\/(?:auth|session)(?:\/|$)/;
const SIGN_IN = /^\/sign-in\/([\w-]{1,64})(\/external)?$/;

/** oidc-provider stops reading there; a request that announces more is not read at all. */
const MAX_BODY = 56 * 1024;

const ERRORS: Readonly<Record<number, string>> = { 404: 'not_found', 503: 'temporarily_unavailable' };

function refuse(
  response: ServerResponse,
  status: number,
  description: string,
  headers: Record<string, string> = {},
): void {
  const error = ERRORS[status] ?? 'invalid_request';
  const body = JSON.stringify({ error, error_description: description });
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    ...headers,
  });
  response.end(body);
}

let inHand = 0;

/**
 * oidc-provider keeps its requests in an `AsyncLocalStorage`. From its first use on, every promise of the process
 * pays for it (until Node 24), which takes a tenth of the data calls' throughput: so it is switched off whenever no
 * request is in hand.
 */
async function attend(answering: unknown): Promise<void> {
  inHand += 1;
  try {
    await answering;
  } finally {
    inHand -= 1;
    if (inHand === 0) requestStorage.disable();
  }
}

const peerOf = (request: IncomingMessage): string => request.socket.remoteAddress ?? '';

/** Whether the connection counts as safe is what the settings say, never what a request says of itself. */
function declareScheme(request: IncomingMessage, publicUrl: string): void {
  request.headers['x-forwarded-proto'] = publicUrl.startsWith('https:') ? 'https' : 'http';
}

/** oidc-provider with the keys of a moment, and what comes before and after it. */
function assemble(
  parts: ProviderParts & Pick<AuthorizationServerOptions, 'refused' | 'addressOf'>,
  metadata: ServerMetadata,
  headers: Record<string, string>,
) {
  const { version } = parts.keyRing;
  const provider = buildProvider(parts);
  provider.use(async (ctx, next) => {
    if (FOR_BROWSERS.test(ctx.path)) ctx.set(headers);
    await next();
    const { oidc } = ctx as KoaContextWithOIDC;
    if (oidc?.route === 'discovery') ctx.body = metadata;
    const { refused, addressOf = peerOf } = parts;
    const refusal =
      refused === undefined ? null : refusedRequest(ctx as KoaContextWithOIDC, addressOf(ctx.req));
    if (refusal !== null) await refused?.(refusal);
    const session = oidc?.session as (Session & { destroyed?: boolean }) | undefined;
    if (session?.destroyed === true && session.accountId !== undefined)
      await parts.pages.ended(ctx.req, session.accountId, session.uid);
  });
  return { version, provider, callback: provider.callback() as Callback };
}

/** Back from the other provider: on to the attempt, at whose path alone the browser shows its cookie. */
function comeBack(request: IncomingMessage, response: ServerResponse): void {
  const { search, searchParams } = new URL(request.url ?? '/', 'http://x');
  const uid = attemptOfState(searchParams.get('state'));
  if (uid === undefined) {
    refuse(response, 400, 'nobody was sent away with this state');
    return;
  }
  response.writeHead(303, {
    Location: `${signInPath(uid)}/external${search}`,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
  });
  response.end();
}

/** What stands at a path; refuses, or leaves to `next`, what does not. */
function isOurs(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  next?: () => void,
): boolean {
  const methods = PATHS.find(([pattern]) => pattern.test(path))?.[1];
  if (methods === undefined) {
    if (next === undefined) refuse(response, 404, 'there is nothing here');
    else next();
  } else if (!methods.includes(request.method ?? ''))
    refuse(response, 405, `use ${methods[0] ?? ''} here`, { Allow: methods.join(', ') });
  else if (Number(request.headers['content-length'] ?? 0) > MAX_BODY)
    refuse(response, 413, `the body must not exceed ${MAX_BODY} bytes`, { Connection: 'close' });
  else return true;
  return false;
}

/**
 * The embedded authorization server: `client_credentials` for systems, by secret, signed assertion or certificate,
 * and the authorization code with PKCE for people, who prove themselves on our own pages. It gives RFC 9068 tokens
 * (ES256, `typ: at+jwt`), bound to a key (RFC 9449) or a certificate (RFC 8705) when one is shown.
 */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { config, pages, keyRing, certificateOf = () => null, nonceSecret = randomBytes(32) } = options;
  const { addressOf = peerOf } = options;
  const signIn = signInClients(config);
  const authentication = new ClientAuthentication({ ...options, signIn, certificateOf, addressOf });
  const metadata = serverMetadata(config);
  const headers = pagePolicy(signIn);
  const build = () => assemble({ ...options, authentication, signIn, nonceSecret }, metadata, headers);
  let current = build();
  const inForce = () => {
    if (current.version !== keyRing.version) current = build();
    return current;
  };
  const answer = async (request: IncomingMessage, response: ServerResponse, path: string): Promise<void> => {
    const { provider, callback } = inForce();
    const [, uid, external] = SIGN_IN.exec(path) ?? [];
    declareScheme(request, config.publicUrl);
    if (path === '/external') {
      comeBack(request, response);
      return;
    }
    if (uid === undefined) {
      await callback(request, response);
      return;
    }
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const attempt = await attemptOf(provider, options.clock, { request, response, uid });
    await (external === undefined ? pages.answer : pages.external)(request, response, attempt);
  };
  return {
    handler(request, response, next) {
      const path = (request.url ?? '/').replace(/\?.*$/s, '');
      if (!isOurs(request, response, path, next)) return;
      attend(answer(request, response, path)).catch((error: unknown) => {
        options.log.error({ err: error }, 'a page of the authorization server failed');
        if (response.headersSent) response.destroy();
        else refuse(response, 503, 'try again in a moment');
      });
    },
    metadata: () => metadata,
    async reload() {
      await keyRing.reload();
      inForce();
    },
    deleteExpired: (now, batch) => deleteExpired(options.database.knex, now, batch),
  };
}
