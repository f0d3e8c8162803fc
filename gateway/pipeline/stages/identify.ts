import { Problem } from '../../base/problem.js';
import type { Exchange, Stage } from '../../base/exchange.js';
import type { AgencyEntry, Catalogue, SystemEntry } from '../../catalogue/catalogue.js';
import type { TokenVerifier, VerifiedToken } from '../../identity/token.js';
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

/** Looks up the system that a token names, and its agency, as they are now. */
function accept(exchange: Identified, token: VerifiedToken, catalogue: Catalogue): void {
  const system = catalogue.system(token.clientId);
  if (system === undefined) throw unknownClient(token.clientId);
  exchange.system = system;
  exchange.agency = catalogue.agency(system.row.agency_code) ?? null;
  exchange.caller = {
    system: system.row.id,
    agency: system.row.agency_code,
    roles: system.roles,
    tokenId: token.tokenId,
    ...(token.keyId === undefined ? {} : { keyId: token.keyId }),
  };
}

/** Who is calling: the token is verified, then the system and its agency are looked up as they are now. */
export function identify<X extends Identified>({
  tokens,
  catalogue,
  limits,
  audience,
}: IdentifyParts): Stage<X> {
  // Guessing costs the address that guesses.
  const refuse = async (exchange: X, error: unknown): Promise<never> => {
    await limits.stranger(exchange.request.address);
    throw error;
  };
  return {
    name: 'identify',
    needs: [],
    gives: ['caller', 'system', 'agency'],
    run(exchange) {
      try {
        const token = tokens.verify(exchange.header('authorization'), audience);
        if (token instanceof Promise)
          return token
            .then((known) => accept(exchange, known, catalogue))
            .catch((error: unknown) => refuse(exchange, error));
        accept(exchange, token, catalogue);
        return undefined;
      } catch (error) {
        return refuse(exchange, error);
      }
    },
  };
}
