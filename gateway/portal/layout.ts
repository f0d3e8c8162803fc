import { html, type Markup, type Part } from './html.js';
import { type Language, linkTo } from './language.js';
import { WORDS } from './words.js';

export type Section = 'services' | 'management' | 'refusals';

export interface PageParts {
  readonly language: Language;
  readonly title: string;
  readonly section: Section;
  /** Who runs the gateway. */
  readonly owner: string;
  /** This page's own path and query, for the language switch. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly main: Part;
  /** Style sheets and scripts beside the common ones, as files under `/docs/assets/`. */
  readonly styles?: readonly string[];
  readonly scripts?: readonly string[];
}

const SECTIONS: readonly (readonly [Section, string])[] = [
  ['services', '/docs/'],
  ['management', '/docs/api'],
  ['refusals', '/problems/'],
];

function navigation({ language, section }: PageParts): Markup {
  const items = SECTIONS.map(
    ([name, path]) =>
      html`<li><a href="${linkTo(language, path)}"${name === section && html` aria-current="true"`}>${WORDS[name][language]}</a></li>`,
  );
  return html`<nav class="sections" aria-label="${WORDS.menu[language]}"><ul>${items}
<li><a href="${linkTo(language, '/docs/')}#start">${WORDS.start[language]}</a></li></ul></nav>`;
}

function languageSwitch({ language, path, query }: PageParts): Markup {
  const other = language === 'vi' ? 'en' : 'vi';
  const target = linkTo(other, path, query);
  const name = other === 'en' ? 'English' : 'Tiếng Việt';
  return html`<a class="language" data-language href="${target}" hreflang="${other}" lang="${other}">${name}</a>`;
}

function header(page: PageParts): Markup {
  const { language, owner } = page;
  return html`<header class="top"><div class="wide top-row">
<a class="brand" href="${linkTo(language, '/docs/')}"><img src="/docs/assets/mark.svg" alt="" width="44" height="44">
<span><span class="brand-owner">${owner}</span><span class="brand-name">${WORDS.platform[language]}</span></span></a>
${languageSwitch(page)}</div>
<div class="wide">${navigation(page)}</div></header>`;
}

function footer({ language, owner }: PageParts): Markup {
  return html`<footer class="bottom"><div class="wide">
<p><strong>${owner}</strong><br>${WORDS.platform[language]} · ${WORDS.portal[language]}</p>
<ul><li><a href="/.well-known/api-catalog">api-catalog</a></li>
<li><a href="/.well-known/oauth-authorization-server/oidc">oauth-authorization-server</a></li>
<li><a href="/.well-known/oauth-protected-resource/data">oauth-protected-resource</a></li></ul>
</div></footer>`;
}

/** A whole page. */
export function layout(page: PageParts): Markup {
  const { language, title, main, styles = [], scripts = [] } = page;
  const sheets = [...styles, 'portal.css'].map(
    (file) => html`<link rel="stylesheet" href="/docs/assets/${file}">\n`,
  );
  const code = scripts.map((file) => html`<script src="/docs/assets/${file}" defer></script>\n`);
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<title>${title} – ${WORDS.portal[language]}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<link rel="icon" href="/docs/assets/mark.svg" type="image/svg+xml">
${sheets}${code}</head>
<body>
<a class="skip" href="#main">${WORDS.skip[language]}</a>
${header(page)}
<main id="main" class="wide" tabindex="-1">
${main}
</main>
${footer(page)}
</body>
</html>
`;
}

/** Where the reader is; the last step is this page. */
export function breadcrumb(language: Language, steps: readonly (readonly [string, string | null])[]): Markup {
  const items = steps.map(([name, href]) =>
    href === null ? html`<li aria-current="page">${name}</li>` : html`<li><a href="${href}">${name}</a></li>`,
  );
  return html`<nav class="crumbs" aria-label="${WORDS.breadcrumb[language]}"><ol>${items}</ol></nav>`;
}

/** A button that copies a text, named after it or after what it is; it shows up where scripts run. */
export function copyButton(language: Language, text: string, name = text): Markup {
  return html`<button type="button" class="copy" hidden data-copy="${text}" data-copied="${WORDS.copied[language]}" aria-label="${WORDS.copy[language]}: ${name}">${WORDS.copy[language]}</button>`;
}
