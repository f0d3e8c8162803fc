/** The names under which tokens are issued and accepted; all rest on the address that callers use. */

/** The `iss` of every token: the authorization server. */
export function issuerOf(publicUrl: string): string {
  return `${publicUrl}/oidc`;
}

/** The two resources (RFC 8707) a token can be for, hence its `aud`. */
export interface Resources {
  /** The published data services, and their sandbox. */
  readonly data: string;
  /** The management API. */
  readonly api: string;
}

export function resourcesOf(publicUrl: string): Resources {
  return { data: `${publicUrl}/data`, api: `${publicUrl}/api` };
}

/** RFC 9728: where a refused caller learns how to get a token. */
export function resourceMetadataUrl(publicUrl: string): string {
  return `${publicUrl}/.well-known/oauth-protected-resource`;
}

/** The claim of our tokens that names the key or secret the client proved. */
export const CREDENTIAL_CLAIM = 'credential';

/** The claim of people's tokens that names the session in which they were given. */
export const SESSION_CLAIM = 'session';
