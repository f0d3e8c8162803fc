import type { Config } from '../../base/config.js';
import { Problem } from '../../base/problem.js';
import type { Exchange, Stage } from '../../base/exchange.js';
import type { AgencyEntry, Catalogue, PersonEntry, SystemEntry } from '../../catalogue/catalogue.js';
import type { TokenVerifier, VerifiedToken } from '../../identity/token.js';
import { senderRequired } from '../sender-required.js';
import type { Limits } from '../limits.js';

interface Identified extends Exchange {
  system: SystemEntry | null;
  agency: AgencyEntry | null;
  /** Only where people may call. */
  person?: PersonEntry | null;
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

function foreignPerson(user: string, state: 'unknown' | 'ended'): Problem {
  const ended = state === 'ended';
  return new Problem('token_invalid', {
    detail: {
      vi: ended
        ? 'Phiên đăng nhập đã kết thúc; hãy đăng nhập lại.'
        : 'Mã truy cập thuộc về một người không có tài khoản dùng được ở đây.',
      en: ended
        ? 'The session has ended; sign in again.'
        : 'The token belongs to a person who has no account for this.',
    },
    rule: { kind: 'person', id: user, state },
    headers: { 'WWW-Authenticate': 'Bearer error="invalid_token"' },
  });
}

/** What the record keeps of a token, whoever holds it. */
function proofOf({ tokenId, keyId, boundTo }: VerifiedToken) {
  return {
    tokenId,
    ...(keyId === undefined ? {} : { keyId }),
    ...(boundTo === undefined ? {} : { boundTo }),
  };
}

/** Looks up the person who signed in; the session must not have been ended since. */
function acceptPerson(exchange: Identified, token: VerifiedToken, user: string, catalogue: Catalogue): void {
  const person = catalogue.person(user);
  if (person === undefined || exchange.person === undefined) throw foreignPerson(user, 'unknown');
  exchange.person = person;
  exchange.agency = catalogue.agency(person.row.agency_code) ?? null;
  exchange.caller = {
    system: token.clientId,
    agency: person.row.agency_code,
    roles: person.roles,
    user,
    ...(token.session === undefined ? {} : { session: token.session }),
    ...proofOf(token),
  };
  if (token.session === undefined || person.ended.has(token.session)) throw foreignPerson(user, 'ended');
}

/** Looks up the system that a token names. */
function acceptSystem(
  exchange: Identified,
  token: VerifiedToken,
  { catalogue, config }: IdentifyParts,
): void {
  const { publicUrl } = config;
  const system = catalogue.system(token.clientId);
  if (system === undefined) throw unknownClient(token.clientId);
  exchange.system = system;
  exchange.agency = catalogue.agency(system.row.agency_code) ?? null;
  exchange.caller = {
    system: system.row.id,
    agency: system.row.agency_code,
    roles: system.roles,
    ...proofOf(token),
  };
  // Known by now, so that the record says whose token it was.
  if (Boolean(system.row.require_bound) && token.boundTo === undefined)
    throw senderRequired('system', system.row.id, publicUrl);
  assertFromAllowed(system, exchange.request.address);
}

/** The list itself is nobody's business but its owner's. */
function assertFromAllowed({ row, addresses }: SystemEntry, address: string): void {
  if (addresses === null || addresses.has(address)) return;
  throw new Problem('address_not_allowed', {
    rule: { kind: 'system', id: row.id, state: 'address_not_listed', address },
  });
}

/** Who holds the token, and their agency, as they are now. */
function accept(exchange: Identified, token: VerifiedToken, parts: IdentifyParts): void {
  if (token.nextNonce !== undefined) exchange.extraHeaders['DPoP-Nonce'] = token.nextNonce;
  if (token.user === undefined) acceptSystem(exchange, token, parts);
  else acceptPerson(exchange, token, token.user, parts.catalogue);
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
