import type { AdapterPayload } from 'oidc-provider';
import type { Knex } from 'knex';
import { type Config, ConfigError } from '../base/config.js';
import { findPerson } from '../store/people.js';
import { findSystem } from '../store/systems.js';

/** The client in which officials work; its pages are at `/console/`. */
export const CONSOLE = 'console';

/**
 * The applications in which people sign in: public clients, authorization code with PKCE. They are settings, not
 * systems: nothing can be called in their own name.
 */
export function signInClients({
  publicUrl,
  people,
}: Pick<Config, 'publicUrl' | 'people'>): ReadonlyMap<string, AdapterPayload> {
  const own = {
    id: CONSOLE,
    name: 'LGSP',
    redirectUris: [`${publicUrl}/console/callback`],
    postLogoutRedirectUris: [`${publicUrl}/console/`],
  };
  return new Map([...people.clients, own].map((client) => [client.id, metadata(client)]));
}

/**
 * An id that a system or a person has already would make one look like the other, in tokens and in the record.
 *
 * @throws ConfigError naming it
 */
export async function assertClientIdsFree(knex: Knex, clients: Iterable<string>): Promise<void> {
  for (const id of clients)
    if ((await findSystem(knex, id)) !== undefined || (await findPerson(knex, id)) !== undefined)
      throw new ConfigError(`people.clients: a system or a person is called ${id} already`);
}

function metadata(client: Config['people']['clients'][number]): AdapterPayload {
  return {
    client_id: client.id,
    client_name: client.name,
    redirect_uris: [...client.redirectUris],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris],
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    // Programs of the command line listen on a port of this machine (RFC 8252 section 7.3).
    application_type: client.redirectUris.every((uri) => /^http:\/\/(127\.0\.0\.1|\[::1\])/.test(uri))
      ? 'native'
      : 'web',
  };
}
