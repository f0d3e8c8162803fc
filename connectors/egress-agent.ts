import { Agent } from 'undici';
import type { Egress } from './egress.js';

/** The port of a URL, named or not. */
export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

/**
 * A dispatcher for one request through the allow-list; destroy it afterwards.
 *
 * @throws EgressDenied for an address that no rule allows
 */
export function egressAgent(egress: Egress, url: URL, timeoutMs: number): Agent {
  const port = portOf(url);
  // Literal addresses never reach `lookup`: this is where they are vetted.
  egress.assertHost(url.hostname, port);
  return new Agent({ connect: { lookup: egress.lookup(port), timeout: timeoutMs }, allowH2: false });
}
