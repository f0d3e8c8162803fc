import { renderSVG } from 'uqr';
import type { Bilingual } from '../base/problem.js';
import { html, type Markup, type Part } from '../portal/html.js';
import type { Language } from '../portal/language.js';
import type { RulesOfUse } from './rules-of-use.js';
import { faultBox, fieldFaults, shell } from './shell.js';
import type { Step } from './steps.js';
import { FAULTS, WORDS } from './words.js';

/** What a page of an attempt is made of. */
export interface StepPage {
  readonly language: Language;
  readonly owner: string;
  readonly uid: string;
  readonly step: Step;
  readonly faults: readonly Bilingual[];
  /** The name as typed, or of who has proved the first thing. */
  readonly name: string;
  readonly minLength: number;
  readonly rules: RulesOfUse;
  /** Another provider's name; null where there is none. */
  readonly external: string | null;
  /** While the second factor is set up: its secret, and what the picture says. */
  readonly enrolment: { readonly secret: string; readonly uri: string } | null;
}

interface Field {
  readonly id: string;
  readonly label: Bilingual;
  readonly type: 'text' | 'password';
  readonly complete: string;
  readonly value?: string;
  readonly hint?: string;
  readonly focus?: boolean;
  readonly digits?: boolean;
  /** Of this field alone; without it those of the page are its own. */
  readonly own?: readonly Bilingual[];
}

/** Which texts say more of a field: what is wrong comes first. */
function describedBy(id: string, { own, hint }: Field, wrong: boolean): string {
  const fault = own === undefined ? 'faults' : `${id}-faults`;
  return [wrong ? fault : '', hint === undefined ? '' : `${id}-hint`].filter((part) => part !== '').join(' ');
}

function field({ language, faults }: StepPage, one: Field): Markup {
  const { id, label, type, complete, value, hint, focus = false, digits = false, own } = one;
  const wrong = (own ?? faults).length > 0;
  const described = describedBy(id, one, wrong);
  return html`<div class="field"><label for="${id}">${label[language]}</label>
<input id="${id}" name="${id}" type="${type}" autocomplete="${complete}" required maxlength="256" spellcheck="false" autocapitalize="none"${value !== undefined && html` value="${value}"`}${digits && html` inputmode="numeric" pattern="[0-9 ]*"`}${focus && html` autofocus`}${described !== '' && html` aria-describedby="${described}"`}${wrong && html` aria-invalid="true"`}>
${own !== undefined && fieldFaults(language, id, own)}${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}</div>`;
}

function passwordStep(page: StepPage): Part {
  const { language, name } = page;
  return html`<p class="sign-in-lead">${WORDS.signInLead[language]}</p>
${faultBox(language, page.faults)}
${field(page, { id: 'name', label: WORDS.name, type: 'text', complete: 'username', value: name, focus: name === '' })}
${field(page, { id: 'password', label: WORDS.password, type: 'password', complete: 'current-password', focus: name !== '', hint: WORDS.passwordLost[language] })}`;
}

const who = ({ language, name }: StepPage): Markup =>
  html`<p class="sign-in-who">${WORDS.signingIn[language]} <strong>${name}</strong></p>`;

const CODE: Field = {
  id: 'code',
  label: WORDS.code,
  type: 'text',
  complete: 'one-time-code',
  focus: true,
  digits: true,
};

function codeStep(page: StepPage): Part {
  const { language } = page;
  return html`${who(page)}<p class="sign-in-lead">${WORDS.codeLead[language]}</p>
${faultBox(language, page.faults)}
${field(page, { ...CODE, hint: WORDS.codeLost[language] })}`;
}

function newPasswordStep(page: StepPage): Part {
  const { language, minLength, faults } = page;
  const hint = WORDS.hint[language].replace('{n}', String(minLength));
  const unequal = faults.filter((fault) => fault === FAULTS.unequal);
  const weak = faults.filter((fault) => fault !== FAULTS.unequal);
  return html`${who(page)}<p class="sign-in-lead">${WORDS.newLead[language]}</p>
<input type="text" name="user" value="${page.name}" autocomplete="username" hidden readonly>
${field(page, { id: 'password', label: WORDS.newPassword, type: 'password', complete: 'new-password', focus: true, hint, own: weak })}
${field(page, { id: 'again', label: WORDS.again, type: 'password', complete: 'new-password', own: unequal })}`;
}

