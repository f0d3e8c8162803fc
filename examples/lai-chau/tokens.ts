import { randomUUID } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { issuerOf, resourcesOf } from '../../gateway/identity/resources.js';
import type { Gateway } from '../../gateway/main.js';
import type { SampleTokens } from './calls.js';
import { ELSEWHERE } from './sample-call.js';

const HOUR_S = 3600;
const YEAR_S = 365 * 24 * HOUR_S;

interface Wanted {
  readonly client: string;
  readonly agency: string;
  /** Seconds since the epoch. */
  readonly issued: number;
  readonly expires: number;
}

/** Signs what the authorization server would never issue. Only the sample can: it runs in the gateway's own process. */
function sign({ keyRing, config }: Gateway, { client, agency, issued, expires }: Wanted): string {
  const { kid, privateKey } = keyRing.tokenSigner();
  const claims = {
    iss: issuerOf(config.publicUrl),
    aud: resourcesOf(config.publicUrl).data,
    sub: client,
    client_id: client,
    agency,
    jti: randomUUID(),
    iat: issued,
    exp: expires,
  };
  return jwt.sign(claims, privateKey, { algorithm: 'ES256', header: { alg: 'ES256', typ: 'at+jwt', kid } });
}

/**
 * A token past its time, one of a revoked system that would last a year if the gateway believed tokens alone, and one
 * of a system that may only call from another address. None opens anything.
 */
export function sampleTokens(gateway: Gateway, revoked: string, nowMs: number): SampleTokens {
  const now = Math.floor(nowMs / 1000);
  return {
    expired: sign(gateway, {
      client: 'mot-cua-pu-sam-cap',
      agency: 'H35.61',
      issued: now - 2 * HOUR_S,
      expires: now - HOUR_S,
    }),
    elsewhere: sign(gateway, {
      client: ELSEWHERE,
      agency: 'H35.14',
      issued: now - HOUR_S,
      expires: now + YEAR_S,
    }),
    revoked: sign(gateway, {
      client: revoked,
      agency: 'H35.16',
      issued: now - HOUR_S,
      expires: now + YEAR_S,
    }),
  };
}
