import type { Config } from '../base/config.js';
import { managementDocument } from '../catalogue/management-document.js';
import { publicDocument } from '../catalogue/public-document.js';
import { cataloguePage } from './catalogue-page.js';
import { API_CATALOGUE_LINK, API_CATALOGUE_TYPE, apiCatalogue, protectedResource } from './discovery.js';
import { htmlDocument, jsonDocument, type PortalRoute, redirectTo } from './document.js';
import { chosenLanguage, linkTo, negotiatedLanguage } from './language.js';
import { type Entry, Listing, type PortalCatalogue } from './listing.js';
import { problemList, problemPage } from './problem-pages.js';
import { managementPage, servicePage } from './reference-page.js';

export { type PortalAssets, portalAssets } from './assets.js';
export type { PortalRoute, PublicDocument } from './document.js';
export type { PortalCatalogue } from './listing.js';

export interface PortalParts {
  readonly catalogue: PortalCatalogue;
  readonly config: Config;
  /** RFC 8414 metadata of the authorization server at `{publicUrl}/oidc`. */
  readonly metadata: () => object;
}

type Params = Readonly<Record<string, string>>;

function catalogueRoutes({ config }: PortalParts, listing: Listing): PortalRoute[] {
  return [
    { path: '/', render: (_params, { lang }) => redirectTo(linkTo(chosenLanguage(lang), '/docs/')) },
    {
      path: '/docs/',
      render(_params, query) {
        const language = chosenLanguage(query['lang']);
        return htmlDocument(cataloguePage(language, listing, config, query), { language });
      },
    },
  ];
}

/** The management API's own document; its path must be tried before those of the services. */
function managementRoutes({ config }: PortalParts): PortalRoute[] {
  const { publicUrl } = config;
  // Full addresses: a copy taken elsewhere still knows which gateway it speaks of.
  const document = publicDocument(managementDocument(), `${publicUrl}/api`, `${publicUrl}/oidc/token`);
  return [
    {
      path: '/docs/api',
      render(_params, { lang }) {
        const language = chosenLanguage(lang);
        return htmlDocument(managementPage(language, config), { language, swaggerUi: true });
      },
    },
    { path: '/docs/api/openapi.json', render: () => jsonDocument(document) },
  ];
}

function serviceRoutes({ catalogue, config }: PortalParts, listing: Listing): PortalRoute[] {
  const find = (params: Params): Entry | null => {
    const { provider = '', slug = '', version = '' } = params;
    const service = catalogue.service(`${provider}/${slug}/${version}`);
    return service === undefined ? null : listing.entryOf(service);
  };
  return [
    {
      path: '/docs/:provider/:slug/:version',
      render(params, { lang }) {
        const entry = find(params);
        const language = chosenLanguage(lang);
        return entry && htmlDocument(servicePage(language, config, entry), { language, swaggerUi: true });
      },
    },
    {
      path: '/docs/:provider/:slug/:version/openapi.json',
      render(params) {
        const { service } = find(params) ?? {};
        if (service === undefined) return null;
        const { publicUrl } = config;
        return jsonDocument(
          service.contract.publicDocument(`${publicUrl}/data/${service.id}`, `${publicUrl}/oidc/token`),
        );
      },
    },
  ];
}

function problemRoutes({ config, catalogue }: PortalParts): PortalRoute[] {
  return [
    {
      path: '/problems/',
      render(_params, { lang }, acceptLanguage) {
        const language = negotiatedLanguage(lang, acceptLanguage);
        return htmlDocument(problemList(language, config), { language, negotiated: true });
      },
    },
    {
      path: '/problems/:code',
      render({ code = '' }, { lang }, acceptLanguage) {
        const language = negotiatedLanguage(lang, acceptLanguage);
        const page = problemPage(language, config, code, (ref) => catalogue.legalReference(ref));
        return page && htmlDocument(page, { language, negotiated: true });
      },
    },
  ];
}

function discoveryRoutes({ config, metadata }: PortalParts, listing: Listing): PortalRoute[] {
  const server = (): ReturnType<PortalRoute['render']> => jsonDocument(metadata());
  const resource = (path: '/data' | '/api') => (): ReturnType<PortalRoute['render']> =>
    jsonDocument(protectedResource(config, path, metadata()));
  return [
    { path: '/.well-known/oauth-authorization-server', render: server },
    // RFC 8414, section 3.1: where the issuer has a path, it follows the well-known name.
    { path: '/.well-known/oauth-authorization-server/oidc', render: server },
    { path: '/.well-known/oauth-protected-resource', render: resource('/data') },
    { path: '/.well-known/oauth-protected-resource/data', render: resource('/data') },
    { path: '/.well-known/oauth-protected-resource/api', render: resource('/api') },
    {
      path: '/.well-known/api-catalog',
      render: () =>
        jsonDocument(apiCatalogue(config, listing.entries()), API_CATALOGUE_TYPE, {
          link: API_CATALOGUE_LINK,
        }),
    },
  ];
}

/**
 * The public developer portal and the discovery documents.
 *
 * @throws Error when `openapi.yaml` cannot be read
 */
export function createPortal(parts: PortalParts): PortalRoute[] {
  const listing = new Listing(parts.catalogue);
  return [
    ...catalogueRoutes(parts, listing),
    ...managementRoutes(parts),
    ...serviceRoutes(parts, listing),
    ...problemRoutes(parts),
    ...discoveryRoutes(parts, listing),
  ];
}
