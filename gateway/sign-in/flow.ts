import type { Bilingual } from '../base/problem.js';
import { codeStep, codeUri, newCodeSecret } from '../identity/one-time-code.js';
import { hashPassword, isPassword, passwordFaults, wasPassword } from '../identity/passwords.js';
import type { SignInAttempt } from '../identity/sign-in.js';
import { changing } from '../store/changes.js';
import {
  findPerson,
  findProof,
  passwordsOf,
  type PersonRow,
  type ProofRow,
  updateProof,
  useTotpStep,
} from '../store/people.js';
import { deletePayload, findPayload, upsertPayload } from '../store/oidc-payloads.js';
import { endSessions, forgetGuesses, noteEnded, takeGuess } from '../store/sign-ins.js';
import { Elsewhere, keptFor } from './elsewhere.js';
import type { SignInRecords } from './records.js';
import type { RulesOfUse } from './rules-of-use.js';
import type { SignInParts } from './parts.js';
import { nextStep, type Progress, type Step } from './steps.js';
import { FAULTS, lockedFault } from './words.js';

export interface FlowParts extends SignInParts {
  readonly rules: RulesOfUse;
  readonly records: SignInRecords;
}

/** Where an attempt stands, and what its page says. */
export interface Standing {
  readonly step: Step;
  readonly name: string;
  readonly faults: readonly Bilingual[];
  readonly methods: readonly string[];
  readonly enrolment: { readonly secret: string; readonly uri: string } | null;
}

/** A step that was done as far as `progress`, or what is wrong with it. */
type Done = Progress | readonly Bilingual[];

interface Asked {
  readonly attempt: SignInAttempt;
  readonly form: URLSearchParams;
  readonly address: string;
  readonly person: PersonRow;
  readonly proof: ProofRow;
  readonly progress: Progress;
}

const MODEL = 'SignIn';
const SEAL = 'one-time-code';
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
const MOST_TYPED = 64;

const isFaults = (done: Done): done is readonly Bilingual[] => Array.isArray(done);
const start = (name: string, faults: readonly Bilingual[]): Standing => ({
  step: 'password',
  name,
  faults,
  methods: [],
  enrolment: null,
});

/** The way through the steps. What was proved is kept by the server, under the attempt that this browser began. */
export class Flow {
  readonly #parts: FlowParts;
  readonly #elsewhere: Elsewhere;

  constructor(parts: FlowParts) {
    this.#parts = parts;
    this.#elsewhere = new Elsewhere(parts);
  }

  /** @param form - what was sent; null to see where the attempt stands */
  async go(attempt: SignInAttempt, form: URLSearchParams | null, address: string): Promise<Standing> {
    const progress = await this.#progress(attempt.uid);
    if (progress === null) return await this.#first(attempt, form, address);
    const known = await this.#known(progress.person);
    // Locked between two steps: back to the beginning, where it is said.
    if (known === null) return start(progress.person, [FAULTS.notInForce]);
    const step = this.#next(progress, known);
    if (form === null || form.get('step') !== step) return await this.#stand(attempt, progress, known, []);
    const done = await this.#take(step, { attempt, form, address, progress, ...known });
    if (isFaults(done)) return await this.#stand(attempt, progress, known, done);
    await this.#keep(attempt, done);
    return await this.#arrive(attempt, done, address);
  }

  /** Sends somebody to the other provider. @returns the address, or what the page says when it cannot be */
  async depart(attempt: SignInAttempt): Promise<string | Standing> {
    return (await this.#elsewhere.depart(attempt)) ?? start('', [FAULTS.externalFailed]);
  }

  /** Takes somebody back. */
  async arrive(attempt: SignInAttempt, query: URLSearchParams, address: string): Promise<Standing> {
    const found = await this.#elsewhere.arrive(attempt.uid, query);
    const known = found === null || found.account === null ? null : await this.#known(found.account);
    if (found === null || known === null) {
      const who = found?.account == null ? undefined : this.#parts.people.find(found.account);
      const why = found === null ? 'external' : 'external_unknown';
      await this.#parts.records.note('sign_in_refused', who ?? null, address, { why });
      return start('', [found === null ? FAULTS.externalFailed : FAULTS.externalUnknown]);
    }
    const done: Progress = { person: known.person.id, methods: found.methods };
    await this.#keep(attempt, done);
    return await this.#arrive(attempt, done, address);
  }

  /** Somebody has signed out: their tokens end with the session. */
  async signedOut(person: string, session: string, address: string): Promise<void> {
    const { database, clock, records, people, refresh } = this.#parts;
    const at = clock.now();
    const known = people.find(person);
    await records.note('sign_out', known ?? null, address, { session });
    if (known === undefined) return;
    await changing(database, { noun: 'person', key: person, at }, (trx) =>
      noteEnded(trx, person, session, at),
    );
    await refresh();
  }

  async #first(attempt: SignInAttempt, form: URLSearchParams | null, address: string): Promise<Standing> {
    if (form === null || form.get('step') !== 'password') return start('', []);
    const typed = (form.get('name') ?? '').trim().normalize('NFC').slice(0, MOST_TYPED);
    const done = await this.#prove(typed.toLowerCase(), form.get('password') ?? '', address);
    if (isFaults(done)) return start(typed, done);
    await this.#keep(attempt, done);
    return await this.#arrive(attempt, done, address);
  }

