import jwt from 'jsonwebtoken';

/** What a token says of itself, where it looks like an identifier. Members in the order of their names. */
export interface Claimed {
  client?: string;
  issuer?: string;
  kid?: string;
}

const SCHEME = /^(?:bearer|dpop) +([A-Za-z0-9\-._~+/=]{1,8192})$/i;
const NAME = /^[A-Za-z0-9._:@-]{1,64}$/;
const ISSUER = /^https?:\/\/[A-Za-z0-9.:[\]-]{1,120}(?:\/[A-Za-z0-9._~/-]{0,100})?$/;

function decoded(text: string): jwt.Jwt | null {
  try {
    return jwt.decode(text, { complete: true });
  } catch {
    return null;
  }
}

const fitting = (value: unknown, form: RegExp): string | undefined =>
  typeof value === 'string' && form.test(value) ? value : undefined;

/**
 * For the record of a token that was refused: who it says it is for, from and signed by. Whatever does not look like
 * a name is left out, so that nothing else a stranger puts there is kept.
 *
 * @returns undefined for what is no JWT, or names nobody
 */
export function claimedBy(authorization: string | undefined): Claimed | undefined {
  const text = authorization === undefined ? undefined : SCHEME.exec(authorization)?.[1];
  const token = text === undefined ? null : decoded(text);
  if (token === null || typeof token.payload !== 'object' || token.payload === null) return undefined;
  const { payload, header } = token;
  const client = fitting(payload['client_id'] ?? payload['azp'], NAME);
  const issuer = fitting(payload.iss, ISSUER);
  const kid = fitting(header.kid, NAME);
  if ((client ?? issuer ?? kid) === undefined) return undefined;
  return {
    ...(client === undefined ? {} : { client }),
    ...(issuer === undefined ? {} : { issuer }),
    ...(kid === undefined ? {} : { kid }),
  };
}
