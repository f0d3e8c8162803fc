import { Secret, TOTP } from 'otpauth';

const PERIOD_SECONDS = 30;
/** Steps before and after: clocks of telephones are not exact. */
const WINDOW = 1;
const ISSUER_WORDS = 'LGSP';

function totpOf(secret: string, account: string, installation: string): TOTP {
  return new TOTP({
    issuer: `${ISSUER_WORDS} ${installation}`,
    label: account,
    secret: Secret.fromBase32(secret),
    algorithm: 'SHA1',
    digits: 6,
    period: PERIOD_SECONDS,
  });
}

/** 160 random bits, base32 (RFC 4226 section 4, R6). */
export function newCodeSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What an authenticator application reads from its picture: `otpauth://totp/…`. */
export function codeUri(secret: string, account: string, installation: string): string {
  return totpOf(secret, account, installation).toString();
}

/**
 * RFC 6238 with SHA-1, 6 digits, 30 seconds, which every authenticator application does.
 *
 * @returns the time step whose code it is, to be used once; null for a wrong one
 */
export function codeStep(secret: string, code: string, now: number): number | null {
  const token = code.replace(/\s/g, '');
  if (!/^[0-9]{6}$/.test(token)) return null;
  const delta = totpOf(secret, 'x', 'x').validate({ token, timestamp: now, window: WINDOW });
  return delta === null ? null : Math.floor(now / 1000 / PERIOD_SECONDS) + delta;
}