  /** One guess at a name and its password. What is wrong with an account is only told to who knows its password. */
  async #prove(name: string, password: string, address: string): Promise<Done> {
    const { clock, records } = this.#parts;
    const now = clock.now();
    const locked = NAME.test(name) ? await this.#guess(name) : null;
    const known = await this.#rows(name);
    const who = known === null ? null : { id: name, agency: known.person.agency_code };
    const refuse = async (fault: Bilingual, why: string): Promise<Done> => {
      await records.note('sign_in_refused', who, address, { why });
      return [fault];
    };
    if (locked !== null) return await refuse(lockedFault(locked, now), 'locked_out');
    if (!(await isPassword(known?.proof.password_hash ?? null, password)) || known === null)
      return await refuse(FAULTS.wrong, 'password');
    if (!this.#inForce(name)) return await refuse(FAULTS.notInForce, 'not_in_force');
    if ((known.proof.temporary_until ?? now) < now)
      return await refuse(FAULTS.temporaryOver, 'temporary_over');
    if (known.proof.totp_sealed === null) await forgetGuesses(this.#parts.database.knex, name);
    return { person: name, methods: ['pwd'] };
  }

  #take(step: Step, asked: Asked): Promise<Done> {
    if (step === 'code') return this.#code(asked);
    if (step === 'new-password') return this.#newPassword(asked);
    if (step === 'enrol') return this.#enrol(asked);
    return this.#rules(asked);
  }

