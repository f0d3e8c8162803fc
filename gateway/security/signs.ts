import type { AuditRecord } from '../audit/record.js';
import { addressBlock } from '../base/address-block.js';

export type SecurityKind =
  | 'guessing'
  | 'foreign_token'
  | 'refused_flood'
  | 'unusual_volume'
  | 'outside_hours';

/** That something worth counting happened, so many times, about somebody. */
export interface Sign {
  readonly kind: SecurityKind;
  /** `address:…`, `account:…`, `system:…` */
  readonly subject: string;
  readonly at: number;
  readonly count: number;
}

/** In these ways a token is wrong that was made elsewhere. */
const FOREIGN: ReadonlySet<string | undefined> = new Set(['issuer', 'key', 'unmapped']);
/** The error of RFC 6749 for a client that did not prove itself; no other one is a guess at a secret. */
const WRONG_CLIENT = 'invalid_client';
const GUESSES: ReadonlySet<string | undefined> = new Set([
  'token_invalid',
  'client_refused',
  'sign_in_refused',
]);

const subjectOf = (address: string): string => `address:${addressBlock(address)}`.slice(0, 200);

type Counts = Readonly<Record<string, number>>;

const sum = (counts: Counts, which: (name: string) => boolean = () => true): number =>
  Object.entries(counts).reduce((all, [name, count]) => (which(name) ? all + count : all), 0);

/** Refusals that were only counted. Those whose reason was not kept count as guesses. */
function ofCount({ received, target }: AuditRecord): Sign[] {
  const after = (target?.after ?? {}) as { count?: number; codes?: Counts; reasons?: Record<string, Counts> };
  const { count = 0, codes = {}, reasons = {} } = after;
  const subject = `address:${target?.key ?? 'others'}`;
  const at = Date.parse(received);
  const foreign = sum(reasons['token_invalid'] ?? {}, (reason) => FOREIGN.has(reason));
  const harmless = sum(reasons['client_refused'] ?? {}, (error) => error !== WRONG_CLIENT);
  const guesses = sum(codes, (code) => GUESSES.has(code)) - foreign - harmless;
  const signs: Sign[] = [
    { kind: 'refused_flood', subject, at, count },
    { kind: 'foreign_token', subject, at, count: foreign },
    { kind: 'guessing', subject, at, count: guesses },
  ];
  return signs.filter((sign) => sign.count > 0);
}

/** Whose account was guessed at, as far as that is an account. */
function accountOf({ user, target, claimed }: AuditRecord): string | undefined {
  if (user !== undefined) return user;
  if (target?.noun === 'token_request') return target.key === 'unknown' ? undefined : target.key;
  return claimed?.client;
}

function ofGuess(record: AuditRecord, at: number): Sign[] {
  const { code, reason, address, target } = record;
  const { error } = (target?.after ?? {}) as { error?: string };
  // A client that is known and may not, or asks for too much, guesses nothing.
  if (code === 'client_refused' && error !== WRONG_CLIENT) return [];
  if (code === 'token_invalid' && FOREIGN.has(reason))
    return address === undefined
      ? []
      : [{ kind: 'foreign_token', subject: subjectOf(address), at, count: 1 }];
  const account = accountOf(record);
  return [
    ...(address === undefined ? [] : [subjectOf(address)]),
    ...(account === undefined ? [] : [`account:${account}`.slice(0, 200)]),
  ].map((subject) => ({ kind: 'guessing', subject, at, count: 1 }));
}

/** What a record that was not answered is a sign of. */
export function signsOf(record: AuditRecord): Sign[] {
  const { target, code, address, system, received, outcome } = record;
  if (target?.noun === 'refusals') return ofCount(record);
  if (outcome !== 'refused') return [];
  const at = Date.parse(received);
  const stranger = address === undefined ? null : subjectOf(address);
  const who = system === undefined ? stranger : `system:${system}`;
  const flood: Sign[] = who === null ? [] : [{ kind: 'refused_flood', subject: who, at, count: 1 }];
  return GUESSES.has(code) ? [...flood, ...ofGuess(record, at)] : flood;
}
