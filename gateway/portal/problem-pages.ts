import type { Config } from '../base/config.js';
import { PROBLEMS, type ProblemCode } from '../base/problem.js';
import type { LegalReference } from '../base/legal-reference.js';
import { PROBLEM_LEGAL } from '../base/problem-legal.js';
import { REMEDIES } from '../base/problem-remedies.js';
import { html, type Markup, prose } from './html.js';
import { type Language, linkTo } from './language.js';
import { breadcrumb, layout } from './layout.js';
import { WORDS } from './words.js';

type FindLegal = (ref: string) => LegalReference | undefined;

const CODES = Object.keys(PROBLEMS) as ProblemCode[];

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEMS, code);
}

const SOURCE_OF_STATUS: readonly (readonly [number, string, string])[] = [
  [500, 'Do nền tảng hoặc nguồn dữ liệu', 'The gateway’s or the source’s side'],
  [429, 'Do vượt giới hạn', 'A limit was passed'],
  [404, 'Do yêu cầu không phù hợp với dịch vụ', 'The request does not suit the service'],
  [403, 'Do quyền truy cập', 'Permission'],
  [401, 'Do mã truy cập', 'The access token'],
  [400, 'Do yêu cầu', 'The request'],
];

/** Codes that send the reader to the same place, together; in the order of their statuses. */
function families(
  language: Language,
): readonly { readonly title: string; readonly codes: readonly ProblemCode[] }[] {
  return SOURCE_OF_STATUS.map(([from, vi, en], i) => {
    const below = SOURCE_OF_STATUS[i - 1]?.[0] ?? 600;
    const codes = CODES.filter((code) => PROBLEMS[code].status >= from && PROBLEMS[code].status < below);
    return { title: language === 'vi' ? vi : en, codes };
  })
    .reverse()
    .filter(({ codes }) => codes.length > 0);
}

function row(language: Language, code: ProblemCode): Markup {
  const { status, title } = PROBLEMS[code];
  return html`<tr><td class="status">${status}</td>
<td><a href="${linkTo(language, `/problems/${code}`)}"><code>${code}</code></a></td>
<td>${title[language]}</td></tr>`;
}

/** Every refusal that the gateway can utter. */
export function problemList(language: Language, config: Config): Markup {
  const tables = families(language).map(
    ({ title, codes }) => html`<section class="group"><h2>${title}</h2>
<table class="refusals"><thead><tr><th scope="col">${WORDS.status[language]}</th>
<th scope="col">${WORDS.code[language]}</th><th scope="col">${WORDS.meaning[language]}</th></tr></thead>
<tbody>${codes.map((code) => row(language, code))}</tbody></table></section>`,
  );
  return layout({
    language,
    title: WORDS.refusals[language],
    section: 'refusals',
    owner: config.platform.agencyName,
    path: '/problems/',
    main: html`<div class="intro"><h1>${WORDS.refusals[language]}</h1><p>${WORDS.refusalsLead[language]}</p></div>${tables}`,
  });
}

function explanation(language: Language, code: ProblemCode): Markup {
  const { meaning, remedy } = REMEDIES[code];
  return html`<h2>${WORDS.meaning[language]}</h2><p>${prose(meaning[language])}</p>
<h2>${WORDS.remedy[language]}</h2><p>${prose(remedy[language])}</p>`;
}

/** What the refusal rests on today; nothing where the registry holds nothing that is in force. */
function legalBasis(language: Language, code: ProblemCode, find: FindLegal): Markup | null {
  const found = (PROBLEM_LEGAL[code] ?? [])
    .flatMap((ref) => find(ref) ?? [])
    .filter(({ inForce }) => inForce);
  if (found.length === 0) return null;
  const items = found.map(
    ({ clause, number, title }) =>
      html`<li>${clause === null ? null : html`${clause}, `}<strong>${number}</strong> – ${title}</li>`,
  );
  return html`<h2>${WORDS.legalBasis[language]}</h2><ul>${items}</ul>`;
}

function exampleAnswer(language: Language, code: ProblemCode, publicUrl: string): string {
  const { status, title } = PROBLEMS[code];
  const { meaning, remedy } = REMEDIES[code];
  const link = `${publicUrl}/problems/${code}`;
  const answer = {
    type: link,
    title: title[language],
    status,
    detail: meaning[language],
    instance: 'urn:uuid:…',
    code,
    stage: '…',
    remedy: { text: remedy[language], link },
  };
  return JSON.stringify(answer, null, 2);
}

/** What one refusal means, how to mend it and what it rests on, in both languages. Null when there is no such code. */
export function problemPage(
  language: Language,
  config: Config,
  code: string,
  find: FindLegal,
): Markup | null {
  if (!isProblemCode(code)) return null;
  const { status, title } = PROBLEMS[code];
  const other: Language = language === 'vi' ? 'en' : 'vi';
  const crumbs = breadcrumb(language, [
    [WORDS.refusals[language], linkTo(language, '/problems/')],
    [code, null],
  ]);
  const main = html`${crumbs}
<article class="problem">
<p class="problem-code"><span class="status">${status}</span> <code>${code}</code></p>
<h1>${title[language]}</h1>
${explanation(language, code)}
${legalBasis(language, code, find)}
<h2>${WORDS.example[language]}</h2>
<pre tabindex="0"><code>${exampleAnswer(language, code, config.publicUrl)}</code></pre>
<section class="translation" lang="${other}"><p class="translation-title">${title[other]}</p>${explanation(other, code)}</section>
</article>`;
  return layout({
    language,
    title: `${code}: ${title[language]}`,
    section: 'refusals',
    owner: config.platform.agencyName,
    path: `/problems/${code}`,
    main,
  });
}
