import { hash, type KeyObject } from 'node:crypto';
import jwt, { type VerifyOptions } from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../base/clock.js';
import type { KeyRing } from './key-ring.js';
import { CREDENTIAL_CLAIM, resourceMetadataUrl, resourcesOf, SESSION_CLAIM } from './resources.js';
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
import { isAccessTokenType, type Unproved, unproved } from './token-header.js';
import type { TrustedIssuer } from './trusted-issuers.js';
import type { VerifiedToken } from './verified-token.js';

export type { VerifiedToken } from './verified-token.js';

export interface TokenVerifierOptions {
  readonly keyRing: KeyRing;
  /** `issuerOf(config.publicUrl)`. */
  readonly issuer: string;
  readonly clock: Clock;
  /** Other authorization servers, by `iss`. */
  readonly trusted?: ReadonlyMap<string, TrustedIssuer>;
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
  /** Whether its key is in force still. */
  readonly alive: () => boolean;
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

/** What must be so of a token. */
type Expected = VerifyOptions & { readonly complete?: false };

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
  readonly #trusted: ReadonlyMap<string, TrustedIssuer>;
  readonly #data: string;

  constructor(options: TokenVerifierOptions) {
    const { keyRing, issuer, clock, dpop, cacheSize = 10_000, trusted = new Map() } = options;
    this.#trusted = trusted;
    this.#data = resourcesOf(issuer.replace(/\/oidc$/, '')).data;
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
      kept.alive()
    )
      return kept;
    return this.#verifyAnew(text, digest, audience);
  }

  #verifyAnew(text: string, digest: string, audience: string): Kept | Promise<Kept> {
    const said = this.#read(text);
    const foreign = this.#trusted.get(said.issuer);
    const keep = (checked: Checked, alive: () => boolean): Kept => {
      const kept = { ...checked, alive, audience };
      this.#kept.set(digest, kept);
      return kept;
    };
    if (foreign !== undefined)
      return this.#verifyForeign(text, said, audience, foreign).then((found) => keep(...found));
    const { kid } = this.#ours(said);
    const alive = (): boolean => this.#keyRing.verificationKey(kid) !== undefined;
    const finish = (key: KeyObject | undefined): Kept => {
      if (key === undefined) return this.#refuse('key');
      return keep(this.#check(text, key, audience), alive);
    };
    const key = this.#keyRing.verificationKey(kid);
    if (key !== undefined) return finish(key);
    return this.#keyRing.learn().then(() => finish(this.#keyRing.verificationKey(kid)));
  }

  /** Looks at what is not yet proved, for the sake of a precise refusal; nothing of it is believed. */
  #read(text: string): Unproved {
    return unproved(text) ?? this.#refuse('malformed');
  }

  #ours({ issuer, alg, typ, critical, kid }: Unproved): { kid: string } {
    if (alg !== 'ES256') return this.#refuse('algorithm');
    if (!isAccessTokenType(typ)) return this.#refuse('type');
    if (critical) return this.#refuse('critical');
    if (issuer !== this.#issuer) return this.#refuse('issuer');
    return kid === undefined ? this.#refuse('key') : { kid };
  }

  /** A token of another authorization server: its word for who calls, our catalogue's for what they may. */
  async #verifyForeign(
    text: string,
    { alg, typ, critical, kid }: Unproved,
    audience: string,
    issuer: TrustedIssuer,
  ): Promise<[Checked, () => boolean]> {
    const { settings } = issuer;
    if (!settings.algorithms.some((one) => one === alg)) return this.#refuse('algorithm');
    if (!settings.types.some((one) => one.toLowerCase() === typ)) return this.#refuse('type');
    if (critical) return this.#refuse('critical');
    const key = kid === undefined ? undefined : await issuer.key(kid, alg);
    if (kid === undefined || key === undefined) return this.#refuse('key');
    const now = Math.floor(this.#clock.now() / 1000);
    const claims = this.#proved(text, key, {
      algorithms: [alg as jwt.Algorithm],
      issuer: settings.issuer,
      // An audience of the settings' own stands for data: nobody manages by a token that was made for calls.
      audience: audience === this.#data ? (settings.audience ?? audience) : audience,
      clockTimestamp: now,
    });
    const { exp, iat, jti } = claims;
    if (typeof exp !== 'number' || typeof iat !== 'number') return this.#refuse('claims');
    if (iat > now + SKEW_SECONDS) return this.#refuse('early', iat * 1000);
    if (exp - iat > settings.maxTtlSeconds) return this.#refuse('lifetime');
    const clientId = issuer.systemOf(claims);
    if (clientId === undefined) return this.#refuse('unmapped');
    const binding = bindingOf(claims['cnf']);
    if (binding === undefined) return this.#refuse('bound');
    const token: VerifiedToken = {
      ...{ clientId, agency: null, expiresAt: exp * 1000 },
      tokenId: isName(jti) ? jti : hash('sha256', text, 'base64url'),
      ...(binding === null ? {} : { boundTo: boundTo(binding) }),
    };
    return [{ token, binding }, () => !issuer.stale && issuer.known(kid, alg) !== undefined];
  }

  #check(text: string, key: KeyObject, audience: string): Checked {
    const now = Math.floor(this.#clock.now() / 1000);
    const claims = this.#proved(text, key, {
      algorithms: ['ES256'],
      issuer: this.#issuer,
      audience,
      clockTimestamp: now,
    });
    const { exp, iat, jti, client_id: clientId, agency, [CREDENTIAL_CLAIM]: credential } = claims;
    const { sub, [SESSION_CLAIM]: session } = claims;
    if (typeof exp !== 'number' || typeof iat !== 'number') return this.#refuse('claims');
    if (!isName(jti) || !isName(clientId) || !isName(agency)) return this.#refuse('claims');
    if (session !== undefined && !(isName(session) && isName(sub))) return this.#refuse('claims');
    if (iat > now + SKEW_SECONDS) return this.#refuse('early', iat * 1000);
    const binding = bindingOf(claims['cnf']);
    if (binding === undefined) return this.#refuse('bound');
    const token: VerifiedToken = {
      clientId,
      agency,
      tokenId: jti,
      expiresAt: exp * 1000,
      // A client that acts for itself is its own subject (RFC 9068 section 2.2); a session is a person's.
      ...(isName(sub) && (sub !== clientId || session !== undefined) ? { user: sub } : {}),
      ...(isName(session) ? { session } : {}),
      ...(isName(credential) ? { keyId: credential } : {}),
      ...(binding === null ? {} : { boundTo: boundTo(binding) }),
    };
    return { token, binding };
  }

  #proved(text: string, key: KeyObject, options: Expected): Record<string, unknown> {
    try {
      const claims = jwt.verify(text, key, options);
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
