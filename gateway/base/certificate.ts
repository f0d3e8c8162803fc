import { hash, type X509Certificate } from 'node:crypto';

/** `x5t#S256` of RFC 8705: base64url of the SHA-256 digest of the certificate in DER. */
export function certificateThumbprint(certificate: X509Certificate): string {
  return hash('sha256', certificate.raw, 'base64url');
}

export type CertificateStanding = 'valid' | 'early' | 'expired';

/**
 * Whether the certificate is within its own dates: a proxy may have been told not to look, and in process the
 * handshake lets every certificate pass, so that callers without one still can.
 *
 * @param now - milliseconds since the epoch
 */
export function certificateStanding(certificate: X509Certificate, now: number): CertificateStanding {
  const [from, until] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
  // A date that cannot be read compares as false: the certificate then counts as over.
  if (!(now <= until)) return 'expired';
  return now >= from ? 'valid' : 'early';
}
