import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import type { KeyPurpose, SigningKeyRow } from '../store/signing-keys.js';
import type { Sealing } from './sealing.js';

/** One asymmetric key of the installation, opened. */
export interface SigningKey {
  /** RFC 7638 thumbprint. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** With `kid`, `use` and `alg`, as published. */
  readonly publicJwk: PublicJwk;
  /** Milliseconds since the epoch. */
  readonly signsFrom: number;
  readonly verifiesUntil: number | null;
}

export type PublicJwk = JsonWebKey & { readonly kid: string; readonly use: 'sig'; readonly alg: string };

/** A symmetric key: signs cookies, or makes the digests of persons. */
export interface SecretKey {
  readonly kid: string;
  /** 256 bits, base64url. */
  readonly secret: string;
  readonly signsFrom: number;
  readonly verifiesUntil: number | null;
}

const ALGORITHMS = { token: 'ES256', log: 'EdDSA' } as const;

const sealPurpose = (purpose: KeyPurpose): string => `signing-key/${purpose}`;

function generatePrivate(purpose: 'token' | 'log'): KeyObject {
  return purpose === 'token'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    : generateKeyPairSync('ed25519').privateKey;
}

async function newMaterial(
  purpose: KeyPurpose,
): Promise<{ kid: string; secret: string; publicJwk: JsonWebKey }> {
  if (purpose === 'cookie' || purpose === 'subject')
    return {
      // A subject's key is named in every digest that it makes: short, and unique among a handful all the same.
      kid: randomBytes(purpose === 'subject' ? 9 : 16).toString('base64url'),
      secret: randomBytes(32).toString('base64url'),
      publicJwk: {},
    };
  const privateKey = generatePrivate(purpose);
  const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    kid: await calculateJwkThumbprint(publicJwk),
    secret: JSON.stringify(privateKey.export({ format: 'jwk' })),
    publicJwk,
  };
}

/** Makes a key of the purpose: token ES256 (P-256), log Ed25519, cookie and subject 256 random bits. */
export async function generateKey(
  sealing: Sealing,
  purpose: KeyPurpose,
  now: number,
  signsFrom: number,
): Promise<SigningKeyRow> {
  const { kid, secret, publicJwk } = await newMaterial(purpose);
  return {
    kid,
    purpose,
    public_jwk: JSON.stringify(publicJwk),
    sealed_private: sealing.seal(sealPurpose(purpose), kid, secret),
    created_at: now,
    signs_from: signsFrom,
    verifies_until: null,
  };
}

/**
 * Opens a stored asymmetric key. The public half is computed from the sealed private one: whoever can only write
 * to the table must not be able to have their own key trusted.
 *
 * @throws SealError
 */
export function openSigningKey(sealing: Sealing, purpose: 'token' | 'log', row: SigningKeyRow): SigningKey {
  const secret = sealing.open(sealPurpose(purpose), row.kid, row.sealed_private).toString('utf8');
  const privateKey = createPrivateKey({ key: JSON.parse(secret) as JsonWebKey, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);
  return {
    kid: row.kid,
    privateKey,
    publicKey,
    publicJwk: { ...publicKey.export({ format: 'jwk' }), kid: row.kid, use: 'sig', alg: ALGORITHMS[purpose] },
    signsFrom: row.signs_from,
    verifiesUntil: row.verifies_until,
  };
}

/** @throws SealError */
export function openSecretKey(sealing: Sealing, row: SigningKeyRow): SecretKey {
  return {
    kid: row.kid,
    secret: sealing.open(sealPurpose(row.purpose), row.kid, row.sealed_private).toString('utf8'),
    signsFrom: row.signs_from,
    verifiesUntil: row.verifies_until,
  };
}
