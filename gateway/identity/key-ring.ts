import type { KeyObject } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import type { Database } from '../store/database.js';
import {
  endOtherSigningKeys,
  insertSigningKey,
  KEY_PURPOSES,
  type KeyPurpose,
  listSigningKeys,
  type SigningKeyRow,
  withSigningKeysLocked,
} from '../store/signing-keys.js';
import type { Sealing } from './sealing.js';
import {
  generateKey,
  openSecretKey,
  openSigningKey,
  type PublicJwk,
  type SecretKey,
  type SigningKey,
} from './signing-key.js';

export interface KeyRingOptions {
  readonly database: Database;
  readonly sealing: Sealing;
  readonly clock: Clock;
  readonly log: Logger;
  /** `config.tokens.ttlSeconds`: a replaced key verifies until its last token is over. */
  readonly tokenTtlSeconds: number;
  /** How long a new key is published before it signs; every node must reload within it. Milliseconds, default 5000. */
  readonly overlapMs?: number;
}

const DEFAULT_OVERLAP_MS = 5000;
/** For clocks that differ between nodes. */
const GRACE_MS = 60_000;
const COOKIE_LIFE_MS = 14 * 86_400_000;
const LEARN_PAUSE_MS = 1000;

interface Dated {
  readonly signsFrom: number;
  readonly verifiesUntil: number | null;
}

function lives(key: Dated, now: number): boolean {
  return key.verifiesUntil === null || key.verifiesUntil > now;
}

/** The newest whose time to sign has come. The oldest if none has: a clock that runs behind must not stop the node. */
export function currentOf<K extends Dated>(keys: readonly K[], now: number): K {
  const current = keys.findLast((key) => key.signsFrom <= now) ?? keys[0];
  if (current === undefined) throw new Error('the key ring is empty');
  return current;
}

/**
 * The keys of the installation, in memory: cached key objects by id, the signer of the moment, the public set.
 * `reload` is cheap when nothing changed; call it every `config.refreshMs`, or whenever a key changed.
 *
 * @example const keyRing = await KeyRing.open({ database, sealing, clock, log, tokenTtlSeconds: 600 })
 */
export class KeyRing {
  readonly #options: KeyRingOptions;
  #tokenKeys: readonly SigningKey[] = [];
  #logKeys: readonly SigningKey[] = [];
  #cookieKeys: readonly SecretKey[] = [];
  #subjectKeys: readonly SecretKey[] = [];
  #byKid = new Map<string, SigningKey>();
  #state = '';
  #version = 0;
  #loading: Promise<void> = Promise.resolve();
  #learnedAt = Number.NEGATIVE_INFINITY;
  #learning: Promise<void> | null = null;

  private constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /**
   * Makes the keys that are missing (first start) and loads all of them. Nodes that start together take turns.
   *
   * @throws SealError when a key was sealed with another master key
   */
  static async open(options: KeyRingOptions): Promise<KeyRing> {
    const ring = new KeyRing(options);
    await ring.#ensureKeys();
    await ring.reload();
    return ring;
  }

  /** Rises whenever the set of keys changed. */
  get version(): number {
    return this.#version;
  }

