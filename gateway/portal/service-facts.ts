import { shownDay, vietnamDay } from '../base/calendar.js';
import type { Manifest } from '../catalogue/manifest.js';
import { html, type Markup, prose } from './html.js';
import { type Language, linkTo, servicePath } from './language.js';
import { copyButton } from './layout.js';
import type { Entry } from './listing.js';
import { curlCommand, exampleCall } from './quick-start.js';
import { CLASSIFICATION, DIRECTION, SHARING, STATE, WORDS } from './words.js';

/** dd/MM/yyyy, as Vietnamese read a date. */
function dayOf(ms: number): string {
  return shownDay(vietnamDay(ms));
}

export function sharingBadge(language: Language, sharing: Manifest['sharing']): Markup {
  return html`<span class="badge sharing-${sharing}">${SHARING[sharing][language]}</span>`;
}

/** The state, and since when where it is not the usual one. */
export function stateBadge(language: Language, { state, service }: Entry): Markup {
  const since = language === 'vi' ? 'từ' : 'since';
  const more = state === 'published' ? '' : ` ${since} ${dayOf(service.row.state_since)}`;
  return html`<span class="badge state-${state}">${STATE[state][language]}${more}</span>`;
}

/** That it will end, when, and what follows; nothing where no end is planned. */
export function endingBadge(language: Language, { service }: Entry): Markup | null {
  const { sunset_on: last, successor } = service.row;
  if (last == null) return null;
  const day = shownDay(last);
  const next =
    successor == null
      ? null
      : html` · <a href="${linkTo(language, `/docs/${successor}`)}">${language === 'vi' ? 'chuyển sang' : 'change over to'} ${successor}</a>`;
  return html`<span class="badge state-suspended">${language === 'vi' ? 'Dùng được hết ngày' : 'Works until'} ${day}</span>${next}`;
}

/** Name and value pairs about a service. */
export function serviceFacts(language: Language, { service }: Entry, more: 'short' | 'all'): Markup {
  const { classification, direction, version, contact } = service.manifest;
  const rows: (readonly [string, string])[] = [
    [WORDS.classification[language], CLASSIFICATION[classification][language]],
    [WORDS.version[language], version],
  ];
  if (more === 'all' || direction !== 'provide')
    rows.push([WORDS.direction[language], DIRECTION[direction][language]]);
  if (more === 'all' && contact !== undefined) rows.push([WORDS.contact[language], contact]);
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Where the service is called, with a button that copies the address. */
export function baseAddress(language: Language, publicUrl: string, { service }: Entry): Markup {
  const path = `/data/${service.id}`;
  return html`<p class="address"><span class="label">${WORDS.address[language]}</span>
<code>${path}</code>${copyButton(language, publicUrl + path)}</p>`;
}

/** Where the same operations answer with sample data, and a call to paste. */
export function sandbox(language: Language, publicUrl: string, { service }: Entry): Markup {
  const path = `/sandbox/${service.id}`;
  const call = exampleCall(service) ?? '/…';
  const command = curlCommand(servicePath(`${publicUrl}/sandbox`, service.id) + call);
  return html`<section class="sandbox"><p class="address"><span class="label">${WORDS.sandbox[language]}</span>
<code>${path}</code>${copyButton(language, publicUrl + path)}</p>
<p class="hint">${prose(WORDS.sandboxMeans[language])}</p>
<div class="command"><pre tabindex="0"><code>${command}</code></pre>${copyButton(language, command, WORDS.sandbox[language])}</div></section>`;
}
