import { randomBytes, type X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import requestStorage from 'oidc-provider/lib/helpers/als.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Database } from '../store/database.js';
import { deleteExpired } from '../store/oidc-payloads.js';
import { ClientAuthentication } from './client-authentication.js';
import type { ClientDirectory } from './client-directory.js';
import type { KeyRing } from './key-ring.js';
import { buildProvider } from './provider.js';
import { type ServerMetadata, serverMetadata } from './server-metadata.js';

export interface AuthorizationServerOptions {
  readonly config: Config;
  readonly database: Database;
  readonly keyRing: KeyRing;
  readonly clients: ClientDirectory;
  readonly log: Logger;
  readonly clock: Clock;
  /** The certificate that the sender of a request proved to hold; default: nobody has one. */
  readonly certificateOf?: (request: IncomingMessage) => X509Certificate | null;
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

const METHODS: ReadonlyMap<string, readonly string[]> = new Map([
  ['/token', ['POST', 'OPTIONS']],
  ['/jwks', ['GET', 'HEAD', 'OPTIONS']],
  ['/.well-known/openid-configuration', ['GET', 'HEAD', 'OPTIONS']],
  ['/.well-known/oauth-authorization-server', ['GET', 'HEAD', 'OPTIONS']],
]);

/** oidc-provider stops reading there; a request that announces more is not read at all. */
const MAX_BODY = 56 * 1024;

function refuse(
  response: ServerResponse,
  status: number,
  description: string,
  headers: Record<string, string> = {},
): void {
  const error = status === 404 ? 'not_found' : 'invalid_request';
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

/**
 * The embedded authorization server: `client_credentials` for systems, by secret, signed assertion or certificate,
 * giving RFC 9068 tokens (ES256, `typ: at+jwt`), bound to a key (RFC 9449) or a certificate (RFC 8705) when one is shown.
 */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { certificateOf = () => null, nonceSecret = randomBytes(32) } = options;
  const authentication = new ClientAuthentication({ ...options, certificateOf });
  const metadata = serverMetadata(options.config);
  const build = (): { version: number; callback: Callback } => {
    const { version } = options.keyRing;
    const provider = buildProvider({ ...options, authentication, nonceSecret });
    provider.use(async (ctx, next) => {
      await next();
      const { oidc } = ctx as { oidc?: { route: string } };
      if (oidc?.route === 'discovery') ctx.body = metadata;
    });
    return { version, callback: provider.callback() };
  };
  let current = build();
  const callback = (): Callback => {
    if (current.version !== options.keyRing.version) current = build();
    return current.callback;
  };
  return {
    handler(request, response, next) {
      const path = (request.url ?? '/').replace(/\?.*$/s, '');
      const methods = METHODS.get(path);
      if (methods === undefined) {
        if (next === undefined) refuse(response, 404, 'there is nothing here');
        else next();
      } else if (!methods.includes(request.method ?? ''))
        refuse(response, 405, `use ${methods[0] ?? ''} here`, { Allow: methods.join(', ') });
      else if (Number(request.headers['content-length'] ?? 0) > MAX_BODY)
        refuse(response, 413, `the body must not exceed ${MAX_BODY} bytes`, { Connection: 'close' });
      else void attend(callback()(request, response));
    },
    metadata: () => metadata,
    async reload() {
      await options.keyRing.reload();
      callback();
    },
    deleteExpired: (now, batch) => deleteExpired(options.database.knex, now, batch),
  };
}
