import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Bilingual, Problem } from '../base/problem.js';
import { signInPath } from '../identity/people-flow.js';
import { AttemptOver, type SignInAttempt, type SignInPages } from '../identity/sign-in.js';
import { html, type Part } from '../portal/html.js';
import { chosenLanguage, type Language } from '../portal/language.js';
import { FormError, readForm } from './form.js';
import { Flow, type Standing } from './flow.js';
import type { SignInParts } from './parts.js';
import { sayingPage, signOutPage, stepPage } from './pages.js';
import { type RulesOfUse, rulesOfUse } from './rules-of-use.js';
import { SignInRecords } from './records.js';
import { WORDS } from './words.js';

/** `vi-VN` and `en-GB en` are as good as `vi` and `en`; the reader's own choice comes first. */
function languageOf(chosen: string | null | undefined, asked: string | undefined): Language {
  return chosenLanguage(chosen ?? asked?.slice(0, 2));
}

function send(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

const queryOf = (request: IncomingMessage): URLSearchParams =>
  new URL(request.url ?? '/', 'http://x').searchParams;

/** What the pages share. */
interface Room {
  readonly parts: SignInParts;
  readonly owner: string;
  readonly origin: string;
  readonly rules: RulesOfUse;
  readonly flow: Flow;
}

type Work = (
  room: Room,
  request: IncomingMessage,
  response: ServerResponse,
  attempt: SignInAttempt,
) => Promise<void>;

function show(
  { parts, owner, rules }: Room,
  response: ServerResponse,
  where: { readonly language: Language; readonly uid: string },
  { step, faults, name, enrolment }: Standing,
): void {
  if (step === 'done') throw new Error('there is no page for it');
  const minLength = parts.config.people.passwordMinLength;
  const external = parts.external?.label ?? null;
  const page = stepPage({ ...where, owner, step, faults, name, minLength, rules, enrolment, external });
  send(response, faults.length > 0 ? 422 : 200, page);
}

/** One page of an attempt: shown, or sent with what was typed. */
const step: Work = async ({ parts, flow, origin, ...room }, request, response, attempt) => {
  const form = request.method === 'POST' ? await readForm(request, origin) : null;
  if (form?.has('cancel') === true) {
    await attempt.giveUp();
    return;
  }
  const standing = await flow.go(attempt, form, parts.addressOf(request));
  const language = languageOf(queryOf(request).get('lang'), attempt.language);
  if (standing.step === 'done') await attempt.finish(standing.name, standing.methods);
  else show({ parts, flow, origin, ...room }, response, { language, uid: attempt.uid }, standing);
};

/** To the other provider, or back from there. */
const elsewhere: Work = async (room, request, response, attempt) => {
  const query = queryOf(request);
  const { flow, parts } = room;
  const went = query.has('state')
    ? await flow.arrive(attempt, query, parts.addressOf(request))
    : await flow.depart(attempt);
  const language = languageOf(query.get('lang'), attempt.language);
  if (typeof went === 'string') response.writeHead(303, { Location: went }).end();
  else if (went.step === 'done') await attempt.finish(went.name, went.methods);
  else if (went.faults.length > 0) show(room, response, { language, uid: attempt.uid }, went);
  // The next page stands at the attempt's own address: loading it again must not come back once more.
  else response.writeHead(303, { Location: signInPath(attempt.uid) }).end();
};

/** What cannot be recorded does not happen; a form that is none is not read. */
function guarded(room: Room, work: Work): SignInPages['answer'] {
  return async (request, response, attempt) => {
    const { owner } = room;
    const language = languageOf(queryOf(request).get('lang'), attempt?.language);
    const over = (): void =>
      send(response, 410, sayingPage(language, owner, WORDS.overTitle, WORDS.overLead));
    if (attempt === null) {
      over();
      return;
    }
    try {
      await work(room, request, response, attempt);
    } catch (error) {
      if (error instanceof AttemptOver && !response.headersSent) {
        over();
        return;
      }
      const status = error instanceof FormError ? 400 : error instanceof Problem ? error.status : null;
      if (status === null || response.headersSent) throw error;
      response.setHeader('Connection', 'close');
      const lead = status === 400 ? WORDS.failedLead : WORDS.laterLead;
      send(response, status, sayingPage(language, owner, WORDS.failedTitle, lead));
    }
  };
}

/** The pages on which people sign in and out: one attempt, a few steps, each of them recorded. */
export function createSignInPages(parts: SignInParts): SignInPages {
  const { config } = parts;
  const owner = config.platform.agencyName;
  const rules = rulesOfUse(config.people.rulesFile);
  const flow = new Flow({ ...parts, rules, records: new SignInRecords(parts) });
  const room: Room = { parts, owner, origin: new URL(config.publicUrl).origin, rules, flow };
  const saying = (language: string | undefined, title: Bilingual, lead: Bilingual, detail?: Part): string =>
    sayingPage(languageOf(null, language), owner, title, lead, detail);
  return {
    answer: guarded(room, step),
    external: guarded(room, elsewhere),
    confirmSignOut: (form, language) => signOutPage(languageOf(null, language), owner, form),
    signedOut: (language) => saying(language, WORDS.outTitle, WORDS.outLead),
    failed: (error, _description, language) =>
      saying(
        language,
        WORDS.failedTitle,
        WORDS.failedLead,
        html`<p class="hint">${WORDS.errorCode[languageOf(null, language)]} <code>${error}</code></p>`,
      ),
    ended: (request, person, session) => flow.signedOut(person, session, parts.addressOf(request)),
  };
}
