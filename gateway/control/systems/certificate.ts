import { X509Certificate } from 'node:crypto';
import type { Problem } from '../../base/problem.js';
import { certificateStanding, certificateThumbprint } from '../../base/certificate.js';
import { invalid } from '../refusals.js';

const ONE_PEM = /^\s*-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*$/;
const RSA_BITS = { least: 2048, most: 8192 } as const;

/** What is kept of a certificate: enough to know it again, and to say whose it is. */
export interface CertificateFacts {
  readonly sha256: string;
  readonly subject: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

const unreadable = (at: string): Problem =>
  invalid(
    at,
    'certificate',
    'phải là đúng một chứng thư X.509 dạng PEM, khóa EC, RSA từ 2048 đến 8192 bit hoặc Ed25519',
    'must be exactly one X.509 certificate in PEM, with a key of EC, RSA of 2048 to 8192 bits, or Ed25519',
  );

function read(pem: string, at: string): X509Certificate {
  if (!ONE_PEM.test(pem)) throw unreadable(at);
  try {
    return new X509Certificate(pem);
  } catch {
    throw unreadable(at);
  }
}

function assertKey(certificate: X509Certificate, at: string): void {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = certificate.publicKey;
  if (type === 'ec' || type === 'ed25519') return;
  const bits = details?.modulusLength ?? 0;
  if (type !== 'rsa' || bits < RSA_BITS.least || bits > RSA_BITS.most) throw unreadable(at);
}

/**
 * Reads a certificate that is about to become a credential.
 *
 * @param at pointer of the certificate in the request
 * @param now milliseconds since the epoch
 * @throws Problem `request_invalid` when it is none, is over, or its key is too weak or of another kind
 */
export function certificateFacts(pem: string, at: string, now: number): CertificateFacts {
  const certificate = read(pem, at);
  assertKey(certificate, at);
  if (certificateStanding(certificate, now) === 'expired')
    throw invalid(at, 'expired', 'chứng thư đã hết hạn', 'the certificate has expired');
  return {
    sha256: certificateThumbprint(certificate),
    subject: certificate.subject.replaceAll('\n', ', ').slice(0, 1000),
    expiresAt: Date.parse(certificate.validTo),
  };
}
