import type { Bilingual } from '../base/problem.js';
import { codeUri, newCodeSecret } from '../identity/one-time-code.js';
import type { SignInAttempt } from '../identity/sign-in.js';
import { changing } from '../store/changes.js';
import { updateProof } from '../store/people.js';
import { noteEnded } from '../store/sign-ins.js';
import { Accounts, type Known } from './accounts.js';
import { Attempts } from './attempts.js';
import { Elsewhere } from './elsewhere.js';
import { Proving, type ProvingParts, SEAL } from './proving.js';
import { nextStep, type Progress, provedBy, type Step } from './steps.js';
import { FAULTS } from './words.js';

/** Where an attempt stands, and what its page says. */
export interface Standing {
  readonly step: Step;
  readonly name: string;
  readonly faults: readonly Bilingual[];
  readonly methods: readonly string[];
  readonly enrolment: { readonly secret: string; readonly uri: string } | null;
}

const MOST_TYPED = 64;

const isFaults = (done: object): done is readonly Bilingual[] => Array.isArray(done);
const start = (name: string, faults: readonly Bilingual[]): Standing => ({
  step: 'password',
  name,
  faults,
  methods: [],
  enrolment: null,
});

/** The way through the steps. What was proved is kept by the server, under the attempt that this browser began. */
export class Flow {
  readonly #parts: ProvingParts;
  readonly #elsewhere: Elsewhere;
  readonly #accounts: Accounts;
  readonly #attempts: Attempts;
  readonly #proving: Proving;

  constructor(parts: ProvingParts) {
    this.#parts = parts;
    this.#elsewhere = new Elsewhere(parts);
    this.#accounts = new Accounts(parts);
    this.#attempts = new Attempts(parts);
    this.#proving = new Proving(parts, this.#accounts);
  }

  /** @param form - what was sent; null to see where the attempt stands */
  async go(attempt: SignInAttempt, form: URLSearchParams | null, address: string): Promise<Standing> {
    const progress = await this.#attempts.find(attempt.uid);
    if (progress === null) return await this.#first(attempt, form, address);
    const known = await this.#accounts.known(progress.person);
    // Locked between two steps: back to the beginning, where it is said.
    if (known === null) return start(progress.person, [FAULTS.notInForce]);
    if (progress.proved !== provedBy(known.proof)) return await this.#anew(attempt, known, address);
    const step = this.#next(progress, known);
    // Nothing is left to do, and yet nobody is in: what was missing is the record.
    if (step === 'done') return await this.#arrive(attempt, progress, address);
    if (form === null || form.get('step') !== step) return await this.#stand(attempt, progress, known, []);
    const done = await this.#proving.take(step, { attempt, form, address, progress, ...known });
    if (done === null) return await this.#anew(attempt, known, address);
    if (isFaults(done)) return await this.#stand(attempt, progress, known, done);
    await this.#attempts.keep(attempt, done);
    return await this.#arrive(attempt, done, address);
  }

  /** Sends somebody to the other provider. @returns the address, or what the page says when it cannot be */
  async depart(attempt: SignInAttempt): Promise<string | Standing> {
    return (await this.#elsewhere.depart(attempt)) ?? start('', [FAULTS.externalFailed]);
  }

  /** Takes somebody back. */
  async arrive(attempt: SignInAttempt, query: URLSearchParams, address: string): Promise<Standing> {
    const found = await this.#elsewhere.arrive(attempt.uid, query);
    const known = found === null || found.account === null ? null : await this.#accounts.known(found.account);
    if (found === null || known === null) {
      const who = found?.account == null ? undefined : this.#parts.people.find(found.account);
      const why = found === null ? 'external' : 'external_unknown';
      await this.#parts.records.note('sign_in_refused', who ?? null, address, { why });
      return start('', [found === null ? FAULTS.externalFailed : FAULTS.externalUnknown]);
    }
    const { person, proof } = known;
    const done: Progress = { person: person.id, methods: found.methods, proved: provedBy(proof) };
    await this.#attempts.keep(attempt, done);
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
    const done = await this.#proving.password(typed.toLowerCase(), form.get('password') ?? '', address);
    if (isFaults(done)) return start(typed, done);
    await this.#attempts.keep(attempt, done);
    return await this.#arrive(attempt, done, address);
  }

  /** What was proved proves nothing any more: somebody changed it meanwhile, here or in another window. */
  async #anew(attempt: SignInAttempt, { person }: Known, address: string): Promise<Standing> {
    const who = { id: person.id, agency: person.agency_code };
    await this.#parts.records.note('sign_in_refused', who, address, { why: 'changed_meanwhile' });
    await this.#attempts.forget(attempt);
    return start(person.id, [FAULTS.changed]);
  }

  /** After a step: on to the next page, or in. */
  async #arrive(attempt: SignInAttempt, progress: Progress, address: string): Promise<Standing> {
    const known = await this.#accounts.known(progress.person);
    if (known === null) return start(progress.person, [FAULTS.notInForce]);
    if (progress.proved !== provedBy(known.proof)) return await this.#anew(attempt, known, address);
    if (this.#next(progress, known) !== 'done') return await this.#stand(attempt, progress, known, []);
    const { clock, database, records } = this.#parts;
    const { id, agency_code: agency } = known.person;
    const { methods } = progress;
    await records.note('sign_in', { id, agency }, address, { methods, client: attempt.client });
    await updateProof(database.knex, id, { last_sign_in_at: clock.now() });
    await this.#attempts.forget(attempt);
    return { step: 'done', name: id, faults: [], methods, enrolment: null };
  }

  async #stand(
    attempt: SignInAttempt,
    progress: Progress,
    known: Known,
    faults: readonly Bilingual[],
  ): Promise<Standing> {
    const { sealing, config } = this.#parts;
    const step = this.#next(progress, known);
    // Who is in has been recorded: there is one way to it, and it is not this one.
    if (step === 'done') throw new Error('nothing is left to ask');
    const { person: name, methods } = progress;
    if (step !== 'enrol') return { step, name, faults, methods, enrolment: null };
    const place = `${name}/${attempt.uid}`;
    const { enrolling } = progress;
    const secret =
      enrolling === undefined ? newCodeSecret() : sealing.open(SEAL, place, enrolling).toString('utf8');
    if (enrolling === undefined)
      await this.#attempts.keep(attempt, { ...progress, enrolling: sealing.seal(SEAL, place, secret) });
    const uri = codeUri(secret, name, config.platform.agencyCode);
    return { step, name, faults, methods, enrolment: { secret, uri } };
  }

  #next(progress: Progress, { person, proof }: Known) {
    const { config, rules } = this.#parts;
    return nextStep(progress, person, proof, { people: config.people, rulesVersion: rules.version });
  }
}
