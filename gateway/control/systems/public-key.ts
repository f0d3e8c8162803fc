import { createPublicKey } from 'node:crypto';
import { calculateJwkThumbprint, type JWK } from 'jose';
import type { Problem } from '../../base/problem.js';
import { invalid } from '../refusals.js';

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;
const RSA_BITS = { least: 2048, most: 8192 } as const;

interface Kind {
  readonly kty: string;
  readonly crv?: string;
  /** The members that make the key; everything else that was sent is dropped. */
  readonly members: readonly string[];
  readonly algorithms: readonly string[];
}

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const KINDS: readonly Kind[] = [
  { kty: 'EC', crv: 'P-256', members: ['kty', 'crv', 'x', 'y'], algorithms: ['ES256'] },
  { kty: 'RSA', members: ['kty', 'n', 'e'], algorithms: RSA_ALGORITHMS },
  { kty: 'OKP', crv: 'Ed25519', members: ['kty', 'crv', 'x'], algorithms: ['EdDSA', 'Ed25519'] },
];

const notSupported = (at: string): Problem =>
  invalid(
    at,
    'key',
    'phải là khóa công khai EC P-256, RSA từ 2048 đến 8192 bit hoặc Ed25519',
    'must be a public key: EC P-256, RSA of 2048 to 8192 bits, or Ed25519',
  );

function assertPublic(jwk: Readonly<Record<string, unknown>>, at: string): void {
  const found = PRIVATE_MEMBERS.find((member) => Object.hasOwn(jwk, member));
  if (found === undefined) return;
  throw invalid(
    `${at}/${found}`,
    'private',
    'đây là khóa bí mật; chỉ gửi khóa công khai và coi khóa này đã lộ',
    'this is a private key; send the public one only, and treat this one as disclosed',
  );
}

function kindOf(jwk: Readonly<Record<string, unknown>>, at: string): Kind {
  const kind = KINDS.find(({ kty, crv }) => jwk['kty'] === kty && (crv === undefined || jwk['crv'] === crv));
  if (kind === undefined) throw notSupported(at);
  const { alg, use } = jwk;
  if (alg !== undefined && !kind.algorithms.includes(alg as string))
    throw invalid(`${at}/alg`, 'algorithm', 'thuật toán không hợp với khóa', 'does not fit the key');
  if (use !== undefined && use !== 'sig')
    throw invalid(`${at}/use`, 'use', 'khóa phải dùng để ký', 'the key must be for signatures');
  return kind;
}

function assertReadable(key: JWK, at: string): void {
  let bits: number | undefined;
  try {
    bits = createPublicKey({ key: key as Record<string, string>, format: 'jwk' }).asymmetricKeyDetails
      ?.modulusLength;
  } catch {
    throw notSupported(at);
  }
  if (bits !== undefined && (bits < RSA_BITS.least || bits > RSA_BITS.most)) throw notSupported(at);
}

/**
 * The public key of a JWK that a client hands in, with its members only, so that nothing else that came along is
 * ever stored.
 *
 * @param at pointer of the JWK in the request
 * @throws Problem `request_invalid` for a private key, or one that is too weak or of another kind
 */
export async function publicKeyOf(sent: Readonly<Record<string, unknown>>, at: string): Promise<JWK> {
  assertPublic(sent, at);
  const { members } = kindOf(sent, at);
  const key = Object.fromEntries(members.map((member) => [member, sent[member]])) as JWK;
  if (members.some((member) => typeof sent[member] !== 'string')) throw notSupported(at);
  assertReadable(key, at);
  const { kid, alg } = sent as { kid?: string; alg?: string };
  return {
    ...key,
    use: 'sig',
    ...(alg === undefined ? {} : { alg }),
    kid: kid ?? (await calculateJwkThumbprint(key)),
  };
}

/** Whether two public JWKs are the same key, whatever they are called. */
export async function sameKey(one: JWK, other: JWK): Promise<boolean> {
  return (await calculateJwkThumbprint(one)) === (await calculateJwkThumbprint(other));
}