/** Coarse squares with a wide margin: cheap telephones read it from a cheap screen. */
function picture(uri: string): string {
  return `data:image/svg+xml;base64,${Buffer.from(renderSVG(uri, { ecc: 'L', boostEcc: false, border: 4 })).toString('base64')}`;
}

function enrolStep(page: StepPage): Part {
  const { language, enrolment } = page;
  if (enrolment === null) return null;
  const groups = enrolment.secret.match(/.{1,4}/g) ?? [];
  return html`${who(page)}<p class="sign-in-lead">${WORDS.enrolLead[language]}</p>
<img class="sign-in-qr" src="${picture(enrolment.uri)}" alt="${WORDS.qr[language]}" width="232" height="232">
<p class="sign-in-here"><a href="${enrolment.uri}">${WORDS.enrolHere[language]}</a></p>
<p class="hint">${WORDS.enrolByHand[language]}</p><p class="sign-in-secret"><code>${groups.join(' ')}</code></p>
${faultBox(language, page.faults)}
${field(page, CODE)}`;
}

function rulesStep(page: StepPage): Part {
  const { language, rules } = page;
  const text =
    rules.text === null
      ? html`<ol>${rules.points.map((point) => html`<li>${point[language]}</li>`)}</ol>`
      : html`<div class="sign-in-text">${rules.text}</div>`;
  return html`${who(page)}<p class="sign-in-lead">${WORDS.rulesLead[language]}</p>
<div class="sign-in-rules" tabindex="0" role="region" aria-label="${WORDS.rulesTitle[language]}">${text}</div>
${faultBox(language, page.faults)}
<label class="sign-in-check"><input type="checkbox" name="accept" value="yes" required> ${WORDS.rulesAccept[language]}</label>`;
}

const STEPS: Readonly<Record<Exclude<Step, 'done'>, { title: Bilingual; body: (page: StepPage) => Part }>> = {
  password: { title: WORDS.signIn, body: passwordStep },
  code: { title: WORDS.codeTitle, body: codeStep },
  'new-password': { title: WORDS.newTitle, body: newPasswordStep },
  enrol: { title: WORDS.enrolTitle, body: enrolStep },
  rules: { title: WORDS.rulesTitle, body: rulesStep },
};

/** The way to another provider, below our own. */
function elsewhere({ language, uid, external }: StepPage): Part {
  if (external === null) return null;
  return html`<p class="sign-in-elsewhere"><a href="/oidc/sign-in/${uid}/external?lang=${language}">${WORDS.external[language]} ${external}</a></p>`;
}

/** The page of one step: a plain form, that works without any script. */
export function stepPage(page: StepPage & { readonly step: Exclude<Step, 'done'> }): string {
  const { language, uid, step, owner } = page;
  const { title, body } = STEPS[step];
  const other = language === 'vi' ? 'en' : 'vi';
  const main = html`<form method="post" action="/oidc/sign-in/${uid}?lang=${language}">
<input type="hidden" name="step" value="${step}">
${body(page)}
<div class="sign-in-actions"><button class="sign-in-go" type="submit">${step === 'password' ? WORDS.signIn[language] : WORDS.next[language]}</button>
<button class="sign-in-cancel" type="submit" name="cancel" value="yes" formnovalidate>${WORDS.cancel[language]}</button></div>
</form>${step === 'password' && elsewhere(page)}`;
  const otherLanguage = `/oidc/sign-in/${uid}?lang=${other}`;
  return shell({ language, title: title[language], owner, otherLanguage, main }).toString();
}

/** A page that only says something. */
export function sayingPage(
  language: Language,
  owner: string,
  title: Bilingual,
  lead: Bilingual,
  detail: Part = null,
): string {
  const main = html`<p class="sign-in-lead">${lead[language]}</p>${detail}`;
  return shell({ language, title: title[language], owner, otherLanguage: null, main }).toString();
}

/** @param form - of the authorization server: markup with nothing in it that a person wrote */
export function signOutPage(language: Language, owner: string, form: string): string {
  const main = html`<p class="sign-in-lead">${WORDS.signOutLead[language]}</p>
<div class="sign-in-actions"><button class="sign-in-go" type="submit" form="op.logoutForm" name="logout" value="yes" autofocus>${WORDS.signOut[language]}</button></div>`;
  const page = shell({ language, title: WORDS.signOutTitle[language], owner, otherLanguage: null, main });
  return page.toString().replace('</main>', () => `</main>${form}`);
}
