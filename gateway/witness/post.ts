import { request } from 'undici';
import { EgressDenied } from '../../connectors/allow-list.js';
import { egressAgent } from '../../connectors/egress-agent.js';
import type { Egress } from '../../connectors/egress.js';
import { WitnessError } from './witness.js';

const TIMEOUT_MS = 10_000;
/** A cosignature or a time stamp with its certificates is a few kilobytes. */
const ANSWER_BYTES = 262_144;

export interface Posted {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

async function readBounded(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES) throw new WitnessError('the answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function explained(error: unknown, late: AbortSignal): WitnessError {
  if (error instanceof WitnessError) return error;
  if (error instanceof EgressDenied) return new WitnessError('not on the egress allow-list');
  if (late.aborted) return new WitnessError(`no answer within ${TIMEOUT_MS} ms`);
  const code = (error as { code?: unknown } | null)?.code;
  return new WitnessError(typeof code === 'string' ? code : 'no connection', { cause: error });
}

/**
 * One bounded request through the egress allow-list. Redirects are not followed: where they lead, nobody has allowed.
 *
 * @throws WitnessError
 */
export async function post(
  egress: Egress,
  url: URL,
  sent: { readonly type: string; readonly body: string | Buffer },
  signal: AbortSignal,
): Promise<Posted> {
  const late = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const agent = egressAgent(egress, url, TIMEOUT_MS);
    try {
      const answer = await request(url, {
        dispatcher: agent,
        method: 'POST',
        signal: AbortSignal.any([late, signal]),
        body: sent.body,
        headers: { 'content-type': sent.type, 'user-agent': 'lgsp-gateway' },
      });
      const type = answer.headers['content-type'];
      return {
        status: answer.statusCode,
        type: typeof type === 'string' ? type : '',
        body: await readBounded(answer.body),
      };
    } finally {
      await agent.destroy();
    }
  } catch (error) {
    throw explained(error, late);
  }
}
