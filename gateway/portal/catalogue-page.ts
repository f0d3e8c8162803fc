import type { Config } from '../base/config.js';
import { html, type Markup, type Part } from './html.js';
import { type Language, linkTo, servicePath } from './language.js';
import { layout } from './layout.js';
import { type Entry, type Filter, filterOf, type ListedPage, type Listing } from './listing.js';
import { quickStart } from './quick-start.js';
import { baseAddress, endingBadge, serviceFacts, sharingBadge, stateBadge } from './service-facts.js';
import { SHARING, WORDS } from './words.js';

type Query = Readonly<Record<string, string | undefined>>;

function asQuery({ q, sharing, provider }: Filter): Record<string, string | undefined> {
  return { q, sharing: sharing ?? undefined, provider: provider ?? undefined };
}

const isFiltering = ({ q, sharing, provider }: Filter): boolean =>
  q !== '' || sharing !== null || provider !== null;

function option(value: string, label: string, chosen: string | null): Markup {
  return html`<option value="${value}"${value === (chosen ?? '') && html` selected`}>${label}</option>`;
}

function searchForm(language: Language, filter: Filter, providers: Listing['providers']): Markup {
  const all = option('', WORDS.all[language], null);
  const sharing = (['default', 'special'] as const).map((value) =>
    option(value, SHARING[value][language], filter.sharing),
  );
  const agencies = providers().map(([code, name]) => option(code, name, filter.provider));
  return html`<form class="search" role="search" action="/docs/" method="get" data-live="#results">
<div class="field field-q"><label for="q">${WORDS.search[language]}</label>
<input id="q" name="q" type="search" value="${filter.q}" maxlength="200" autocomplete="off" spellcheck="false" aria-describedby="q-hint">
<p class="hint" id="q-hint">${WORDS.searchHint[language]}</p></div>
<div class="field"><label for="sharing">${WORDS.sharing[language]}</label>
<select id="sharing" name="sharing">${all}${sharing}</select></div>
<div class="field"><label for="provider">${WORDS.provider[language]}</label>
<select id="provider" name="provider">${all}${agencies}</select></div>
${language !== 'vi' && html`<input type="hidden" name="lang" value="${language}">`}
<div class="field field-go"><button type="submit">${WORDS.find[language]}</button></div>
</form>`;
}

function card(language: Language, publicUrl: string, entry: Entry): Markup {
  const { title, description, sharing } = entry.service.manifest;
  const href = linkTo(language, servicePath('/docs', entry.service.id));
  return html`<li><article class="card${entry.state === 'retired' && ' card-retired'}">
<div class="card-head"><h3><a href="${href}">${title}</a></h3>
<p class="badges">${stateBadge(language, entry)} ${endingBadge(language, entry)} ${sharingBadge(language, sharing)}</p></div>
${description !== undefined && html`<p class="description">${description}</p>`}
${serviceFacts(language, entry, 'short')}
<div class="card-foot">${baseAddress(language, publicUrl, entry)}
<p class="more"><a href="${href}" aria-label="${WORDS.reference[language]}: ${title}">${WORDS.reference[language]}</a></p></div>
</article></li>`;
}

/** Entries that follow one another and have one provider, together. */
function byProvider(entries: readonly Entry[]): readonly (readonly [Entry, ...Entry[]])[] {
  const groups: [Entry, ...Entry[]][] = [];
  for (const entry of entries) {
    const last = groups.at(-1);
    if (last?.[0].service.manifest.provider === entry.service.manifest.provider) last.push(entry);
    else groups.push([entry]);
  }
  return groups;
}

function group(
  language: Language,
  publicUrl: string,
  entries: readonly [Entry, ...Entry[]],
  index: number,
): Markup {
  const { agency, service } = entries[0];
  const id = `group-${index}`;
  return html`<section class="group" aria-labelledby="${id}">
<h2 id="${id}">${agency} <span class="agency-code">${service.manifest.provider}</span></h2>
<ul class="cards">${entries.map((entry) => card(language, publicUrl, entry))}</ul></section>`;
}

function pager(language: Language, filter: Filter, { page, pages }: ListedPage): Part {
  if (pages === 1) return null;
  const to = (target: number, label: string, rel: string): Markup =>
    html`<a rel="${rel}" href="${linkTo(language, '/docs/', { ...asQuery(filter), page: target })}">${label}</a>`;
  const place = language === 'vi' ? `Trang ${page} / ${pages}` : `Page ${page} of ${pages}`;
  return html`<nav class="pager" aria-label="${WORDS.pages[language]}">
${page > 1 && to(page - 1, `← ${WORDS.previous[language]}`, 'prev')}
<span>${place}</span>
${page < pages && to(page + 1, `${WORDS.next[language]} →`, 'next')}</nav>`;
}

function empty(title: string, more: string, action: Part): Markup {
  return html`<div class="empty"><p class="empty-title">${title}</p><p>${more}</p>${action}</div>`;
}

function results(language: Language, publicUrl: string, filter: Filter, found: ListedPage): Markup {
  const clear = html`<p><a href="${linkTo(language, '/docs/')}">${WORDS.clear[language]}</a></p>`;
  const count = new Intl.NumberFormat(language).format(found.total);
  const services = found.total === 1 ? 'service' : 'services';
  const summary = language === 'vi' ? `${count} dịch vụ` : `${count} ${services}`;
  let body: Part = byProvider(found.entries).map((entries, i) => group(language, publicUrl, entries, i));
  if (found.total === 0) {
    body = isFiltering(filter)
      ? empty(WORDS.nothingFound[language], WORDS.nothingFoundMore[language], clear)
      : empty(WORDS.nothingPublished[language], WORDS.nothingPublishedMore[language], null);
  }
  return html`<div id="results">
<p class="count" role="status">${summary}</p>
${body}
${pager(language, filter, found)}</div>`;
}

/** The list of services: works without scripts, by GET parameters alone. */
export function cataloguePage(language: Language, listing: Listing, config: Config, query: Query): Markup {
  const filter = filterOf(query);
  const found = listing.find(filter);
  const main = html`<div class="intro"><h1>${WORDS.catalogueTitle[language]}</h1>
<p>${WORDS.catalogueLead[language]}</p></div>
<div class="columns"><div class="column-list">
${searchForm(language, filter, () => listing.providers())}
${results(language, config.publicUrl, filter, found)}
</div>
${quickStart(language, config.publicUrl, listing.entries())}
</div>`;
  return layout({
    language,
    title: WORDS.catalogueTitle[language],
    section: 'services',
    owner: config.platform.agencyName,
    path: '/docs/',
    query: { ...asQuery(filter), page: filter.page === 1 ? undefined : String(filter.page) },
    main,
    scripts: ['copy.js', 'live-search.js'],
  });
}
