import type { Bilingual } from '../base/problem.js';
import { codeStep } from '../identity/one-time-code.js';
import { hashPassword, isPassword, passwordFaults, wasPassword } from '../identity/passwords.js';
import type { SignInAttempt } from '../identity/sign-in.js';
import { changing } from '../store/changes.js';
import {
  passwordsOf,
  type PersonRow,
  type ProofRow,
  replaceProof,
  updateProof,
  useTotpStep,
} from '../store/people.js';
import { endSessions, forgetGuesses } from '../store/sign-ins.js';
import type { Accounts } from './accounts.js';
import type { SignInParts } from './parts.js';
import type { SignInRecords } from './records.js';
import type { RulesOfUse } from './rules-of-use.js';
import { type Progress, provedBy, type Step } from './steps.js';
import { FAULTS, lockedFault } from './words.js';

export interface ProvingParts extends SignInParts {
  readonly rules: RulesOfUse;
  readonly records: SignInRecords;
}

/** As far as a step led, or what is wrong with it; null when the account has changed meanwhile. */
export type Done = Progress | readonly Bilingual[] | null;

export interface Asked {
  readonly attempt: SignInAttempt;
  readonly form: URLSearchParams;
  readonly address: string;
  readonly person: PersonRow;
  readonly proof: ProofRow;
  readonly progress: Progress;
}

/** What the secret of a second factor is sealed for. */
export const SEAL = 'one-time-code';

const whoIs = (person: PersonRow) => ({ id: person.id, agency: person.agency_code });

/** What each step asks for, and what it changes. What is changed is what was read, or nothing. */
export class Proving {
  readonly #parts: ProvingParts;
  readonly #accounts: Accounts;

  constructor(parts: ProvingParts, accounts: Accounts) {
    this.#parts = parts;
    this.#accounts = accounts;
  }

  /** One guess at a name and its password. What is wrong with an account is only told to who knows its password. */
  async password(name: string, password: string, address: string): Promise<Progress | readonly Bilingual[]> {
    const { clock, records, database } = this.#parts;
    const now = clock.now();
    const locked = await this.#accounts.guess(name);
    const known = await this.#accounts.rows(name);
    const refuse = async (fault: Bilingual, why: string): Promise<readonly Bilingual[]> => {
      await records.note('sign_in_refused', known && whoIs(known.person), address, { why });
      return [fault];
    };
    if (locked !== null) return await refuse(lockedFault(locked, now), 'locked_out');
    if (!(await isPassword(known?.proof.password_hash ?? null, password)) || known === null)
      return await refuse(FAULTS.wrong, 'password');
    if (!this.#accounts.inForce(name)) return await refuse(FAULTS.notInForce, 'not_in_force');
    if ((known.proof.temporary_until ?? now) < now)
      return await refuse(FAULTS.temporaryOver, 'temporary_over');
    if (known.proof.totp_sealed === null) await forgetGuesses(database.knex, name);
    return { person: name, methods: ['pwd'], proved: provedBy(known.proof) };
  }

  take(step: Step, asked: Asked): Promise<Done> {
    if (step === 'code') return this.#code(asked);
    if (step === 'new-password') return this.#newPassword(asked);
    if (step === 'enrol') return this.#enrol(asked);
    return this.#rules(asked);
  }

  async #code({ form, person, proof, progress, address }: Asked): Promise<Done> {
    const { database, clock, sealing, records } = this.#parts;
    const locked = await this.#accounts.guess(person.id);
    const secret = sealing.open(SEAL, person.id, proof.totp_sealed ?? '').toString('utf8');
    const step = locked === null ? codeStep(secret, form.get('code') ?? '', clock.now()) : null;
    if (step !== null && (await useTotpStep(database.knex, proof, step))) {
      await forgetGuesses(database.knex, person.id);
      return { ...progress, methods: [...progress.methods, 'otp'] };
    }
    const why = locked === null ? 'code' : 'locked_out';
    await records.note('sign_in_refused', whoIs(person), address, { why });
    return [locked === null ? FAULTS.wrongCode : lockedFault(locked, clock.now())];
  }

  async #passwordFaults({ form, person, proof }: Asked): Promise<readonly Bilingual[]> {
    const plain = form.get('password') ?? '';
    const minLength = this.#parts.config.people.passwordMinLength;
    const faults = passwordFaults(plain, person, { minLength });
    if (plain !== form.get('again')) faults.push(FAULTS.unequal);
    if (faults.length === 0 && (await wasPassword(passwordsOf(proof), plain))) faults.push(FAULTS.used);
    return faults;
  }

  async #newPassword(asked: Asked): Promise<Done> {
    const { form, person, proof, progress, address, attempt } = asked;
    const { config, clock, database, records } = this.#parts;
    const faults = await this.#passwordFaults(asked);
    if (faults.length > 0) return faults;
    const at = clock.now();
    const history = JSON.parse(proof.password_history) as string[];
    const patch = {
      password_hash: await hashPassword(form.get('password') ?? ''),
      password_history: JSON.stringify(history.slice(0, config.people.passwordHistory)),
      password_at: at,
      temporary_until: null,
    };
    await records.note('password_changed', whoIs(person), address);
    const changed = await changing(database, { noun: 'person', key: person.id, at }, async (trx) => {
      if (!(await replaceProof(trx, proof, patch))) return false;
      await endSessions(trx, person.id, at, { spared: attempt.uid });
      return true;
    });
    return changed ? { ...progress, proved: provedBy({ ...proof, ...patch }) } : null;
  }

  async #enrol({ form, person, proof, progress, address, attempt }: Asked): Promise<Done> {
    const { clock, database, sealing, records } = this.#parts;
    const secret = sealing
      .open(SEAL, `${person.id}/${attempt.uid}`, progress.enrolling ?? '')
      .toString('utf8');
    const step = codeStep(secret, form.get('code') ?? '', clock.now());
    if (step === null) return [FAULTS.wrongCode];
    await records.note('second_factor_set', whoIs(person), address);
    const patch = { totp_sealed: sealing.seal(SEAL, person.id, secret), totp_step: step };
    if (!(await replaceProof(database.knex, proof, patch))) return null;
    const { enrolling: _used, ...rest } = progress;
    return { ...rest, methods: [...rest.methods, 'otp'], proved: provedBy({ ...proof, ...patch }) };
  }

  async #rules({ form, person, progress, address }: Asked): Promise<Done> {
    const { clock, database, records, rules } = this.#parts;
    if (form.get('accept') !== 'yes') return [FAULTS.accept];
    const { version } = rules;
    await records.note('rules_accepted', whoIs(person), address, { version });
    await updateProof(database.knex, person.id, { rules_version: version, rules_at: clock.now() });
    return progress;
  }
}
