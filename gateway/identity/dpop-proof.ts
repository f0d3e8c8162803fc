import { hash, timingSafeEqual } from 'node:crypto';
import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  EmbeddedJWK,
  errors,
  type JWK,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import type { SenderReason } from './sender-refusal.js';

/** The algorithms of proofs, here and at the token endpoint. */
export const DPOP_ALGORITHMS = ['ES256', 'PS256', 'EdDSA', 'Ed25519'] as const;

/** Why a proof is not believed. */
export class ProofRefused extends Error {
  override readonly name = 'ProofRefused';
  readonly reason: SenderReason;

  constructor(reason: SenderReason) {
    super(reason);
    this.reason = reason;
  }
}

/** What a proof must have been made for. */
export interface ProofAsked {
  readonly method: string;
  /** Without query and fragment. */
  readonly url: string;
  readonly accessToken: string;
  /** `cnf.jkt` of the token. */
  readonly thumbprint: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a proof says that the caller of this module judges. */
export interface Proof {
  readonly jti: string;
  /** Milliseconds since the epoch. */
  readonly madeAt: number;
  readonly nonce: string | undefined;
}

const MAX_PROOF = 4096;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'] as const;
const TYPE = 'dpop+jwt';
/** What RFC 3986 would resolve away: no proof names such an address. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

function refuse(reason: SenderReason): never {
  throw new ProofRefused(reason);
}

/** The one proof of a request; `node:http` joins several headers of a name with commas. */
export function proofOf(header: string | string[] | undefined): string {
  if (header === undefined || header === '') return refuse('proof_missing');
  if (Array.isArray(header) || header.includes(',')) return refuse('proof_many');
  return header.length > MAX_PROOF ? refuse('proof_large') : header;
}

function headerOf(proof: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(proof);
  } catch {
    return refuse('proof_malformed');
  }
}

/** For a precise refusal before any signature is checked; `jose` looks at all of it again. */
function readKey(proof: string): JWK {
  const { typ, alg, jwk, crit } = headerOf(proof);
  if (typeof typ !== 'string' || typ.toLowerCase() !== TYPE) return refuse('proof_type');
  if (!(DPOP_ALGORITHMS as readonly unknown[]).includes(alg)) return refuse('proof_algorithm');
  if (crit !== undefined) return refuse('proof_critical');
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return refuse('proof_jwk');
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member))) return refuse('proof_private');
  return jwk;
}

async function thumbprintOf(jwk: JWK): Promise<string> {
  try {
    return await calculateJwkThumbprint(jwk);
  } catch {
    return refuse('proof_jwk');
  }
}

async function provedClaims(proof: string, now: number): Promise<JWTPayload> {
  try {
    const options = { algorithms: [...DPOP_ALGORITHMS], typ: TYPE, currentDate: new Date(now) };
    return (await jwtVerify(proof, EmbeddedJWK, options)).payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return refuse('proof_signature');
    if (error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed)
      return refuse('proof_claims');
    if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid)
      return refuse('proof_malformed');
    // Whatever else stops it lies in the key: a curve, size or form that does not fit the algorithm.
    return refuse('proof_jwk');
  }
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Scheme, host and path; RFC 9449, section 4.3, leaves query and fragment out of the comparison. */
function address(text: string): string | null {
  if (!URL.canParse(text) || DOT_SEGMENT.test(text)) return null;
  const { origin, pathname } = new URL(text);
  return origin === 'null' ? null : origin + pathname.replaceAll(/%[\da-f]{2}/gi, (it) => it.toUpperCase());
}

function assertClaims(claims: JWTPayload, asked: ProofAsked): Proof {
  const { htm, htu, ath, jti, iat, nonce } = claims;
  if (typeof htm !== 'string' || typeof htu !== 'string' || typeof ath !== 'string')
    return refuse('proof_claims');
  if (typeof jti !== 'string' || jti === '' || typeof iat !== 'number') return refuse('proof_claims');
  if (nonce !== undefined && typeof nonce !== 'string') return refuse('nonce_wrong');
  if (htm !== asked.method) return refuse('proof_method');
  const meant = address(htu.replace(/[?#].*$/s, ''));
  if (meant === null || meant !== address(asked.url)) return refuse('proof_address');
  if (!same(ath, hash('sha256', asked.accessToken, 'base64url'))) return refuse('proof_token');
  return { jti, madeAt: iat * 1000, nonce };
}

/**
 * The checks of RFC 9449, section 4.3, that need nothing but the request: form, key, signature, method, address
 * and token. Age, nonce and replay are left to the caller.
 *
 * @throws ProofRefused
 */
export async function readProof(proof: string, asked: ProofAsked): Promise<Proof> {
  const key = readKey(proof);
  if (!same(await thumbprintOf(key), asked.thumbprint)) return refuse('proof_key');
  return assertClaims(await provedClaims(proof, asked.now), asked);
}
