import jwt from 'jsonwebtoken';

/** What a token says of itself before anything of it is proved. */
export interface Unproved {
  readonly issuer: string;
  readonly alg: string;
  /** Lower case, without the prefix of media types. */
  readonly typ: string;
  readonly kid: string | undefined;
  /** Whether it demands an extension. */
  readonly critical: boolean;
}

function decode(text: string): jwt.Jwt | null {
  try {
    return jwt.decode(text, { complete: true });
  } catch {
    return null;
  }
}

/** RFC 9068 section 4: the media type may carry its prefix; media types ignore case. */
const mediaType = (typ: unknown): string =>
  typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';

export const isAccessTokenType = (typ: string): boolean => typ === 'at+jwt';

/** Null for what is no JWT. */
export function unproved(text: string): Unproved | null {
  const decoded = decode(text);
  if (decoded === null || typeof decoded.payload !== 'object' || decoded.payload === null) return null;
  const { header, payload } = decoded;
  return {
    issuer: typeof payload.iss === 'string' ? payload.iss : '',
    alg: header.alg,
    typ: mediaType(header.typ),
    kid: typeof header.kid === 'string' ? header.kid : undefined,
    critical: 'crit' in header,
  };
}
