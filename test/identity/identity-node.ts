import { createHash, generateKeyPairSync, type JsonWebKey, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { importJWK, SignJWT } from 'jose';
import { type Clock, systemClock } from '../../gateway/base/clock.js';
import { type Config, loadConfig } from '../../gateway/base/config.js';
import { createLog, type Logger } from '../../gateway/base/log.js';
import {
  type AuthorizationServer,
  createAuthorizationServer,
} from '../../gateway/identity/authorization-server.js';
import type { ClientDirectory, OAuthClient } from '../../gateway/identity/client-directory.js';
import { KeyRing } from '../../gateway/identity/key-ring.js';
import { issuerOf, type Resources, resourcesOf } from '../../gateway/identity/resources.js';
import { createSealing, type Sealing } from '../../gateway/identity/sealing.js';
import { createTokenVerifier, type TokenVerifier } from '../../gateway/identity/token.js';
import { createSignInPages } from '../../gateway/sign-in/sign-in.js';
import type { Database } from '../../gateway/store/database.js';

/** A register of clients in memory, changed at will. */
export class Register implements ClientDirectory {
  readonly clients = new Map<string, OAuthClient>();

  find(clientId: string): Promise<OAuthClient | undefined> {
    return Promise.resolve(this.clients.get(clientId));
  }

  add(id: string, over: Partial<OAuthClient> = {}): void {
    this.clients.set(id, {
      id,
      agency: 'H35.16',
      name: 'Hệ thống thử',
      roles: ['consumer'],
      state: 'active',
      mayCallFrom: () => true,
      credentials: [],
      ...over,
    });
  }
}

export const secretCredential = (id: string, secret: string): OAuthClient['credentials'][number] => ({
  id,
  kind: 'secret',
  secretSha256: createHash('sha256').update(secret).digest('hex'),
});

export interface TestKey {
  readonly privateJwk: JsonWebKey;
  readonly publicJwk: JsonWebKey;
}

export function newKey(kind: 'ES256' | 'RS256' | 'EdDSA' = 'ES256'): TestKey {
  const pair =
    kind === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519');
  return {
    privateJwk: pair.privateKey.export({ format: 'jwk' }),
    publicJwk: pair.publicKey.export({ format: 'jwk' }),
  };
}

export interface AssertionParts {
  readonly key: TestKey;
  readonly alg?: string;
  readonly kid?: string;
  readonly audience: string;
  readonly claims?: Record<string, unknown>;
}

/** A client assertion (RFC 7523) as a client of one's own making would sign it. */
export async function assertion(clientId: string, parts: AssertionParts): Promise<string> {
  const { key, alg = 'ES256', kid, audience, claims = {} } = parts;
  const now = Math.floor(Date.now() / 1000);
  const defaults = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    jti: randomUUID(),
    iat: now,
    exp: now + 60,
  };
  return await new SignJWT({ ...defaults, ...claims })
    .setProtectedHeader({ alg, ...(kid === undefined ? {} : { kid }) })
    .sign(await importJWK(key.privateJwk, alg));
}

export interface IdentityNode {
  readonly base: string;
  readonly config: Config;
  readonly issuer: string;
  readonly resources: Resources;
  readonly sealing: Sealing;
  readonly keyRing: KeyRing;
  readonly server: AuthorizationServer;
  readonly verifier: TokenVerifier;
  /** POSTs a form to the token endpoint, as curl would. */
  token(form: Record<string, string> | string, headers?: Record<string, string>): Promise<Response>;
  close(): Promise<void>;
}

export interface NodeOptions {
  readonly database: Database;
  readonly clients: ClientDirectory;
  readonly sealing?: Sealing;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** Given when it differs from where the node listens: a proxy stands before it. */
  readonly publicUrl?: string;
  readonly overlapMs?: number;
}

/** One node: a real express application on a port of its own, with the authorization server mounted as in the gateway. */
export async function startIdentityNode(options: NodeOptions): Promise<IdentityNode> {
  const { database, clients, clock = systemClock, log = createLog('silent'), overlapMs } = options;
  const app = express();
  const http = createServer(app);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const config = loadConfig({ publicUrl: options.publicUrl ?? base });
  const sealing = options.sealing ?? createSealing(randomBytes(32));
  const keyRing = await KeyRing.open({
    database,
    sealing,
    clock,
    log,
    tokenTtlSeconds: config.tokens.ttlSeconds,
    ...(overlapMs === undefined ? {} : { overlapMs }),
  });
  const people = { find: () => undefined };
  const recorder = {
    waiting: 0,
    write: () => Promise.reject(new Error('nobody signs in here')),
    close: () => Promise.resolve(),
  };
  const pages = createSignInPages({
    ...{ config, database, clock, log, sealing, recorder, people, external: null },
    flood: { counts: () => false },
    addressOf: () => '127.0.0.1',
    refresh: () => Promise.resolve(),
  });
  const server = createAuthorizationServer({ config, database, keyRing, clients, people, pages, log, clock });
  app.use('/oidc', server.handler);
  app.get('/.well-known/oauth-authorization-server/oidc', (_request, response) => {
    response.json(server.metadata());
  });
  const issuer = issuerOf(config.publicUrl);
  return {
    base,
    config,
    issuer,
    resources: resourcesOf(config.publicUrl),
    sealing,
    keyRing,
    server,
    verifier: createTokenVerifier({ keyRing, issuer, clock }),
    token: (form, headers = {}) =>
      fetch(`${base}/oidc/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
        body: typeof form === 'string' ? form : new URLSearchParams(form).toString(),
      }),
    async close() {
      http.closeAllConnections();
      http.close();
      await once(http, 'close');
    },
  };
}

export const basic = (id: string, secret: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

export const GRANT = { grant_type: 'client_credentials' } as const;
export const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
