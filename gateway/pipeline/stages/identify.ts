import { Problem } from '../../base/problem.js';
import type { Exchange, Stage } from '../../base/exchange.js';
import type { AgencyEntry, Catalogue, SystemEntry } from '../../catalogue/catalogue.js';
import type { TokenVerifier } from '../../identity/token.js';
import type { Limits } from '../limits.js';

interface Identified extends Exchange {
  system: SystemEntry | null;
  agency: AgencyEntry | null;
}

export interface IdentifyParts {
  readonly tokens: TokenVerifier;
  readonly catalogue: Catalogue;
  readonly limits: Limits;
  /** The resource a token must have been issued for. */
  readonly audience: string;
}

function unknownClient(clientId: string): Problem {
  return new Problem('token_invalid', {
    detail: {
      vi: 'Mã truy cập thuộc về một hệ thống chưa đăng ký tại đây.',
      en: 'The token belongs to a system that is not registered here.',
    },
    rule: { kind: 'system', id: clientId, state: 'unknown' },
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}

/** Who is calling: the token is verified, then the system and its agency are looked up as they are now. */
export function identify<X extends Identified>(parts: IdentifyParts): Stage<X> {
  return {
    name: 'identify',
    needs: [],
    gives: ['caller', 'system', 'agency'],
    async run(exchange) {
      try {
        const verified = parts.tokens.verify(exchange.header('authorization'), parts.audience);
        const token = verified instanceof Promise ? await verified : verified;
        const system = parts.catalogue.system(token.clientId);
        if (system === undefined) throw unknownClient(token.clientId);
        exchange.system = system;
        exchange.agency = parts.catalogue.agency(system.row.agency_code) ?? null;
        exchange.caller = {
          system: system.row.id,
          agency: system.row.agency_code,
          roles: system.roles,
          tokenId: token.tokenId,
          ...(token.keyId === undefined ? {} : { keyId: token.keyId }),
        };
      } catch (error) {
        // Guessing costs the address that guesses.
        await parts.limits.stranger(exchange.request.address);
        throw error;
      }
    },
  };
}
