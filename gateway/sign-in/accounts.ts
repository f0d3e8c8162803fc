import { findPerson, findProof, type PersonRow, type ProofRow } from '../store/people.js';
import { takeGuess } from '../store/sign-ins.js';
import type { SignInParts } from './parts.js';

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;

export interface Known {
  readonly person: PersonRow;
  readonly proof: ProofRow;
}

/** Those who may sign in, as they are now. */
export class Accounts {
  readonly #parts: Pick<SignInParts, 'config' | 'database' | 'clock' | 'people'>;

  constructor(parts: Pick<SignInParts, 'config' | 'database' | 'clock' | 'people'>) {
    this.#parts = parts;
  }

  /** Read from the database: a lock made on another node a moment ago counts. */
  async rows(id: string): Promise<Known | null> {
    const { knex } = this.#parts.database;
    if (!NAME.test(id)) return null;
    const [person, proof] = [await findPerson(knex, id), await findProof(knex, id)];
    return person === undefined || proof === undefined ? null : { person, proof };
  }

  /** The account, if it may be used now. */
  async known(id: string): Promise<Known | null> {
    const rows = await this.rows(id);
    return rows?.person.state === 'active' && this.inForce(id) ? rows : null;
  }

  inForce(id: string): boolean {
    return this.#parts.people.find(id)?.inForce === true;
  }

  /** Takes one guess at a name, known or not. @returns until when guessing is locked; null when it may be made */
  async guess(name: string): Promise<number | null> {
    const { config, database, clock } = this.#parts;
    const { guesses, lockMinutes } = config.people;
    if (!NAME.test(name)) return null;
    return await takeGuess(database.knex, name, { guesses, lockMs: lockMinutes * 60_000 }, clock.now());
  }
}
