import type { Config } from '../../base/config.js';
import { Problem } from '../../base/problem.js';
import type { Exchange, Stage } from '../../base/exchange.js';
import type { AgencyEntry, Catalogue, SystemEntry } from '../../catalogue/catalogue.js';
import type { TokenVerifier, VerifiedToken } from '../../identity/token.js';
import { senderRequired } from '../sender-required.js';
import type { Limits } from '../limits.js';

interface Identified extends Exchange {
  system: SystemEntry | null;
  agency: AgencyEntry | null;
}

export interface IdentifyParts {
  readonly tokens: TokenVerifier;
  readonly catalogue: Catalogue;
  readonly limits: Limits;
  readonly config: Pick<Config, 'publicUrl'>;
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
function accept(exchange: Identified, token: VerifiedToken, { catalogue, config }: IdentifyParts): void {
  const { publicUrl } = config;
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
    ...(token.boundTo === undefined ? {} : { boundTo: token.boundTo }),
  };
  if (token.nextNonce !== undefined) exchange.extraHeaders['DPoP-Nonce'] = token.nextNonce;
  // Known by now, so that the record says whose token it was.
  if (Boolean(system.row.require_bound) && token.boundTo === undefined)
    throw senderRequired('system', system.row.id, publicUrl);
}

/** Who is calling: the token is verified, then the system and its agency are looked up as they are now. */
export function identify<X extends Identified>(parts: IdentifyParts): Stage<X> {
  const { tokens, limits, audience } = parts;
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
        const token = tokens.verify(exchange.header('authorization'), audience, exchange.request);
        if (token instanceof Promise)
          return token
            .then((known) => accept(exchange, known, parts))
            .catch((error: unknown) => refuse(exchange, error));
        accept(exchange, token, parts);
        return undefined;
      } catch (error) {
        return refuse(exchange, error);
      }
    },
  };
}
