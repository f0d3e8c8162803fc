import type { AdapterPayload } from 'oidc-provider';
import type { Config } from '../base/config.js';

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
