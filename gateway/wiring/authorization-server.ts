import type { IncomingMessage } from 'node:http';
import type { Egress } from '../../connectors/egress.js';
import type { Recorder } from '../audit/record.js';
import type { RefusalFlood } from '../audit/refusal-flood.js';
import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { Logger } from '../base/log.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import { AddressSet } from '../base/address-set.js';
import { clientAddress } from '../http/client-address.js';
import type { ClientCertificates } from '../http/client-certificate.js';
import { type AuthorizationServer, createAuthorizationServer } from '../identity/authorization-server.js';
import { type ExternalProvider, externalProvider } from '../identity/external-provider.js';
import type { KeyRing } from '../identity/key-ring.js';
import type { PersonDirectory } from '../identity/person-directory.js';
import type { Sealing } from '../identity/sealing.js';
import { clientDirectory } from '../pipeline/client-directory.js';
import { createSignInPages } from '../sign-in/sign-in.js';
import { egressFetch } from './egress-fetch.js';
import { noteRefusedToken } from './refused-tokens.js';
import type { Database } from '../store/database.js';

export interface AuthorizationServerParts {
  readonly config: Config;
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly sealing: Sealing;
  readonly keyRing: KeyRing;
  readonly recorder: Recorder;
  readonly flood: RefusalFlood;
  readonly catalogue: Catalogue;
  readonly certificates: ClientCertificates;
  readonly egress: Egress;
}

/** People as they are now, from memory. */
export function personDirectory(catalogue: Catalogue, clock: Clock): PersonDirectory {
  return {
    find(id) {
      const person = catalogue.person(id);
      if (person === undefined) return undefined;
      const { row, from, until } = person;
      const now = clock.now();
      const agency = catalogue.agency(row.agency_code);
      const agencyInForce = agency !== undefined && agency.from <= now && now < agency.until;
      const inForce = row.state === 'active' && from <= now && now < until && agencyInForce;
      return { id: row.id, agency: row.agency_code, name: row.name, inForce };
    },
  };
}

function otherProvider({ config, clock, egress }: AuthorizationServerParts): ExternalProvider | null {
  const { identityProvider: settings } = config.people;
  if (settings === undefined) return null;
  return externalProvider(settings, {
    publicUrl: config.publicUrl,
    now: () => clock.now(),
    fetch: (url, { method, headers, body }) =>
      egressFetch(egress, url, {
        method: method === 'POST' ? 'POST' : 'GET',
        headers,
        ...(body === undefined ? {} : { body }),
      }),
  });
}

/** The authorization server with the pages on which people sign in. */
export function openAuthorizationServer(parts: AuthorizationServerParts): AuthorizationServer {
  const { config, catalogue, clock, certificates, sealing } = parts;
  const people = personDirectory(catalogue, clock);
  const trusted = new AddressSet(config.trustedProxies);
  const addressOf = (request: IncomingMessage): string => clientAddress(request, trusted);
  return createAuthorizationServer({
    ...parts,
    addressOf,
    people,
    pages: createSignInPages({
      ...parts,
      people,
      external: otherProvider(parts),
      addressOf,
      refresh: () => catalogue.refresh(),
    }),
    refused: noteRefusedToken(parts),
    clients: clientDirectory(catalogue, clock),
    certificateOf: (request) => certificates.of(request),
    nonceSecret: sealing.derive('dpop-nonce/token-endpoint'),
  });
}
