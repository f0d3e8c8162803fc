import {
  createPublicKey,
  hash,
  type JsonWebKey,
  randomBytes,
  timingSafeEqual,
  type X509Certificate,
} from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { decodeProtectedHeader } from 'jose';
import type { AdapterPayload, JWK, KoaContextWithOIDC } from 'oidc-provider';
import { Provider } from 'oidc-provider/lib/provider.js';
import { InvalidClientAuth, UnauthorizedClient } from 'oidc-provider/lib/helpers/errors.js';
import type { Clock } from '../base/clock.js';
import { certificateStanding, certificateThumbprint } from '../base/certificate.js';
import type { ClientCredential, ClientDirectory, OAuthClient } from './client-directory.js';

/** What one token request is about, filled in while it is answered. */
interface Asked {
  readonly client: OAuthClient;
  /** The credential that proves it, once that is known. */
  credential: string | undefined;
}

type KeyCredential = Extract<ClientCredential, { kind: 'key' }>;

const CLIENT_ID = /^[\x21-\x7e]{1,128}$/;
const KEY_TYPES: readonly unknown[] = ['EC', 'RSA', 'OKP'];
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

/**
 * oidc-provider refuses a client without a secret, even though its secrets are compared here. Nobody knows this
 * value: were the comparison ever bypassed, nothing could match.
 */
const UNKNOWN_SECRET = randomBytes(32).toString('base64url');

