import type { Config } from '../base/config.js';
import { parseGuarded } from '../catalogue/json-guard.js';
import type { MarkedParts } from '../catalogue/secrecy-marks.js';
import type { FoundSubject, SubjectPointers } from '../catalogue/subject-pointers.js';
import { normalIdentifier, type SubjectDigests } from '../identity/subject-digests.js';
import type { DataExchange } from './exchanges.js';

export interface SubjectParts {
  readonly config: Pick<Config, 'record'>;
  readonly subjects: SubjectDigests;
}

/** Longer than any identifier: what stands there is something else. */
const LONGEST = 256;

/** Everybody who was found, each once, in the order in which they were met. */
class Met {
  readonly #found = new Map<string, FoundSubject>();
  leftOut = 0;

  add(subjects: Iterable<FoundSubject>): void {
    for (const { kind, identifier } of subjects) {
      if (identifier.length > LONGEST) this.leftOut += 1;
      else {
        const spelled = normalIdentifier(identifier);
        if (spelled !== '') this.#found.set(`${kind}\n${spelled}`, { kind, identifier: spelled });
      }
    }
  }

  /** Those whom the request named come first: they stay when there are too many. */
  first(most: number): FoundSubject[] {
    const found = [...this.#found.values()];
    this.leftOut += Math.max(0, found.length - most);
    return found.slice(0, most);
  }
}

/** The query as sent, for a call that was refused before the contract read it. */
function queryAsSent(search: string): Record<string, readonly string[]> {
  const sent = new URLSearchParams(search);
  return Object.fromEntries([...new Set(sent.keys())].map((name) => [name, sent.getAll(name)]));
}

function requestParts({ valid, params, request, body }: DataExchange): MarkedParts {
  if (valid !== null) return { path: valid.path, query: valid.query, body: valid.json };
  const parsed = body === null ? null : parseGuarded(body);
  return {
    path: params,
    query: queryAsSent(request.search),
    body: parsed?.ok === true ? parsed.value : undefined,
  };
}

/** Whoever an answer names that leaves; the source's own one, for a grant may cut the identifiers out of it. */
function addAnswered(exchange: DataExchange, pointers: SubjectPointers, operation: string, met: Met): void {
  const { source, answer, problem, callerGone } = exchange;
  const leaves = answer !== null && problem === null && !callerGone;
  if (!leaves || source === null || source.body.length === 0 || !pointers.looksInto(operation)) return;
  const parsed = parseGuarded(source.body);
  if (parsed.ok) met.add(pointers.inResponse(operation, parsed.value));
  else met.leftOut += 1;
}

/**
 * Names in the exchange whose data it asked for, and whose its answer carries. A call that was refused names those it
 * asked for too: an attempt to look at somebody is worth knowing. One of a caller whom nobody knows names none, or
 * strangers could write into anybody's ledger.
 */
export function nameSubjects(exchange: DataExchange, { subjects, config }: SubjectParts): void {
  const { service, operation, caller, plane } = exchange;
  const pointers = service?.subjects ?? null;
  if (pointers === null || operation === null || caller === null || plane !== 'data') return;
  const met = new Met();
  met.add(pointers.inRequest(operation.id, requestParts(exchange)));
  addAnswered(exchange, pointers, operation.id, met);
  const named = met.first(config.record.subjects);
  exchange.subjects = named.map(({ kind, identifier }) => subjects.of(kind, identifier)).sort();
  exchange.subjectsLeftOut = met.leftOut;
}
