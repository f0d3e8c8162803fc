import { hash, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.js';
import type { KeyRing } from './key-ring.js';
import { CREDENTIAL_CLAIM, resourceMetadataUrl } from './resources.js';
import {
  type Binding,
  bindingOf,
  boundTo,
  type DpopRules,
  localDpop,
  SenderCheck,
  type Sent,
} from './sender.js';
import { type RefusalReason, refusal } from './token-refusal.js';

/** What a verified token says. Whether its client may still act is asked of the catalogue, on every call. */
export interface VerifiedToken {
  readonly clientId: string;
  readonly agency: string;
  /** `jti`. */
  readonly tokenId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Id of the key or secret with which the client got the token, where that is known. */
  readonly keyId?: string;
  /** What the token is bound to, and its sender has proved to hold: `jkt:…`, `x5t#S256:…`. */
  readonly boundTo?: string;
  /** For the answer's `DPoP-Nonce`: what the next proof should carry. */
  readonly nextNonce?: string;
}

export interface TokenVerifierOptions {
  readonly keyRing: KeyRing;
  /** `issuerOf(config.publicUrl)`. */
  readonly issuer: string;
  readonly clock: Clock;
  /** Verified tokens kept in memory; default 10,000. */
  readonly cacheSize?: number;
  /** Default: nonces and used proofs of this node alone. */
  readonly dpop?: DpopRules;
}

export interface TokenVerifier {
  /**
   * Answers at once for a known key; only a key never seen before, or a proof of possession, makes it wait.
   *
   * @param authorization - the `Authorization` header, as sent
   * @param audience - the resource that is being called: `resourcesOf(publicUrl).data` or `.api`
   * @param sent - the call itself; without it no token that is bound to its sender is accepted
   * @throws Problem `token_missing`, `token_invalid`, `token_expired`, `token_unbound`, with `WWW-Authenticate`;
   * `overloaded` when it cannot be checked whether a proof was used before
   */
  verify(
    authorization: string | undefined,
    audience: string,
    sent?: Sent,
  ): VerifiedToken | Promise<VerifiedToken>;
}

interface Kept {
  readonly token: VerifiedToken;
  readonly kid: string;
  readonly audience: string;
  readonly binding: Binding | null;
}

interface Checked {
  readonly token: VerifiedToken;
  readonly binding: Binding | null;
}

const MAX_TOKEN = 8192;
const MAX_HEADER = MAX_TOKEN + 'Bearer '.length;
/** How far ahead the clock of an issuing node may be. */
const SKEW_SECONDS = 60;
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const DPOP = /^dpop +([A-Za-z0-9\-._~+/]+=*)$/i;

/** What jsonwebtoken says, in our words; anything else is a wrong signature. */
const SAID: readonly (readonly [beginning: string, reason: RefusalReason])[] = [
  ['jwt expired', 'expired'],
  ['jwt not active', 'early'],
  ['jwt audience invalid', 'audience'],
  ['jwt issuer invalid', 'issuer'],
  ['invalid algorithm', 'algorithm'],
  ['invalid exp value', 'claims'],
  ['invalid nbf value', 'claims'],
];

/**
 * The sole verifier of access tokens.
 *
 * A verified token is kept, by the SHA-256 digest of its text, until it expires or its key ends: checking an ES256
 * signature on every call would halve the throughput.
 *
 * @example const { clientId } = await verifier.verify(header, resourcesOf(config.publicUrl).data)
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  return new Verifier(options);
}

class Verifier implements TokenVerifier {
  readonly #keyRing: KeyRing;
  readonly #issuer: string;
  readonly #clock: Clock;
  readonly #metadata: string;
  readonly #kept: LRUCache<string, Kept>;
  readonly #sender: SenderCheck;

  constructor(options: TokenVerifierOptions) {
    const { keyRing, issuer, clock, dpop, cacheSize = 10_000 } = options;
    const publicUrl = issuer.replace(/\/oidc$/, '');
    this.#keyRing = keyRing;
    this.#issuer = issuer;
    this.#clock = clock;
    this.#metadata = resourceMetadataUrl(publicUrl);
    this.#kept = new LRUCache({ max: cacheSize });
    const rules = dpop ?? localDpop(clock);
    this.#sender = new SenderCheck({ rules, clock, publicUrl, metadata: this.#metadata });
  }

  verify(
    authorization: string | undefined,
    audience: string,
    sent?: Sent,
  ): VerifiedToken | Promise<VerifiedToken> {
    if (authorization === undefined || authorization === '') return this.#refuse('missing');
    // The longest header is measured before any pattern sees it.
    if (authorization.length > MAX_HEADER) return this.#refuse('large');
    const bearer = BEARER.exec(authorization)?.[1];
    if (bearer === undefined) return this.#verifyProved(DPOP.exec(authorization)?.[1], audience, sent);
    const known = this.#known(bearer, audience);
    if (known instanceof Promise) return known.then((kept) => this.#acceptBearer(kept, sent));
    return this.#acceptBearer(known, sent);
  }

  #refuse(reason: RefusalReason, since?: number): never {
    throw refusal(reason, this.#metadata, { since });
  }

  #acceptBearer({ token, binding }: Kept, sent: Sent | undefined): VerifiedToken {
    if (binding === null) return token;
    if (binding.jkt !== undefined) return this.#refuse('unproved');
    if (binding.x5t !== undefined) this.#sender.certificate(binding.x5t, sent);
    return token;
  }

  async #verifyProved(
    text: string | undefined,
    audience: string,
    sent: Sent | undefined,
  ): Promise<VerifiedToken> {
    if (text === undefined) return this.#refuse('scheme');
    const { token, binding } = await this.#known(text, audience);
    if (binding?.jkt === undefined) return this.#refuse('dpop');
    if (binding.x5t !== undefined) this.#sender.certificate(binding.x5t, sent);
    const nextNonce = await this.#sender.proof(text, binding.jkt, sent);
    return nextNonce === undefined ? token : { ...token, nextNonce };
  }

  #known(text: string, audience: string): Kept | Promise<Kept> {
    if (text.length > MAX_TOKEN) return this.#refuse('large');
    const digest = hash('sha256', text, 'base64');
    const kept = this.#kept.get(digest);
    if (
      kept !== undefined &&
      kept.audience === audience &&
      kept.token.expiresAt > this.#clock.now() &&
      this.#keyRing.verificationKey(kept.kid) !== undefined
    )
      return kept;
    return this.#verifyAnew(text, digest, audience);
  }

  #verifyAnew(text: string, digest: string, audience: string): Kept | Promise<Kept> {
    const kid = this.#readKid(text);
    const finish = (key: KeyObject | undefined): Kept => {
      if (key === undefined) return this.#refuse('key');
      const kept = { ...this.#check(text, key, audience), kid, audience };
      this.#kept.set(digest, kept);
      return kept;
    };
    const key = this.#keyRing.verificationKey(kid);
    if (key !== undefined) return finish(key);
    return this.#keyRing.learn().then(() => finish(this.#keyRing.verificationKey(kid)));
  }

  /** Looks at what is not yet proved, for the sake of a precise refusal; nothing of it is believed. */
  #readKid(text: string): string {
    const decoded = decode(text);
    if (decoded === null || typeof decoded.payload !== 'object' || decoded.payload === null)
      return this.#refuse('malformed');
    const { header, payload } = decoded;
    if (header.alg !== 'ES256') return this.#refuse('algorithm');
    if (!isAccessTokenType(header.typ)) return this.#refuse('type');
    if ('crit' in header) return this.#refuse('critical');
    if (payload.iss !== this.#issuer) return this.#refuse('issuer');
    return typeof header.kid === 'string' ? header.kid : this.#refuse('key');
  }

  #check(text: string, key: KeyObject, audience: string): Checked {
    const now = Math.floor(this.#clock.now() / 1000);
    const claims = this.#proved(text, key, audience, now);
    const { exp, iat, jti, client_id: clientId, agency, [CREDENTIAL_CLAIM]: credential } = claims;
    if (typeof exp !== 'number' || typeof iat !== 'number') return this.#refuse('claims');
    if (!isName(jti) || !isName(clientId) || !isName(agency)) return this.#refuse('claims');
    if (iat > now + SKEW_SECONDS) return this.#refuse('early', iat * 1000);
    const binding = bindingOf(claims['cnf']);
    if (binding === undefined) return this.#refuse('bound');
    const token: VerifiedToken = {
      clientId,
      agency,
      tokenId: jti,
      expiresAt: exp * 1000,
      ...(isName(credential) ? { keyId: credential } : {}),
      ...(binding === null ? {} : { boundTo: boundTo(binding) }),
    };
    return { token, binding };
  }

  #proved(text: string, key: KeyObject, audience: string, now: number): Record<string, unknown> {
    try {
      const claims = jwt.verify(text, key, {
        algorithms: ['ES256'],
        issuer: this.#issuer,
        audience,
        clockTimestamp: now,
      });
      if (typeof claims === 'object') return claims;
    } catch (error) {
      const message = error instanceof Error ? error.message : '';
      const reason = SAID.find(([beginning]) => message.startsWith(beginning))?.[1] ?? 'signature';
      const since = error instanceof jwt.TokenExpiredError ? error.expiredAt.getTime() : undefined;
      return this.#refuse(reason, since);
    }
    return this.#refuse('malformed');
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isAccessTokenType(typ: unknown): boolean {
  // RFC 9068 section 4: the media type may carry its prefix; media types ignore case.
  return typeof typ === 'string' && /^(?:application\/)?at\+jwt$/i.test(typ);
}

function decode(text: string): jwt.Jwt | null {
  try {
    return jwt.decode(text, { complete: true });
  } catch {
    return null;
  }
}
