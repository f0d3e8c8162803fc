import type { Clock } from '../base/clock.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { ClientCredential, ClientDirectory } from '../identity/client-directory.js';
import type { CredentialRow } from '../store/systems.js';

function credentialOf(row: CredentialRow): ClientCredential {
  const { id, kind } = row;
  if (kind === 'secret') return { id, kind, secretSha256: row.secret_sha256 ?? '' };
  if (kind === 'certificate') return { id, kind, thumbprint: row.certificate_sha256 ?? '' };
  return { id, kind, publicJwk: JSON.parse(row.public_jwk ?? '{}') as Record<string, unknown> };
}

/** Systems are the authorization server's clients; what it asks is answered from memory. */
export function clientDirectory(catalogue: Catalogue, clock: Clock): ClientDirectory {
  return {
    find(clientId) {
      const system = catalogue.system(clientId);
      if (system === undefined) return Promise.resolve(undefined);
      const now = clock.now();
      const { row, roles, credentials, addresses } = system;
      const valid = credentials.filter(
        (one) => one.revoked_at === null && (one.expires_at ?? Number.POSITIVE_INFINITY) > now,
      );
      return Promise.resolve({
        id: row.id,
        agency: row.agency_code,
        name: row.name,
        roles,
        state: row.state,
        mayCallFrom: (address) => addresses === null || addresses.has(address),
        credentials: valid.map((credential) => credentialOf(credential)),
      });
    },
  };
}
