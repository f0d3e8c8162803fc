import type { Config } from '../base/config.js';
import { html, type Markup, type Part, prose } from './html.js';
import { type Language, linkTo, servicePath } from './language.js';
import { breadcrumb, layout, type PageParts } from './layout.js';
import type { Entry } from './listing.js';
import {
  baseAddress,
  endingBadge,
  sandbox,
  serviceFacts,
  sharingBadge,
  stateBadge,
} from './service-facts.js';
import { SHARING_MEANS, WORDS } from './words.js';

interface ReferenceParts {
  readonly head: Part;
  /** Where the OpenAPI document is. */
  readonly documentPath: string;
  /** The resource that tokens for these operations are asked for. */
  readonly resource: string;
}

/** Swagger UI on one document; `reference.js` reads what it needs from the element. */
function reference(
  language: Language,
  publicUrl: string,
  { head, documentPath, resource }: ReferenceParts,
): Markup {
  return html`${head}
<div class="reference-bar"><p class="hint">${prose(WORDS.tryIt[language])}</p>
<p class="download"><a href="${documentPath}" download="openapi.json">${WORDS.download[language]}</a></p></div>
<noscript><p class="notice">${WORDS.withoutScript[language]}</p></noscript>
<div id="swagger-ui" data-document="${documentPath}" data-public-url="${publicUrl}" data-resource="${resource}"></div>`;
}

function page(parts: Omit<PageParts, 'styles' | 'scripts'>): Markup {
  return layout({
    ...parts,
    styles: ['swagger-ui.css', 'swagger-ui-theme.css'],
    scripts: ['copy.js', 'swagger-ui-bundle.js', 'reference.js'],
  });
}

/** One service: what it is, on which terms, and its operations to read and try. */
export function servicePage(language: Language, config: Config, entry: Entry): Markup {
  const { service, agency, state } = entry;
  const { title, sharing, provider, description } = service.manifest;
  const path = servicePath('/docs', service.id);
  const catalogue = linkTo(language, '/docs/');
  const head = html`${breadcrumb(language, [
    [WORDS.services[language], catalogue],
    [agency, linkTo(language, '/docs/', { provider })],
    [title, null],
  ])}
<div class="intro"><h1>${title}</h1>
<p class="agency">${agency} <span class="agency-code">${provider}</span></p>
<p class="badges">${stateBadge(language, entry)} ${endingBadge(language, entry)} ${sharingBadge(language, sharing)} ${state === 'published' && html`<span class="hint">${SHARING_MEANS[sharing][language]}</span>`}</p>
${description !== undefined && html`<p class="description-full">${description}</p>`}
${serviceFacts(language, entry, 'all')}
${baseAddress(language, config.publicUrl, entry)}
${state === 'published' && sandbox(language, config.publicUrl, entry)}</div>`;
  const main = reference(language, config.publicUrl, {
    head,
    documentPath: `${path}/openapi.json`,
    resource: `${config.publicUrl}/data`,
  });
  return page({ language, title, section: 'services', owner: config.platform.agencyName, path, main });
}

/** The management API, the same way. */
export function managementPage(language: Language, config: Config): Markup {
  const title = WORDS.management[language];
  const head = html`<div class="intro"><h1>${title}</h1><p>${WORDS.managementLead[language]}</p></div>`;
  const main = reference(language, config.publicUrl, {
    head,
    documentPath: '/docs/api/openapi.json',
    resource: `${config.publicUrl}/api`,
  });
  return page({
    language,
    title,
    section: 'management',
    owner: config.platform.agencyName,
    path: '/docs/api',
    main,
  });
}
