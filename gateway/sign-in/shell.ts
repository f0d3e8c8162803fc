import type { Bilingual } from '../base/problem.js';
import { html, type Markup, type Part } from '../portal/html.js';
import type { Language } from '../portal/language.js';
import { WORDS } from './words.js';

export interface Shell {
  readonly language: Language;
  readonly title: string;
  /** Who runs the gateway. */
  readonly owner: string;
  /** This page in the other language; null where it cannot be asked for again. */
  readonly otherLanguage: string | null;
  readonly main: Part;
}

const PLATFORM: Bilingual = {
  vi: 'Nền tảng tích hợp, chia sẻ dữ liệu cấp tỉnh',
  en: 'Provincial data integration & sharing platform',
};

function switcher({ language, otherLanguage }: Shell): Part {
  if (otherLanguage === null) return null;
  const other = language === 'vi' ? 'en' : 'vi';
  return html`<a class="language" href="${otherLanguage}" hreflang="${other}" lang="${other}">${other === 'en' ? 'English' : 'Tiếng Việt'}</a>`;
}

/** A page of its own kind: one card, one thing to do, no way elsewhere. */
export function shell(page: Shell): Markup {
  const { language, title, owner, main } = page;
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<title>${title} – ${PLATFORM[language]}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<meta name="robots" content="noindex">
<link rel="icon" href="/docs/assets/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="/docs/assets/portal.css">
<link rel="stylesheet" href="/docs/assets/sign-in.css">
</head>
<body class="sign-in">
<header class="top"><div class="wide top-row">
<span class="brand"><img src="/docs/assets/mark.svg" alt="" width="44" height="44">
<span><span class="brand-owner">${owner}</span><span class="brand-name">${PLATFORM[language]}</span></span></span>
${switcher(page)}</div></header>
<main id="main"><section class="sign-in-card">
<h1>${title}</h1>
${main}
</section></main>
</body>
</html>
`;
}

/** Rules of passwords are said as the rest of a sentence elsewhere. */
const sentence = (text: string): string => text.charAt(0).toLocaleUpperCase('vi') + text.slice(1);

/** What is wrong with one field, right below it. */
export function fieldFaults(language: Language, id: string, faults: readonly Bilingual[]): Part {
  if (faults.length === 0) return null;
  const items = faults.map((fault) => html`<li>${sentence(fault[language])}</li>`);
  return html`<ul class="field-faults" role="alert" id="${id}-faults">${items}</ul>`;
}

/** What has to be mended, read out at once by a screen reader. */
export function faultBox(language: Language, faults: readonly Bilingual[]): Part {
  if (faults.length === 0) return null;
  const items = faults.map((fault) => html`<li>${fault[language]}</li>`);
  return html`<div class="sign-in-faults" role="alert" id="faults"><strong>${WORDS.faults[language]}</strong><ul>${items}</ul></div>`;
}
