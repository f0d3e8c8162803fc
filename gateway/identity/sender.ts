import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../base/clock.js';
import type { CallRequest } from '../base/exchange.js';
import { certificateStanding, certificateThumbprint } from '../base/certificate.js';
import { DpopNonces, NONCE_LIFE_MS } from './dpop-nonces.js';
import { type Proof, proofOf, ProofRefused, readProof } from './dpop-proof.js';
import { memoryReplays, type ProofReplays } from './proof-replays.js';
import { refusal } from './token-refusal.js';
import type { SenderReason } from './sender-refusal.js';

/** What a token was bound to when it was given (`cnf`, RFC 7800). */
export interface Binding {
  /** RFC 7638 thumbprint of the key that signs the proofs. */
  readonly jkt?: string;
  /** `x5t#S256` of the certificate. */
  readonly x5t?: string;
}

/** The parts of a call that say who sends its token. */
export type Sent = Pick<CallRequest, 'method' | 'path' | 'headers' | 'clientCertificate'>;

export interface DpopRules {
  readonly nonces: DpopNonces;
  readonly replays: ProofReplays;
  /** How far the time of a proof may be from ours, either way. */
  readonly windowMs: number;
  readonly requireNonce: boolean;
}

/** The rules of a node that shares nothing with others. */
export function localDpop(clock: Clock): DpopRules {
  return {
    nonces: new DpopNonces(randomBytes(32), clock),
    replays: memoryReplays(clock),
    windowMs: 60_000,
    requireNonce: false,
  };
}

const MEMBERS: readonly string[] = ['jkt', 'x5t#S256'];

/**
 * What `cnf` binds a token to; null where it does not say anything. Undefined for a method that is not known here:
 * whoever asked for a binding must never get less.
 */
export function bindingOf(cnf: unknown): Binding | null | undefined {
  if (cnf === undefined) return null;
  if (typeof cnf !== 'object' || cnf === null) return undefined;
  const entries = Object.entries(cnf);
  const known = entries.every(([name, value]) => MEMBERS.includes(name) && isText(value));
  if (entries.length === 0 || !known) return undefined;
  const { jkt, 'x5t#S256': x5t } = cnf as Record<string, string>;
  return { ...(jkt === undefined ? {} : { jkt }), ...(x5t === undefined ? {} : { x5t }) };
}

/** @example boundTo({ jkt: '0ZcO…' }) // 'jkt:0ZcO…' */
export function boundTo({ jkt, x5t }: Binding): string {
  return [
    ...(jkt === undefined ? [] : [`jkt:${jkt}`]),
    ...(x5t === undefined ? [] : [`x5t#S256:${x5t}`]),
  ].join(' ');
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function sameText(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Checks that whoever sends a bound token holds what it is bound to. */
export class SenderCheck {
  readonly #rules: DpopRules;
  readonly #clock: Clock;
  readonly #publicUrl: string;
  readonly #metadata: string;

  constructor(parts: { rules: DpopRules; clock: Clock; publicUrl: string; metadata: string }) {
    this.#rules = parts.rules;
    this.#clock = parts.clock;
    this.#publicUrl = parts.publicUrl;
    this.#metadata = parts.metadata;
  }

  /** @throws Problem `token_unbound` */
  certificate(thumbprint: string, sent: Sent | undefined): void {
    const certificate = sent?.clientCertificate() ?? null;
    if (certificate === null) return this.#refuse('certificate_missing');
    if (!sameText(certificateThumbprint(certificate), thumbprint)) return this.#refuse('certificate_other');
    const standing = certificateStanding(certificate, this.#clock.now());
    if (standing !== 'valid') this.#refuse(`certificate_${standing}`);
  }

  /**
   * @returns the nonce that the next proof should carry, where this one did not carry the newest
   * @throws Problem `token_unbound`; `overloaded` when a replay cannot be ruled out
   */
  async proof(accessToken: string, thumbprint: string, sent: Sent | undefined): Promise<string | undefined> {
    try {
      const proof = await readProof(proofOf(sent?.headers['dpop']), {
        method: sent?.method ?? '',
        url: this.#publicUrl + (sent?.path ?? ''),
        accessToken,
        thumbprint,
        now: this.#clock.now(),
      });
      const until = this.#timely(proof);
      // Last: a proof that is refused for anything else takes no room.
      const key = hash('sha256', `${thumbprint}\n${proof.jti}`, 'base64url');
      if (!(await this.#rules.replays.first(key, until))) throw new ProofRefused('proof_replayed');
      return this.#nextNonce(proof);
    } catch (error) {
      if (error instanceof ProofRefused) return this.#refuse(error.reason);
      throw error;
    }
  }

  /** @returns until when the proof could be sent again */
  #timely({ nonce, madeAt }: Proof): number {
    const { nonces, requireNonce, windowMs, replays } = this.#rules;
    const now = this.#clock.now();
    if (nonce !== undefined) {
      // The nonce says when the proof was made, whatever the clock of its maker shows.
      if (!nonces.accepts(nonce)) throw new ProofRefused('nonce_wrong');
      // Two steps more than its life, for the clocks of other nodes.
      return now + NONCE_LIFE_MS * 2;
    }
    if (requireNonce) throw new ProofRefused('nonce_required');
    if (!(Math.abs(now - madeAt) <= windowMs) || madeAt < replays.since)
      throw new ProofRefused('proof_stale');
    return madeAt + windowMs + 1;
  }

  #nextNonce(proof: Proof): string | undefined {
    if (proof.nonce === undefined && !this.#rules.requireNonce) return undefined;
    const current = this.#rules.nonces.current();
    return proof.nonce === current ? undefined : current;
  }

  #refuse(reason: SenderReason): never {
    const asksNonce = reason === 'nonce_required' || reason === 'nonce_wrong' || reason === 'proof_stale';
    const headers = asksNonce ? { 'DPoP-Nonce': this.#rules.nonces.current() } : {};
    throw refusal(reason, this.#metadata, { headers });
  }
}
