import Negotiator from 'negotiator';
import type { Answer, Exchange } from '../base/exchange.js';
import type { LegalReference } from '../base/legal-reference.js';
import { type Bilingual, type Problem, PROBLEMS } from '../base/problem.js';
import { PROBLEM_LEGAL } from '../base/problem-legal.js';
import { REMEDIES } from '../base/problem-remedies.js';

type Language = keyof Bilingual;

/** Vietnamese unless the caller prefers English: the officials who meet a refusal read Vietnamese. */
export function languageOf(acceptLanguage: string | undefined): Language {
  if (acceptLanguage === undefined) return 'vi';
  const [first] = new Negotiator({ headers: { 'accept-language': acceptLanguage } }).languages(['vi', 'en']);
  return first === 'en' ? 'en' : 'vi';
}

/** What the writer of refusals is given. */
export interface ProblemWriting {
  readonly publicUrl: string;
  /** What a reference into the registry of legal bases leads to, answered from memory. */
  readonly legalReference: (ref: string) => LegalReference | undefined;
}

/** What a refusal rests on, as far as the registry holds it and it is in force today. */
function legalBasisOf({ code, parts }: Problem, { legalReference }: ProblemWriting) {
  const found = (parts.legalBasis ?? PROBLEM_LEGAL[code] ?? []).flatMap((ref) => {
    const reference = legalReference(ref);
    return reference?.inForce === true ? [reference] : [];
  });
  if (found.length === 0) return {};
  return { legalBasis: found.map(({ ref, number, clause, title }) => ({ ref, number, clause, title })) };
}

/** Refusals that end when an approval is given; until then the sandbox answers the same calls. */
const AWAITING = new Set<Problem['code']>(['grant_required', 'grant_not_active', 'operation_not_granted']);

/** The operation refused, as it is called in the sandbox: its template, for what a path holds is data. */
function sandboxLink({ plane, route }: Exchange, code: Problem['code'], publicUrl: string): string | null {
  if (plane !== 'data' || !AWAITING.has(code) || route === null) return null;
  const { provider, service, version, template } = route;
  return `${publicUrl}/sandbox/${provider ?? ''}/${service ?? ''}/${version ?? ''}${template ?? '/'}`;
}

/**
 * A refusal as `application/problem+json` (RFC 9457) with its decision trace. The only place that writes one; it
 * shows what the problem was given and nothing else, so no stack, address or query can slip out.
 */
export function writeProblem(exchange: Exchange, problem: Problem, writing: ProblemWriting): Answer {
  const language = languageOf(exchange.header('accept-language'));
  const { code, status, parts } = problem;
  const { publicUrl } = writing;
  const link = `${publicUrl}/problems/${code}`;
  const sandbox = sandboxLink(exchange, code, publicUrl);
  const body = {
    type: link,
    title: PROBLEMS[code].title[language],
    status,
    detail: (parts.detail ?? REMEDIES[code].meaning)[language],
    // A refusal that is only counted has no record that it could name.
    ...(exchange.counted ? {} : { instance: `urn:uuid:${exchange.id}` }),
    code,
    stage: exchange.stage,
    ...(parts.rule === undefined ? {} : { rule: parts.rule }),
    ...(parts.errors === undefined
      ? {}
      : {
          errors: parts.errors.map(({ pointer, keyword, message }) => ({
            pointer,
            keyword,
            message: message[language],
          })),
        }),
    ...legalBasisOf(problem, writing),
    remedy: {
      text: (parts.remedy ?? REMEDIES[code].remedy)[language],
      link,
      ...(sandbox === null ? {} : { sandbox }),
    },
  };
  return {
    status,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      'content-language': language,
      vary: 'Accept-Language',
      ...parts.headers,
    },
    body: Buffer.from(JSON.stringify(body)),
  };
}
