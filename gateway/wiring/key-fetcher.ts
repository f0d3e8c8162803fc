import type { Egress } from '../../connectors/egress.js';
import type { FetchKeys } from '../identity/trusted-issuers.js';
import { egressFetch } from './egress-fetch.js';

const ACCEPT = { accept: 'application/jwk-set+json, application/json' };

/** Fetches JWK Sets of trusted issuers. */
export function keyFetcher(egress: Egress): FetchKeys {
  return async (uri) => {
    const { status, text } = await egressFetch(egress, uri, { headers: ACCEPT });
    if (status !== 200) throw new Error(`HTTP ${status}`);
    const { keys } = JSON.parse(text) as { keys?: unknown };
    if (!Array.isArray(keys)) throw new Error('not a JWK Set');
    return keys.filter((key): key is Record<string, unknown> => typeof key === 'object' && key !== null);
  };
}
