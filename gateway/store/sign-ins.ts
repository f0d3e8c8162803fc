import type { Knex } from 'knex';
import type { OidcPayloadRow } from './oidc-payloads.js';

export interface GuardRow {
  name: string;
  failures: number;
  locked_until: number | null;
  last_at: number;
}

export interface GuardRule {
  /** Guesses in a row before the name is locked. */
  readonly guesses: number;
  readonly lockMs: number;
}

/**
 * Takes one guess at a name, known or not, before it is looked at: guesses made at the same moment each take their
 * own, so that nobody has more than the rule allows.
 *
 * @returns null when the guess may be made; else when the lock ends, in milliseconds since the epoch
 */
export async function takeGuess(
  knex: Knex,
  name: string,
  rule: GuardRule,
  now: number,
): Promise<number | null> {
  return await knex.transaction(async (trx) => {
    await trx<GuardRow>('sign_in_guards')
      .insert({ name, failures: 0, locked_until: null, last_at: now })
      .onConflict('name')
      .merge({ last_at: now });
    // Written first: from here on other guesses at this name wait for this one to be counted.
    const row = await trx<GuardRow>('sign_in_guards').where({ name }).first();
    const held = row?.locked_until ?? null;
    if (held !== null && held > now) return held;
    const failures = (held === null ? (row?.failures ?? 0) : 0) + 1;
    const locked = failures >= rule.guesses ? now + rule.lockMs : null;
    await trx<GuardRow>('sign_in_guards').where({ name }).update({ failures, locked_until: locked });
    return null;
  });
}

/** The guesses at a name are forgotten: it was no guess, or an operator gave a new password. */
/** Gives back a guess that was right: those before it stay counted, and it alone locks nothing. */
export async function returnGuess(knex: Knex, name: string): Promise<void> {
  await knex<GuardRow>('sign_in_guards')
    .where({ name })
    .where('failures', '>', 0)
    .update({ failures: knex.raw('failures - 1'), locked_until: null });
}

export async function forgetGuesses(knex: Knex, name: string): Promise<void> {
  await knex<GuardRow>('sign_in_guards').where({ name }).delete();
}

interface EndedRow {
  session_id: string;
  person_id: string;
  ended_at: number;
}

/** A session of a person, from signing in to signing out. */
export interface SignedInSession {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly expiresAt: number | null;
  readonly methods: readonly string[];
}

interface SessionPayload {
  readonly uid: string;
  readonly loginTs?: number;
  readonly amr?: readonly string[];
}

export async function sessionsOf(knex: Knex, person: string, now: number): Promise<SignedInSession[]> {
  const rows = await knex<OidcPayloadRow>('oidc_payloads')
    .where({ model: 'Session', account_id: person })
    .where((live) => void live.whereNull('expires_at').orWhere('expires_at', '>', now));
  return rows
    .map(({ payload, expires_at }) => {
      const { uid, loginTs = 0, amr = [] } = JSON.parse(payload) as SessionPayload;
      return { id: uid, since: loginTs * 1000, expiresAt: expires_at, methods: amr };
    })
    .sort((a, b) => b.since - a.since);
}

/** Neither the session nor a token of it works from now on, whoever writes it once more; the note outlives them all. */
export async function noteEnded(knex: Knex, person: string, session: string, at: number): Promise<void> {
  await knex<EndedRow>('ended_sessions')
    .insert({ session_id: session, person_id: person, ended_at: at })
    .onConflict('session_id')
    .ignore();
}

/**
 * Ends one session of a person, or all of them: neither a cookie, a refresh token nor a token of it works on. With
 * all of them, whatever was begun ends too.
 *
 * @param spared - an attempt to sign in that goes on
 * @returns the sessions that were ended
 */
export async function endSessions(
  trx: Knex,
  person: string,
  at: number,
  { which, spared }: { readonly which?: string | undefined; readonly spared?: string } = {},
): Promise<readonly string[]> {
  const found = (await sessionsOf(trx, person, 0)).filter(({ id }) => which === undefined || id === which);
  for (const { id } of found) {
    await noteEnded(trx, person, id, at);
    await trx<OidcPayloadRow>('oidc_payloads').where({ model: 'Session', uid: id }).delete();
  }
  if (which !== undefined) return found.map(({ id }) => id);
  await trx<OidcPayloadRow>('oidc_payloads')
    .where({ account_id: person })
    .whereIn('model', ['AuthorizationCode', 'Grant', 'RefreshToken', 'Session'])
    .delete();
  await endAttempts(trx, person, spared);
  return found.map(({ id }) => id);
}

/** Ends what somebody has begun, or finished and not yet gone on with. @param spared - one attempt that goes on */
export async function endAttempts(trx: Knex, person: string, spared?: string): Promise<void> {
  const attempts = trx<OidcPayloadRow>('oidc_payloads')
    .where({ account_id: person })
    .whereIn('model', ['Interaction', 'SignIn']);
  if (spared !== undefined) void attempts.whereNot({ id: spared });
  await attempts.delete();
}

/** Notes whose an attempt has become: from here on it ends with everything else of theirs. */
export async function claimAttempt(knex: Knex, uid: string, person: string): Promise<void> {
  await knex<OidcPayloadRow>('oidc_payloads')
    .where({ model: 'Interaction', id: uid })
    .update({ account_id: person });
}

/** The sessions that ended since; of one person, or of all. */
export async function endedSessions(
  knex: Knex,
  since: number,
  person?: string,
): Promise<readonly { readonly person_id: string; readonly session_id: string }[]> {
  const query = knex<EndedRow>('ended_sessions').where('ended_at', '>=', since);
  if (person !== undefined) void query.where({ person_id: person });
  return await query.select('person_id', 'session_id');
}

const DAY_MS = 86_400_000;
/**
 * An end is remembered longer than the longest session with its last token can live by any settings: 24 hours and
 * one, and one for clocks that differ.
 */
export const ENDS_KEPT_MS = 26 * 3_600_000;

export async function isEndedSession(knex: Knex, session: string): Promise<boolean> {
  return (await knex<EndedRow>('ended_sessions').where({ session_id: session }).first()) !== undefined;
}

/** Removes what tells nobody anything any more: locks of long ago, ends of sessions whose tokens are long over. */
export async function deleteOldSignIns(knex: Knex, now: number): Promise<void> {
  await knex<GuardRow>('sign_in_guards')
    .where('last_at', '<', now - DAY_MS)
    .delete();
  await knex<EndedRow>('ended_sessions')
    .where('ended_at', '<', now - ENDS_KEPT_MS)
    .delete();
}
