import type { Config } from '../base/config.js';
import { member } from '../catalogue/json-tree.js';
import { servicePath } from './language.js';
import type { Entry } from './listing.js';
import { WORDS } from './words.js';

/** RFC 9727, section 4.2 */
export const API_CATALOGUE_TYPE =
  'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"';
/** RFC 9727, section 3: said in the header too, for those who ask with HEAD. */
export const API_CATALOGUE_LINK = '</.well-known/api-catalog>; rel="api-catalog"';

/**
 * RFC 9728: what a client must know of a resource.
 *
 * @param metadata the authorization server's own (RFC 8414): a resource claims no more than tokens can carry
 */
export function protectedResource(
  config: Config,
  path: '/data' | '/api',
  metadata: object,
): Record<string, unknown> {
  const { publicUrl, platform } = config;
  const name = path === '/data' ? WORDS.dataServices : WORDS.management;
  const proofs = member(metadata, 'dpop_signing_alg_values_supported');
  return {
    resource: publicUrl + path,
    authorization_servers: [`${publicUrl}/oidc`],
    bearer_methods_supported: ['header'],
    resource_name: `${name.en} – ${platform.agencyName}`,
    'resource_name#vi': `${name.vi} – ${platform.agencyName}`,
    resource_documentation: path === '/data' ? `${publicUrl}/docs/` : `${publicUrl}/docs/api`,
    ...(Array.isArray(proofs)
      ? { dpop_signing_alg_values_supported: proofs, dpop_bound_access_tokens_required: false }
      : {}),
    tls_client_certificate_bound_access_tokens:
      member(metadata, 'tls_client_certificate_bound_access_tokens') === true,
  };
}

interface Target {
  readonly href: string;
  readonly type?: string;
  readonly 'title*'?: readonly { readonly value: string; readonly language: string }[];
}

interface Described {
  readonly anchor: string;
  readonly 'service-desc': readonly Target[];
  readonly 'service-doc': readonly Target[];
}

function described(publicUrl: string, anchor: string, doc: string): Described {
  return {
    anchor,
    'service-desc': [{ href: `${publicUrl}${doc}/openapi.json`, type: 'application/json' }],
    'service-doc': [{ href: publicUrl + doc, type: 'text/html' }],
  };
}

/** RFC 9727: every service that can be called, and the management API, as a linkset (RFC 9264). */
export function apiCatalogue(config: Config, entries: readonly Entry[]): Record<string, unknown> {
  const { publicUrl } = config;
  const services = entries
    .filter(({ state }) => state !== 'retired')
    .map(({ service }) => ({
      title: service.manifest.title,
      described: described(
        publicUrl,
        servicePath(`${publicUrl}/data`, service.id),
        servicePath('/docs', service.id),
      ),
    }));
  const all = [
    ...services,
    { title: WORDS.management.vi, described: described(publicUrl, `${publicUrl}/api`, '/docs/api') },
  ];
  const item = all.map(
    ({ title, described: { anchor } }): Target => ({
      href: anchor,
      'title*': [{ value: title, language: 'vi' }],
    }),
  );
  const catalogue = { anchor: `${publicUrl}/.well-known/api-catalog`, item };
  return { linkset: [catalogue, ...all.map((one) => one.described)] };
}
