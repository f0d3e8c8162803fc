import type { Departure } from '../identity/external-provider.js';
import type { SignInAttempt } from '../identity/sign-in.js';
import { deletePayload, findPayload, type OidcPayloadRow, upsertPayload } from '../store/oidc-payloads.js';
import type { SignInParts } from './parts.js';
import type { Progress } from './steps.js';

const MODEL = 'ExternalSignIn';

/** How something of an attempt is kept until the attempt is over. */
export function keptFor(
  model: string,
  id: string,
  content: object,
  { expiresAt, account = null }: { readonly expiresAt: number; readonly account?: string | null },
): OidcPayloadRow {
  const payload = JSON.stringify(content);
  const none = { grant_id: null, uid: null, user_code: null, consumed_at: null };
  return { model, id, payload, expires_at: expiresAt, account_id: account, ...none };
}

/** The way to another provider and back, once for each departure. */
export class Elsewhere {
  readonly #parts: Pick<SignInParts, 'external' | 'database' | 'clock' | 'log'>;

  constructor(parts: Pick<SignInParts, 'external' | 'database' | 'clock' | 'log'>) {
    this.#parts = parts;
  }

  /** @returns where to send the browser; null when the provider cannot be reached */
  async depart({ uid, expiresAt }: SignInAttempt): Promise<string | null> {
    const { external, database, log } = this.#parts;
    if (external === null) return null;
    try {
      const { url, departure } = await external.depart(uid);
      await upsertPayload(database.knex, keptFor(MODEL, uid, departure, { expiresAt }));
      return url;
    } catch (error) {
      log.warn({ err: error }, 'the other provider cannot be reached');
      return null;
    }
  }

  /** @returns whom the provider named; null when it confirmed nothing that was asked for */
  async arrive(
    uid: string,
    query: URLSearchParams,
  ): Promise<{ readonly account: string | null; readonly methods: Progress['methods'] } | null> {
    const { external, database, clock, log } = this.#parts;
    const row = await findPayload(database.knex, MODEL, { id: uid }, clock.now());
    if (external === null || row === undefined) return null;
    // Used up first: of two arrivals at the same moment one finds nothing.
    if (!(await deletePayload(database.knex, MODEL, uid))) return null;
    try {
      const { account, secondFactor } = await external.arrive(query, JSON.parse(row.payload) as Departure);
      return { account, methods: secondFactor ? ['ext', 'mfa'] : ['ext'] };
    } catch (error) {
      log.warn({ err: error }, 'the other provider did not confirm');
      return null;
    }
  }
}
