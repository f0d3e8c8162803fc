import type { Config } from '../base/config.js';
import { DPOP_ALGORITHMS } from './dpop-proof.js';
import { issuerOf, resourcesOf } from './resources.js';

/** How a client may prove itself. A system is registered for none in particular. */
export const AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'self_signed_tls_client_auth',
  // Applications in which people sign in are public clients; no system is.
  'none',
] as const;

/** With which a client may sign its assertion. */
export const AUTH_SIGNING_ALGORITHMS = ['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'] as const;

/** The metadata of the authorization server, RFC 8414 and OpenID Connect Discovery 1.0. */
export interface ServerMetadata {
  readonly issuer: string;
  /** For people: code with PKCE, S256 only. */
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  readonly jwks_uri: string;
  readonly end_session_endpoint: string;
  readonly grant_types_supported: readonly string[];
  readonly response_types_supported: readonly string[];
  readonly response_modes_supported: readonly string[];
  readonly code_challenge_methods_supported: readonly string[];
  readonly scopes_supported: readonly string[];
  readonly ui_locales_supported: readonly string[];
  /** RFC 9207. */
  readonly authorization_response_iss_parameter_supported: boolean;
  readonly subject_types_supported: readonly string[];
  readonly id_token_signing_alg_values_supported: readonly string[];
  readonly token_endpoint_auth_methods_supported: readonly string[];
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[];
  /** RFC 9449 section 5.1. */
  readonly dpop_signing_alg_values_supported: readonly string[];
  /** RFC 8705 section 3.3. */
  readonly tls_client_certificate_bound_access_tokens: boolean;
  /** RFC 9728 section 4. */
  readonly protected_resources: readonly string[];
}

type MetadataSettings = Pick<Config, 'publicUrl' | 'tls' | 'clientCertificateHeader'>;

/** Says what is offered and nothing else; every address rests on `publicUrl`, none on the request. */
export function serverMetadata({ publicUrl, ...config }: MetadataSettings): ServerMetadata {
  const certificates = config.tls !== undefined || config.clientCertificateHeader !== undefined;
  const issuer = issuerOf(publicUrl);
  const { data, api } = resourcesOf(publicUrl);
  return {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    end_session_endpoint: `${issuer}/session/end`,
    grant_types_supported: ['client_credentials', 'authorization_code', 'refresh_token'],
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid'],
    ui_locales_supported: ['vi', 'en'],
    authorization_response_iss_parameter_supported: true,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    token_endpoint_auth_methods_supported: AUTH_METHODS.filter(
      (method) => certificates || method !== 'self_signed_tls_client_auth',
    ),
    token_endpoint_auth_signing_alg_values_supported: AUTH_SIGNING_ALGORITHMS,
    dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
    tls_client_certificate_bound_access_tokens: certificates,
    protected_resources: [data, api],
  };
}
