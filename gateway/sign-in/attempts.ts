import type { SignInAttempt } from '../identity/sign-in.js';
import { deletePayload, findPayload, upsertPayload } from '../store/oidc-payloads.js';
import { claimAttempt } from '../store/sign-ins.js';
import { keptFor } from './elsewhere.js';
import type { SignInParts } from './parts.js';
import type { Progress } from './steps.js';

const MODEL = 'SignIn';

/** How far attempts have come, between two of their pages. Whose they are is noted: they end with all else of theirs. */
export class Attempts {
  readonly #parts: Pick<SignInParts, 'database' | 'clock'>;

  constructor(parts: Pick<SignInParts, 'database' | 'clock'>) {
    this.#parts = parts;
  }

  async find(uid: string): Promise<Progress | null> {
    const { database, clock } = this.#parts;
    const row = await findPayload(database.knex, MODEL, { id: uid }, clock.now());
    return row === undefined ? null : (JSON.parse(row.payload) as Progress);
  }

  async keep({ uid, expiresAt }: SignInAttempt, progress: Progress): Promise<void> {
    const { knex } = this.#parts.database;
    await claimAttempt(knex, uid, progress.person);
    await upsertPayload(knex, keptFor(MODEL, uid, progress, { expiresAt, account: progress.person }));
  }

  async forget({ uid }: SignInAttempt): Promise<void> {
    await deletePayload(this.#parts.database.knex, MODEL, uid);
  }
}
