import type { Clock } from '../base/clock.js';
import type { Config } from '../base/config.js';
import type { PasswordKeeper } from '../control/handler.js';
import {
  hashPassword,
  isPassword,
  passwordFaults,
  temporaryPassword,
  wasPassword,
} from '../identity/passwords.js';
import type { Database } from '../store/database.js';
import { returnGuess, takeGuess } from '../store/sign-ins.js';

/** Passwords, for those rooms of the control plane that give or change them. */
export function passwordKeeper({
  database,
  clock,
  config,
}: {
  database: Database;
  clock: Clock;
  config: Pick<Config, 'people'>;
}): PasswordKeeper {
  const { guesses, lockMinutes, passwordMinLength: minLength } = config.people;
  return {
    temporary: temporaryPassword,
    hash: hashPassword,
    faults: (plain, owner) => passwordFaults(plain, owner, { minLength }),
    isOneOf: wasPassword,
    async check(person, stored, plain) {
      const rule = { guesses, lockMs: lockMinutes * 60_000 };
      const until = await takeGuess(database.knex, person, rule, clock.now());
      if (until !== null) return { right: false, lockedUntil: until };
      const right = await isPassword(stored, plain);
      // Only that this one was right: what was guessed at the sign-in page, one-time codes too, stays counted.
      if (right) await returnGuess(database.knex, person);
      return { right, lockedUntil: null };
    },
  };
}