function keyIdOf(assertion: string): string | undefined {
  try {
    const { kid } = decodeProtectedHeader(assertion);
    return typeof kid === 'string' ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** oidc-provider fails the whole client over one key that it cannot read; the others must go on working. */
function isUsable(jwk: JsonWebKey): boolean {
  if (!KEY_TYPES.includes(jwk.kty)) return false;
  try {
    createPublicKey({ key: jwk, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

/** Keys that the assertion may mean. One registered without a name of its own answers to any. */
function candidates(client: OAuthClient, kid: string | undefined): KeyCredential[] {
  const keys = client.credentials.filter((credential) => credential.kind === 'key');
  const usable = keys.filter(({ publicJwk }) => isUsable(publicJwk));
  if (kid === undefined) return usable;
  const named = usable.filter((key) => key.publicJwk.kid === kid || key.id === kid);
  return named.length > 0 ? named : usable.filter((key) => key.publicJwk.kid === undefined);
}

function publicKey(jwk: JsonWebKey, kid: string | undefined): JWK {
  const members = PUBLIC_MEMBERS.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]]));
  return { ...(Object.fromEntries(members) as JWK), ...(kid === undefined ? {} : { kid }) };
}

function matches(secretSha256: string, digest: Buffer): boolean {
  const expected = Buffer.from(secretSha256, 'hex');
  return expected.length === digest.length && timingSafeEqual(expected, digest);
}

export interface ClientAuthenticationParts {
  readonly clients: ClientDirectory;
  readonly clock: Clock;
  /** The applications in which people sign in; a system of the same name is never asked. */
  readonly signIn: ReadonlyMap<string, AdapterPayload>;
  readonly certificateOf: (request: IncomingMessage) => X509Certificate | null;
  /** Whoever sent the request, seen through trusted proxies only. */
  readonly addressOf: (request: IncomingMessage) => string;
}

/**
 * Says to oidc-provider who a client is. A system is not registered for one way of authentication: it may hold
 * secrets, keys and certificates, so what this request uses decides: an assertion, a secret, else a certificate.
 */
export class ClientAuthentication {
  readonly #parts: ClientAuthenticationParts;
  readonly #asked = new WeakMap<object, Asked>();

  constructor(parts: ClientAuthenticationParts) {
    this.#parts = parts;
  }

  /** The client's metadata for the request in hand; undefined for an unknown or revoked one. */
  async metadata(clientId: string): Promise<AdapterPayload | undefined> {
    const application = this.#parts.signIn.get(clientId);
    if (application !== undefined) return application;
    const { ctx } = Provider;
    // Checked before any database is asked: some cannot even look for such text.
    if (ctx === undefined || !CLIENT_ID.test(clientId)) return undefined;
    const client = await this.#parts.clients.find(clientId);
    if (client === undefined || client.state === 'revoked') return undefined;
    const asked: Asked = { client, credential: undefined };
    this.#asked.set(ctx, asked);
    const certificate = this.certificateOf(ctx);
    this.#assertInForce(certificate);
    return {
      ...common(client),
      ...proofOf(ctx, asked, certificate),
      // A proof of possession binds to its key; a certificate that is shown without one binds to itself.
      tls_client_certificate_bound_access_tokens: certificate !== null && ctx.headers['dpop'] === undefined,
    };
  }

  /**
   * Asked once the client has proved itself: to a stranger its list of addresses is not even mentioned.
   *
   * @throws UnauthorizedClient when it may not ask from this address
   */
  assertFromAllowed(ctx: KoaContextWithOIDC): void {
    const address = this.#parts.addressOf(ctx.req);
    if (this.#of(ctx)?.client.mayCallFrom(address) === true) return;
    throw new UnauthorizedClient(`address_not_allowed: this client may not ask from ${address}`);
  }

  /** The certificate with which the connection of this request was made. */
  certificateOf(ctx: KoaContextWithOIDC): X509Certificate | null {
    return this.#parts.certificateOf(ctx.req);
  }

  #assertInForce(certificate: X509Certificate | null): void {
    if (certificate === null) return;
    const standing = certificateStanding(certificate, this.#parts.clock.now());
    // Also beside a secret: whoever shows a certificate asks for a token that is bound to it.
    if (standing !== 'valid') throw new InvalidClientAuth(`the client certificate is ${standing}`);
  }

  /** Compares with every valid secret of the client that is asking, without telling by time which one is near. */
  secretMatches(actual: string): boolean {
    const asked = this.#of(Provider.ctx);
    if (asked === undefined) return false;
    const digest = hash('sha256', actual, 'buffer');
    for (const credential of asked.client.credentials)
      if (credential.kind === 'secret' && matches(credential.secretSha256, digest))
        asked.credential = credential.id;
    return asked.credential !== undefined;
  }

  clientOf(ctx: KoaContextWithOIDC): OAuthClient | undefined {
    return this.#of(ctx)?.client;
  }

  credentialOf(ctx: KoaContextWithOIDC): string | undefined {
    return this.#of(ctx)?.credential;
  }

  #of(ctx: KoaContextWithOIDC | undefined): Asked | undefined {
    return ctx === undefined ? undefined : this.#asked.get(ctx);
  }
}

function common(client: OAuthClient): AdapterPayload {
  return { client_id: client.id, redirect_uris: [], response_types: [], grant_types: ['client_credentials'] };
}

function proofOf(ctx: KoaContextWithOIDC, asked: Asked, certificate: X509Certificate | null): AdapterPayload {
  const { client_assertion: assertion, client_secret: secret } = ctx.oidc.params ?? {};
  if (typeof assertion === 'string') return byKey(asked, keyIdOf(assertion));
  const bySecret = ctx.headers.authorization !== undefined || secret !== undefined;
  const shown = bySecret || certificate === null ? null : byCertificate(asked, certificate);
  return shown ?? { token_endpoint_auth_method: 'client_secret_basic', client_secret: UNKNOWN_SECRET };
}

/** The client as one that is known by this certificate; null when it is not. oidc-provider compares them again. */
function byCertificate(asked: Asked, certificate: X509Certificate): AdapterPayload | null {
  const thumbprint = certificateThumbprint(certificate);
  const found = asked.client.credentials.find(
    (credential) => credential.kind === 'certificate' && credential.thumbprint === thumbprint,
  );
  if (found === undefined) return null;
  asked.credential = found.id;
  const jwk = certificate.publicKey.export({ format: 'jwk' });
  return {
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: { keys: [{ ...publicKey(jwk, undefined), x5c: [certificate.raw.toString('base64')] }] },
  };
}

function byKey(asked: Asked, kid: string | undefined): AdapterPayload {
  const keys = candidates(asked.client, kid);
  // With several keys left, which of them signed stays unknown; the token then simply does not say.
  asked.credential = keys.length === 1 ? keys[0]?.id : undefined;
  return {
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: keys.map((key) => publicKey(key.publicJwk, kid)) },
  };
}