  async #code({ form, person, proof, progress, address }: Asked): Promise<Done> {
    const { database, clock, sealing, records } = this.#parts;
    const locked = await this.#guess(person.id);
    const secret = sealing.open(SEAL, person.id, proof.totp_sealed ?? '').toString('utf8');
    const step = locked === null ? codeStep(secret, form.get('code') ?? '', clock.now()) : null;
    if (step !== null && (await useTotpStep(database.knex, person.id, step))) {
      await forgetGuesses(database.knex, person.id);
      return { ...progress, methods: [...progress.methods, 'otp'] };
    }
    const who = { id: person.id, agency: person.agency_code };
    await records.note('sign_in_refused', who, address, { why: locked === null ? 'code' : 'locked_out' });
    return [locked === null ? FAULTS.wrongCode : lockedFault(locked, clock.now())];
  }

  async #newPassword({ form, person, proof, progress, address }: Asked): Promise<Done> {
    const { config, clock, database, records } = this.#parts;
    const plain = form.get('password') ?? '';
    const faults = passwordFaults(plain, person, { minLength: config.people.passwordMinLength });
    if (plain !== form.get('again')) faults.push(FAULTS.unequal);
    const history = JSON.parse(proof.password_history) as string[];
    if (faults.length === 0 && (await wasPassword(passwordsOf(proof), plain))) faults.push(FAULTS.used);
    if (faults.length > 0) return faults;
    const at = clock.now();
    const patch = {
      password_hash: await hashPassword(plain),
      password_history: JSON.stringify(history.slice(0, config.people.passwordHistory)),
      password_at: at,
      temporary_until: null,
    };
    await records.note('password_changed', { id: person.id, agency: person.agency_code }, address);
    await changing(database, { noun: 'person', key: person.id, at }, async (trx) => {
      await updateProof(trx, person.id, patch);
      await endSessions(trx, person.id, at);
    });
    return progress;
  }

  async #enrol({ form, person, progress, address, attempt }: Asked): Promise<Done> {
    const { clock, database, sealing, records } = this.#parts;
    const secret = sealing
      .open(SEAL, `${person.id}/${attempt.uid}`, progress.enrolling ?? '')
      .toString('utf8');
    const step = codeStep(secret, form.get('code') ?? '', clock.now());
    if (step === null) return [FAULTS.wrongCode];
    await records.note('second_factor_set', { id: person.id, agency: person.agency_code }, address);
    const sealed = sealing.seal(SEAL, person.id, secret);
    await updateProof(database.knex, person.id, { totp_sealed: sealed, totp_step: step });
    const { enrolling: _used, ...rest } = progress;
    return { ...rest, methods: [...rest.methods, 'otp'] };
  }

  async #rules({ form, person, progress, address }: Asked): Promise<Done> {
    const { clock, database, records, rules } = this.#parts;
    if (form.get('accept') !== 'yes') return [FAULTS.accept];
    const { version } = rules;
    await records.note('rules_accepted', { id: person.id, agency: person.agency_code }, address, { version });
    await updateProof(database.knex, person.id, { rules_version: version, rules_at: clock.now() });
    return progress;
  }

  /** After a step: on to the next page, or in. */
  async #arrive(attempt: SignInAttempt, progress: Progress, address: string): Promise<Standing> {
    const known = await this.#known(progress.person);
    if (known === null) return start(progress.person, [FAULTS.notInForce]);
    if (this.#next(progress, known) !== 'done') return await this.#stand(attempt, progress, known, []);
    const { clock, database, records } = this.#parts;
    const { id, agency_code: agency } = known.person;
    const { methods } = progress;
    await records.note('sign_in', { id, agency }, address, { methods, client: attempt.client });
    await updateProof(database.knex, id, { last_sign_in_at: clock.now() });
    await deletePayload(database.knex, MODEL, attempt.uid);
    return { step: 'done', name: id, faults: [], methods, enrolment: null };
  }

  async #stand(
    attempt: SignInAttempt,
    progress: Progress,
    known: { person: PersonRow; proof: ProofRow },
    faults: readonly Bilingual[],
  ): Promise<Standing> {
    const { sealing, config } = this.#parts;
    const step = this.#next(progress, known);
    const { person: name, methods } = progress;
    if (step !== 'enrol') return { step, name, faults, methods, enrolment: null };
    const place = `${name}/${attempt.uid}`;
    const { enrolling } = progress;
    const secret =
      enrolling === undefined ? newCodeSecret() : sealing.open(SEAL, place, enrolling).toString('utf8');
    if (enrolling === undefined)
      await this.#keep(attempt, { ...progress, enrolling: sealing.seal(SEAL, place, secret) });
    const uri = codeUri(secret, name, config.platform.agencyCode);
    return { step, name, faults, methods, enrolment: { secret, uri } };
  }

  #next(progress: Progress, { person, proof }: { person: PersonRow; proof: ProofRow }) {
    const { config, rules } = this.#parts;
    return nextStep(progress, person, proof, { people: config.people, rulesVersion: rules.version });
  }

  #inForce(id: string): boolean {
    return this.#parts.people.find(id)?.inForce === true;
  }

  /** Read from the database: a lock made on another node a moment ago counts. */
  async #rows(id: string): Promise<{ person: PersonRow; proof: ProofRow } | null> {
    const { knex } = this.#parts.database;
    if (!NAME.test(id)) return null;
    const [person, proof] = [await findPerson(knex, id), await findProof(knex, id)];
    return person === undefined || proof === undefined ? null : { person, proof };
  }

  async #known(id: string) {
    const rows = await this.#rows(id);
    return rows?.person.state === 'active' && this.#inForce(id) ? rows : null;
  }

  async #guess(name: string): Promise<number | null> {
    const { config, database, clock } = this.#parts;
    const { guesses, lockMinutes } = config.people;
    return await takeGuess(database.knex, name, { guesses, lockMs: lockMinutes * 60_000 }, clock.now());
  }

  async #progress(uid: string): Promise<Progress | null> {
    const { database, clock } = this.#parts;
    const row = await findPayload(database.knex, MODEL, { id: uid }, clock.now());
    return row === undefined ? null : (JSON.parse(row.payload) as Progress);
  }

  async #keep({ uid, expiresAt }: SignInAttempt, progress: Progress): Promise<void> {
    await upsertPayload(this.#parts.database.knex, keptFor(MODEL, uid, progress, expiresAt));
  }
}
