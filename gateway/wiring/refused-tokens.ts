import type { Recorder } from '../audit/record.js';
import type { RefusalFlood } from '../audit/refusal-flood.js';
import type { Clock } from '../base/clock.js';
import { uuidv7 } from '../base/ids.js';
import type { Logger } from '../base/log.js';
import type { Catalogue } from '../catalogue/catalogue.js';
import type { RefusedRequest } from '../identity/refused-request.js';

export interface RefusedTokenParts {
  readonly recorder: Recorder;
  readonly flood: RefusalFlood;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Notes a token request that was refused, as a guess at a secret may be. A name that no system has is not kept: it
 * may be a secret that was typed into the wrong place.
 */
export function noteRefusedToken(parts: RefusedTokenParts) {
  const { recorder, flood, catalogue, clock, log } = parts;
  return async ({ address, client, error }: RefusedRequest): Promise<void> => {
    if (flood.counts({ address, plane: 'open', code: 'client_refused', reason: error })) return;
    const now = clock.now();
    const known = client === undefined ? undefined : catalogue.system(client)?.row.id;
    await recorder
      .write({
        v: 1,
        id: uuidv7(now),
        kind: 'act',
        plane: 'open',
        received: new Date(now).toISOString(),
        address,
        outcome: 'refused',
        code: 'client_refused',
        target: { noun: 'token_request', key: known ?? 'unknown', after: { error } },
      })
      // Nothing leaves with it that a record would have to cover.
      .catch((cause: unknown) => log.warn({ err: cause }, 'a refused token request could not be recorded'));
  };
}