  /** Signs access tokens now. */
  tokenSigner(): SigningKey {
    return currentOf(this.#tokenKeys, this.#options.clock.now());
  }

  /** Signs checkpoints of the log now. Old log keys verify for ever. */
  logSigner(): SigningKey {
    return currentOf(this.#logKeys, this.#options.clock.now());
  }

  /** Every key that has signed or may sign the log, oldest first. */
  logKeys(): readonly SigningKey[] {
    return this.#logKeys;
  }

  /** Those that verify something, oldest first: the one that is not yet signing too. */
  tokenKeys(): readonly SigningKey[] {
    const now = this.#options.clock.now();
    return this.#tokenKeys.filter((key) => lives(key, now));
  }

  /** Secrets for signed cookies, the signing one first. */
  cookieSecrets(): string[] {
    const now = this.#options.clock.now();
    const current = currentOf(this.#cookieKeys, now);
    const others = this.#cookieKeys.filter((key) => key !== current && lives(key, now));
    return [current, ...others].map((key) => key.secret);
  }

  /** Makes the digests of persons in the record now. */
  subjectKey(): SecretKey {
    return currentOf(this.#subjectKeys, this.#options.clock.now());
  }

  /** Every key that has made such digests or may: they are kept for ever, so that old records stay findable. */
  subjectKeys(): readonly SecretKey[] {
    return this.#subjectKeys;
  }

  /** The public key that verifies tokens with this `kid` now; undefined when there is none in force. */
  verificationKey(kid: string): KeyObject | undefined {
    const key = this.#byKid.get(kid);
    return key !== undefined && lives(key, this.#options.clock.now()) ? key.publicKey : undefined;
  }

  /** RFC 7517 set of the keys that verify access tokens. */
  publicJwks(): { keys: PublicJwk[] } {
    return { keys: this.tokenKeys().map((key) => key.publicJwk) };
  }

  /** Reads the keys again. On failure the ring keeps what it has. */
  async reload(): Promise<void> {
    // In turn: a slow, older reading must not overwrite a newer one.
    const turn = this.#loading.catch(() => undefined).then(() => this.#load());
    this.#loading = turn;
    await turn;
  }

  /**
   * Looks whether an unknown key has just appeared; reads at most once a second, however many ask. Never rejects:
   * a database that cannot be read only means that the key stays unknown.
   */
  async learn(): Promise<void> {
    if (this.#learning !== null) {
      await this.#learning;
      return;
    }
    const now = this.#options.clock.now();
    if (now - this.#learnedAt < LEARN_PAUSE_MS) return;
    this.#learnedAt = now;
    this.#learning = this.reload()
      .catch((error: unknown) => {
        this.#options.log.warn({ err: error }, 'signing keys cannot be read');
      })
      .finally(() => {
        this.#learning = null;
      });
    await this.#learning;
  }

  /**
   * Appends a key that signs once every node knows it; the keys before it go on verifying until the last of what
   * they signed is over, so that no valid token is ever refused.
   *
   * @returns the id of the new key, and when it begins to sign (milliseconds since the epoch)
   */
  async rotate(purpose: KeyPurpose): Promise<{ kid: string; signsFrom: number }> {
    const { database, sealing, clock, overlapMs = DEFAULT_OVERLAP_MS } = this.#options;
    const row = await withSigningKeysLocked(database, async (trx) => {
      const now = clock.now();
      const next = await generateKey(sealing, purpose, now, now + overlapMs);
      await insertSigningKey(trx, next);
      const until = this.#verifiesUntil(purpose, next.signs_from);
      if (until !== null) await endOtherSigningKeys(trx, purpose, next.kid, until);
      return next;
    });
    await this.reload();
    return { kid: row.kid, signsFrom: row.signs_from };
  }

  #verifiesUntil(purpose: KeyPurpose, replacedAt: number): number | null {
    if (purpose === 'log' || purpose === 'subject') return null;
    const life = purpose === 'token' ? this.#options.tokenTtlSeconds * 1000 : COOKIE_LIFE_MS;
    return replacedAt + life + GRACE_MS;
  }

  async #ensureKeys(): Promise<void> {
    const { database, sealing, clock } = this.#options;
    const missing = (rows: readonly SigningKeyRow[]): KeyPurpose[] =>
      KEY_PURPOSES.filter((purpose) => !rows.some((row) => row.purpose === purpose));
    if (missing(await listSigningKeys(database.knex, clock.now())).length === 0) return;
    await withSigningKeysLocked(database, async (trx) => {
      const now = clock.now();
      for (const purpose of missing(await listSigningKeys(trx, now)))
        await insertSigningKey(trx, await generateKey(sealing, purpose, now, now));
    });
  }

  async #load(): Promise<void> {
    const { database, clock } = this.#options;
    const rows = await listSigningKeys(database.knex, clock.now());
    const state = rows.map((row) => `${row.kid}:${row.signs_from}:${row.verifies_until ?? ''}`).join('|');
    if (state === this.#state) return;
    const tokenKeys = this.#open('token', rows, this.#tokenKeys);
    const logKeys = this.#open('log', rows, this.#logKeys);
    const cookieKeys = this.#openSecrets('cookie', rows);
    const subjectKeys = this.#openSecrets('subject', rows);
    this.#tokenKeys = tokenKeys;
    this.#logKeys = logKeys;
    this.#cookieKeys = cookieKeys;
    this.#subjectKeys = subjectKeys;
    this.#byKid = new Map(tokenKeys.map((key) => [key.kid, key]));
    this.#state = state;
    this.#version += 1;
  }

  #openSecrets(purpose: 'cookie' | 'subject', rows: readonly SigningKeyRow[]): readonly SecretKey[] {
    const { sealing } = this.#options;
    return rows.filter((row) => row.purpose === purpose).map((row) => openSecretKey(sealing, row));
  }

  /** Keys that are open already keep their objects; only their dates may have changed. */
  #open(
    purpose: 'token' | 'log',
    rows: readonly SigningKeyRow[],
    known: readonly SigningKey[],
  ): readonly SigningKey[] {
    const { sealing } = this.#options;
    return rows
      .filter((row) => row.purpose === purpose)
      .map((row) => {
        const open = known.find((key) => key.kid === row.kid);
        if (open === undefined) return openSigningKey(sealing, purpose, row);
        return { ...open, signsFrom: row.signs_from, verifiesUntil: row.verifies_until };
      });
  }
}
