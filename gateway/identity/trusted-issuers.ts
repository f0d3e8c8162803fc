import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import { type Config, ConfigError } from '../base/config.js';
import type { Logger } from '../base/log.js';
import { issuerOf } from './resources.js';

type Settings = Config['trustedIssuers'][number];

/** Fetches a JWK Set; throws for whatever is none. */
export type FetchKeys = (uri: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

export interface TrustedIssuerParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly fetchKeys: FetchKeys;
}

/** How long fetched keys are used without asking again. */
const FRESH_MS = 600_000;
/** A key that nobody knows may mean that the issuer has changed its own; asking is worth so much and no more. */
const COOL_DOWN_MS = 30_000;
/** Without an answer, keys of the last one are believed so long; then the issuer's tokens are refused. */
const STALE_MS = 3_600_000;
const MOST_KEYS = 50;

interface KnownKey {
  readonly key: KeyObject;
  readonly alg: unknown;
}

function usable(jwk: Readonly<Record<string, unknown>>): boolean {
  return (jwk['kty'] === 'EC' || jwk['kty'] === 'RSA') && (jwk['use'] ?? 'sig') === 'sig' && !('d' in jwk);
}

function strong(key: KeyObject): boolean {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  return modulusLength === undefined ? namedCurve === 'prime256v1' : modulusLength >= 2048;
}

/** Keys of a set that can be used, by name. One that cannot be read takes none of the others with it. */
function readKeys(jwks: readonly Readonly<Record<string, unknown>>[]): Map<string, KnownKey> {
  const keys = new Map<string, KnownKey>();
  for (const jwk of jwks.slice(0, MOST_KEYS)) {
    const { kid, alg } = jwk;
    if (typeof kid !== 'string' || !usable(jwk)) continue;
    try {
      const key = createPublicKey({ key: jwk as never, format: 'jwk' });
      if (strong(key)) keys.set(kid, { key, alg });
    } catch {
      // Not a key: the others may be.
    }
  }
  return keys;
}

/** Another authorization server whose tokens for systems are accepted. */
export class TrustedIssuer {
  readonly settings: Settings;
  readonly #parts: TrustedIssuerParts;
  #keys = new Map<string, KnownKey>();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;

  constructor(settings: Settings, parts: TrustedIssuerParts) {
    this.settings = settings;
    this.#parts = parts;
  }

  /** The system that a claim of the token stands for; undefined for nobody of ours. */
  systemOf(claims: Readonly<Record<string, unknown>>): string | undefined {
    const value = claims[this.settings.claim];
    const { systems } = this.settings;
    return typeof value === 'string' && Object.hasOwn(systems, value) ? systems[value] : undefined;
  }

  /** A key that is known and believed now, without asking anybody. */
  known(kid: string, alg: string): KeyObject | undefined {
    if (this.#parts.clock.now() - this.#fetchedAt > STALE_MS) return undefined;
    const found = this.#keys.get(kid);
    return found === undefined || (found.alg !== undefined && found.alg !== alg) ? undefined : found.key;
  }

  /** The same, after asking the issuer where that may help: rarely, and once for all who wait. */
  async key(kid: string, alg: string): Promise<KeyObject | undefined> {
    const now = this.#parts.clock.now();
    const worthAsking = this.known(kid, alg) === undefined || now - this.#fetchedAt > FRESH_MS;
    if (worthAsking && (this.#fetching !== null || now - this.#triedAt >= COOL_DOWN_MS)) {
      this.#fetching ??= this.#fetch(now).finally(() => (this.#fetching = null));
      await this.#fetching;
    }
    return this.known(kid, alg);
  }

  /** Whether the keys are so old that the issuer should be asked again. */
  get stale(): boolean {
    return this.#parts.clock.now() - this.#fetchedAt > FRESH_MS;
  }

  async #fetch(now: number): Promise<void> {
    const { fetchKeys, log } = this.#parts;
    this.#triedAt = now;
    try {
      this.#keys = readKeys(await fetchKeys(this.settings.jwksUri));
      this.#fetchedAt = now;
    } catch (error) {
      log.warn(
        { err: error, issuer: this.settings.issuer },
        'the keys of a trusted issuer cannot be fetched',
      );
    }
  }
}

/** By `iss`, compared character by character. */
export function trustedIssuers(
  config: Pick<Config, 'trustedIssuers' | 'publicUrl'>,
  parts: TrustedIssuerParts,
): ReadonlyMap<string, TrustedIssuer> {
  // Our own tokens are judged by our own rules alone.
  if (config.trustedIssuers.some(({ issuer }) => issuer === issuerOf(config.publicUrl)))
    throw new ConfigError('trustedIssuers: the gateway itself is not a foreign issuer');
  return new Map(config.trustedIssuers.map((one) => [one.issuer, new TrustedIssuer(one, parts)]));
}
