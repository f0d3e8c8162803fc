import Negotiator from 'negotiator';
import type { Bilingual } from '../base/problem.js';

export type Language = keyof Bilingual;

/** What the reader chose with `?lang=`; Vietnamese otherwise, whatever language the browser happens to be in. */
export function chosenLanguage(lang: string | undefined): Language {
  return lang === 'en' ? 'en' : 'vi';
}

/** For pages that a refusal links to: unless chosen, the language that the refusal itself was written in. */
export function negotiatedLanguage(lang: string | undefined, acceptLanguage: string | undefined): Language {
  if (lang !== undefined || acceptLanguage === undefined) return chosenLanguage(lang);
  const negotiator = new Negotiator({ headers: { 'accept-language': acceptLanguage } });
  return chosenLanguage(negotiator.languages(['vi', 'en'])[0]);
}

/**
 * A link inside the portal that keeps the language.
 *
 * @example linkTo('en', '/docs/', { q: 'ho so' }) // '/docs/?q=ho+so&lang=en'
 */
export function linkTo(
  language: Language,
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') search.set(name, String(value));
  }
  // The pages of the refusals follow the browser unless they are told.
  if (language !== 'vi' || path.startsWith('/problems/')) search.set('lang', language);
  return search.size === 0 ? path : `${path}?${search.toString()}`;
}

/** The path of a service or of something below it, each segment encoded. */
export function servicePath(root: string, id: string, ...rest: readonly string[]): string {
  return [root, ...[...id.split('/'), ...rest].map(encodeURIComponent)].join('/');
}
